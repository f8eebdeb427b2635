"""Health: alive, and ready to serve."""

from watchword.database import store
from watchword.web.answers import json_answer
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer


async def alive(_exchange: Exchange) -> Answer:
    """Say that the process runs. No statement."""
    return json_answer({"status": "alive"})


async def ready(exchange: Exchange) -> Answer:
    """Say that both stores answer and belong together. One statement, two steps of the ephemeral store.

    Raises:
        StoreUnavailable: one of them does not answer.
    """
    services = exchange.services
    await services.ephemeral.ping()
    row = await services.database.transaction(store.find_writable)  # a store that only reads is not ready
    if row is None or row.ephemeral_id != await services.ephemeral.identity():
        return json_answer({"status": "not_ready", "reason": "the ephemeral store is another one"}, status=503)
    return json_answer({"status": "ready"})
