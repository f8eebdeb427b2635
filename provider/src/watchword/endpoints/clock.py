"""The test clock: moves time for every worker, in test mode alone."""

from datetime import timedelta

from watchword.database import Transaction, store
from watchword.protocol.errors import AccessForbidden, InvalidRequest
from watchword.web.answers import json_answer
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer


async def advance(exchange: Exchange) -> Answer:
    """Move the stores' clock and everything that follows it. One statement.

    Raises:
        AccessForbidden: not in test mode.
        InvalidRequest: no whole number of seconds.
    """
    services = exchange.services
    if services.settings.env != "test":
        raise AccessForbidden("The clock moves in test mode only.")
    seconds = (await exchange.json()).get("advance")
    if type(seconds) is not int or not 0 <= seconds <= 10 * 365 * 86400:
        raise InvalidRequest("Give advance as a whole number of seconds.")

    async def work(transaction: Transaction) -> timedelta:
        return await store.advance_clock(transaction, timedelta(seconds=seconds))

    services.clock.offset = await services.database.transaction(work)
    return json_answer({"now": services.clock.now().isoformat(), "offset": services.clock.offset.total_seconds()})
