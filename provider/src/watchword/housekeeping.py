"""What a worker does beside answering, and what one elected worker does for all of them.

Nothing here decides what is alive: expiry is compared where it matters.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from watchword.database import StoreUnavailable, Transaction, audit, bounds, clients, elections, replicas, seals
from watchword.database import keys as stored_keys
from watchword.database.bounds import BOUNDS, Bound
from watchword.events import Caller, record, record_suppressed
from watchword.events.catalogue.clients import ClientRemoved
from watchword.events.sealing import forget_old, seal_waiting
from watchword.key_upkeep import follow_keys, rotate_keys
from watchword.keys.rotation import NOTICED
from watchword.services import Services
from watchword.telemetry import get_logger

log = get_logger(__name__)

TERM = timedelta(seconds=3)
"""How long an elected worker stays elected without saying so again, and so how long its death is not noticed."""
_RENEW_EVERY = 1.5  # seconds
_HOUSE = "housekeeping"
_UNUSED_CLIENTS_KEPT = timedelta(days=30)
_BATCH = 500  # rows that one statement deletes at most
_PARENT_EVERY = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do again and again, `every` so many seconds. It may be left in the middle."""

    name: str
    every: float
    run: Callable[[Services], Awaitable[None]]


class Candidate:
    """One worker in the election of the one that keeps house. Two are never elected at once by the store's clock."""

    def __init__(self, services: Services, replica: str) -> None:
        self._database, self._replica = services.database, replica
        self._elected, self._asked_at = False, float("-inf")
        self._asking = asyncio.Lock()

    async def is_elected(self) -> bool:
        """Say whether this worker keeps house. One read and maybe one write, and then nothing for a while."""
        loop = asyncio.get_running_loop()
        async with self._asking:
            asked_at = loop.time()
            if asked_at - self._asked_at >= _RENEW_EVERY:
                before, self._elected = self._elected, False
                self._elected = await self._stand()
                self._asked_at = asked_at
                if self._elected and not before:
                    log.info("this worker keeps house", replica=self._replica, process=os.getpid())
        return self._elected

    async def resign(self) -> None:
        """Let another worker follow at once. One statement."""
        if self._elected:
            self._elected = False
            await self._database.transaction(lambda transaction: elections.release(transaction, _HOUSE, self._replica))

    async def _stand(self) -> bool:
        if not await elections.is_vacant(self._database, _HOUSE, self._replica):
            return False
        return await self._database.transaction(
            lambda transaction: elections.hold(transaction, _HOUSE, self._replica, term=TERM)
        )


async def keep_house(services: Services, candidate: Candidate, duties: Sequence[Duty]) -> None:
    """Do the duties of the whole provider for as long as this worker is the elected one."""

    async def keep(duty: Duty) -> None:
        while True:
            await asyncio.sleep(duty.every)
            await _attempt(duty, services, candidate)

    await asyncio.gather(*map(keep, duties))


async def do_regularly(services: Services, duty: Duty) -> None:
    """Do what every worker does for itself."""
    while True:
        await asyncio.sleep(duty.every)
        await _attempt(duty, services, None)


async def _attempt(duty: Duty, services: Services, candidate: Candidate | None) -> None:
    try:
        if candidate is None or await candidate.is_elected():
            await duty.run(services)
    except StoreUnavailable as problem:
        log.warning("a duty waits for a store", duty=duty.name, problem=str(problem))
    except Exception:
        log.exception("a duty stumbled", duty=duty.name)


async def seal_trail(services: Services) -> None:
    """Seal the events that were committed. One statement when there is none."""
    await seal_waiting(services.database, services.keyring.audit)


async def log_checkpoint(services: Services) -> None:
    """Log the head of the audit chain: with that line, kept elsewhere, a tail that was cut off is found."""
    head = await seals.newest(services.database)
    if head is not None:
        log.info("audit checkpoint", number=head.number, hash=head.hash.hex())


async def purge(services: Services) -> None:
    """Delete what is long over from both stores, in batches small enough that no request waits for one."""
    while await services.ephemeral.sweep() >= _BATCH:
        pass
    for bound in BOUNDS.values():
        while await _forget(services, bound) >= _BATCH:
            pass
    await _forget_trail(services)
    kept = services.settings.session_lifetime + services.settings.refresh_token_lifetime
    await services.database.transaction(lambda transaction: stored_keys.forget(transaction, kept=kept))


async def pair_again(services: Services) -> None:
    """Make an emptied ephemeral store the database's again once every live worker sees it. Nothing while it is."""
    if services.condition.paired:
        return
    identity = await services.ephemeral.identity()
    if await services.database.transaction(lambda transaction: replicas.pair_again(transaction, identity)):
        log.warning("the ephemeral store was emptied or replaced, and is the database's again")


async def forget_unused_clients(services: Services) -> None:
    """Delete clients that registered themselves a month ago and that nobody has used since."""

    async def work(transaction: Transaction) -> int:
        forgotten = await clients.forget_unused(transaction, kept=_UNUSED_CLIENTS_KEPT, most=_BATCH)
        for client_id in forgotten:
            await record(transaction, ClientRemoved(client_id=client_id, removed_by="disuse"), Caller())
        return len(forgotten)

    while await services.database.transaction(work) >= _BATCH:
        pass


DUTIES = (
    Duty("seal the audit trail", 0.5, seal_trail),
    Duty("rotate the signing keys", 2, rotate_keys),
    Duty("pair the stores again", 5, pair_again),
    Duty("purge", 60, purge),
    Duty("log a checkpoint", 600, log_checkpoint),
    Duty("forget clients nobody used", 3600, forget_unused_clients),
)
"""What the elected worker does."""

FOLLOW_KEYS = Duty("follow the signing keys", NOTICED.total_seconds() / 2, follow_keys)
"""What every worker does about them: so often that it has noticed a change within `NOTICED`."""


async def _forget(services: Services, bound: Bound) -> int:
    return await services.database.transaction(lambda transaction: bounds.forget(transaction, bound, most=_BATCH))


async def _forget_trail(services: Services) -> None:
    kept = services.settings.audit_kept
    while await forget_old(services.database, services.keyring.audit, kept=kept):
        pass
    while (
        await services.database.transaction(
            lambda transaction: audit.forget_unmarked(transaction, kept=kept, most=_BATCH)
        )
        >= _BATCH
    ):
        pass


async def tell_suppressed(services: Services) -> None:
    """Write down what the audit trail left out. Nothing when that is nothing."""
    await record_suppressed(services.database)


async def follow_parent() -> None:
    """Stop this worker when the process that started it is gone: an orphan would hold the port and the stores.

    Returns at once in a process that is nobody's worker.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    while parent.is_alive():  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(_PARENT_EVERY)
    log.warning("the parent process is gone; this worker stops")
    os.kill(os.getpid(), signal.SIGTERM)
