"""The breaker over all accounts: one guess on each of a million accounts is seen by no budget of any of them.

When failures are far above what is usual, browsers that nobody knows get longer codes, until an hour after it passed.
"""

import math

from watchword.database import Transaction, guard
from watchword.events import Caller, record
from watchword.events.catalogue.codes import AttackModeOff, AttackModeOn
from watchword.services import Services

_TIMES_USUAL = 3


def most_failures(guard_after: int, usual: float) -> int:
    """Return how many failures an hour may have: the setting, or three times what is usual where that is more."""
    return max(guard_after, math.ceil(_TIMES_USUAL * usual))


async def watch_failures(services: Services) -> None:
    """Turn guarded mode on, keep it on, or turn it off. Run every few seconds by one worker for all.

    One statement while nothing is wrong. Above the setting, two more and, when something changes, a transaction of two.
    """
    least = services.settings.guard_after
    seen = await guard.watch(services.database, most=least + 1)
    failures, most = seen.failures, least
    if failures > least:
        most = most_failures(least, await guard.usual_failures(services.database))
        failures = (await guard.watch(services.database, most=most + 1)).failures
    if failures > most and not seen.fresh:
        await _guard(services, failures, most)
    elif failures <= most and seen.run_out:
        await services.database.transaction(_end)


async def _guard(services: Services, failures: int, most: int) -> None:
    async def work(transaction: Transaction) -> None:
        if await guard.begin(transaction):
            await record(transaction, AttackModeOn(failures=failures, threshold=most), Caller())
        else:
            await guard.renew(transaction)

    await services.database.transaction(work)


async def _end(transaction: Transaction) -> None:
    if await guard.end(transaction):
        await record(transaction, AttackModeOff(), Caller())
