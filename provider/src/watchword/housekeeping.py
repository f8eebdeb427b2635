"""What a worker does beside answering: deleting what is long over, and not outliving the process that started it.

Nothing here decides anything: expiry is compared where it matters.
"""

import asyncio
import multiprocessing
import os
import signal
from datetime import timedelta

from watchword.database import StoreUnavailable, grants, refresh_families
from watchword.services import Services
from watchword.telemetry import get_logger

log = get_logger(__name__)

_EVERY_SECONDS = 60
_BATCH = 500  # rows that one statement deletes at most
_PARENT_EVERY_SECONDS = 1
# A redeemed authorization code is kept this long, so that a replay still finds what to revoke.
_KEPT = timedelta(hours=24)


async def keep_house(services: Services) -> None:
    """Sweep both stores every minute, in batches small enough that no request waits for one."""
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        try:
            more = True
            while more:
                more = await sweep(services)
        except StoreUnavailable as problem:
            log.warning("housekeeping waits", problem=str(problem))
        except Exception:
            log.exception("housekeeping stumbled")


async def sweep(services: Services) -> bool:
    """Delete one batch of each kind; True when there may be more."""
    run = services.database.transaction
    counts = (
        await services.ephemeral.sweep(),
        await run(lambda transaction: grants.forget_codes(transaction, kept=_KEPT, most=_BATCH)),
        await run(lambda transaction: refresh_families.forget(transaction, kept=_KEPT, most=_BATCH)),
    )
    return max(counts) >= _BATCH


async def follow_parent() -> None:
    """Stop this worker when the process that started it is gone: an orphan would hold the port and the stores.

    Returns at once in a process that is nobody's worker.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    while parent.is_alive():  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(_PARENT_EVERY_SECONDS)
    log.warning("the parent process is gone; this worker stops")
    os.kill(os.getpid(), signal.SIGTERM)
