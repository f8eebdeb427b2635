"""The outbox: work ordered inside a transaction and done after its commit, at least once.

A worker leases jobs, runs them, and forgets, postpones or buries them. It is woken in process when something was
ordered, and sweeps every half second for what other processes ordered or dropped.
"""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from watchword.database import Database, StoreUnavailable, Transaction
from watchword.database import outbox as rows
from watchword.database.outbox import Job
from watchword.telemetry import get_logger

log = get_logger(__name__)

SWEEP_SECONDS = 0.5
LEASE = timedelta(seconds=60)
GRACE = timedelta(seconds=3)  # for running jobs when the worker stops
MOST_AT_ONCE = 32
MOST_ATTEMPTS = 8
_FIRST_PAUSE = 1.0  # seconds; doubles with every attempt, up to five minutes
_LONGEST_PAUSE = 300.0


class Retry(Exception):
    """Raised by a job that may succeed later. The text is stored: no address, no code."""

    def __init__(self, problem: str, *, after: timedelta | None = None) -> None:
        self.problem, self.after = problem, after
        super().__init__(problem)


class Abandon(Exception):
    """Raised by a job that can never succeed. The text is stored: no address, no code."""


class Lease:
    """A job's hold on its row while it runs."""

    def __init__(self, database: Database, job: Job) -> None:
        self._database, self.job = database, job

    @property
    def last_attempt(self) -> bool:
        """Whether a `Retry` would bury the job."""
        return self.job.attempts >= MOST_ATTEMPTS

    async def renew(self) -> bool:
        """Lengthen the hold just before an effect that must not happen twice; False when it is lost."""

        async def work(transaction: Transaction) -> bool:
            return await rows.renew(transaction, self.job, term=LEASE)

        return await self._database.transaction(work)


JobRunner = Callable[[dict[str, Any], Lease], Awaitable[None]]


class Outbox:
    """The worker of one process: up to `MOST_AT_ONCE` jobs side by side, so that a slow gateway delays no other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: Mapping[str, JobRunner] = {}
        self._woken = asyncio.Event()
        self._stopping = False
        self._worker: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look for jobs now. Call it after the commit that ordered one."""
        self._woken.set()

    def start(self, jobs: Mapping[str, JobRunner]) -> None:
        """Begin to work. `jobs` maps a kind of job to what runs it."""
        self._jobs, self._stopping = jobs, False
        self._worker = asyncio.create_task(self._work(), name="outbox")

    async def stop(self) -> None:
        """Lease nothing more, give running jobs a moment to end, and hand the others back for another worker."""
        self._stopping = True
        self.wake()
        if self._worker is not None:
            await self._worker
            self._worker = None
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=GRACE.total_seconds())
            for job in late:
                job.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _work(self) -> None:
        while not self._stopping:
            self._woken.clear()
            if not await self._start_due_jobs():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), SWEEP_SECONDS * (0.8 + 0.4 * random.random()))  # noqa: S311

    async def _start_due_jobs(self) -> bool:
        """Start as many due jobs as there is room for; False when that was none."""
        try:
            jobs = await self._lease(MOST_AT_ONCE - len(self._running))
        except StoreUnavailable:
            return False
        except Exception:
            log.exception("the outbox stumbled")
            return False
        for job in jobs:
            task = asyncio.create_task(self._run(job), name=f"outbox job {job.id}")
            self._running.add(task)
            task.add_done_callback(self._make_room)
        return bool(jobs)

    def _make_room(self, ended: asyncio.Task[None]) -> None:
        full = len(self._running) >= MOST_AT_ONCE
        self._running.discard(ended)
        if full:
            self.wake()

    async def _lease(self, most: int) -> Sequence[Job]:
        if most == 0 or not await rows.is_due(self._database):
            return ()
        lease = secrets.token_hex(8)

        async def work(transaction: Transaction) -> Sequence[Job]:
            return await rows.lease(transaction, lease=lease, term=LEASE, most=most)

        return await self._database.transaction(work)

    async def _run(self, job: Job) -> None:
        try:
            await self._runner(job)(job.payload, Lease(self._database, job))
        except Abandon as problem:
            await self._bury(job, str(problem))
        except Retry as problem:
            await self._postpone(job, problem.problem, problem.after)
        except asyncio.CancelledError:
            await self._settle(
                job, lambda transaction: rows.postpone(transaction, job, pause=timedelta(0), problem="interrupted")
            )
            raise
        except Exception as error:
            log.exception("a job failed", job=job.id, kind=job.kind)
            await self._postpone(job, type(error).__name__, None)
        else:
            await self._settle(job, lambda transaction: rows.finish(transaction, job))

    def _runner(self, job: Job) -> JobRunner:
        if job.attempts > MOST_ATTEMPTS:  # no attempt lived to tell how it ended
            raise Abandon("its worker stopped in the middle of every attempt")
        runner = self._jobs.get(job.kind)
        if runner is None:
            raise Abandon(f"nothing runs jobs of kind {job.kind}")
        return runner

    async def _postpone(self, job: Job, problem: str, after: timedelta | None) -> None:
        if job.attempts >= MOST_ATTEMPTS:
            await self._bury(job, problem)
            return
        pause = after if after is not None else backoff(job.attempts)
        log.warning("a job is postponed", job=job.id, kind=job.kind, attempt=job.attempts, problem=problem)
        await self._settle(job, lambda transaction: rows.postpone(transaction, job, pause=pause, problem=problem))

    async def _bury(self, job: Job, problem: str) -> None:
        log.error("a job is given up", job=job.id, kind=job.kind, attempt=job.attempts, problem=problem)
        await self._settle(job, lambda transaction: rows.bury(transaction, job, problem=problem))

    async def _settle(self, job: Job, work: Callable[[Transaction], Awaitable[None]]) -> None:
        """Write how a job ended. Where that fails, its lease runs out and it runs again."""
        try:
            await self._database.transaction(work)
        except Exception:
            log.exception("the end of a job was not written", job=job.id, kind=job.kind)


def backoff(attempts: int) -> timedelta:
    """Return how long to wait after a number of failed attempts: exponential, with jitter."""
    pause = min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
    return timedelta(seconds=pause * (0.75 + random.random() / 2))  # noqa: S311 - jitter, not a secret


async def enqueue(transaction: Transaction, kind: str, payload: dict[str, Any]) -> None:
    """Order a job in the caller's transaction; call `Outbox.wake` after the commit. One statement."""
    await rows.enqueue(transaction, kind=kind, payload=payload)
