"""The outbox: work ordered inside a transaction and done after its commit, at least once.

A worker leases jobs, runs them, and forgets, postpones or buries them. It is woken in process when something was
ordered, and sweeps every half second for what other processes ordered or dropped.
"""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from watchword.database import Database, StoreUnavailable, Transaction
from watchword.database import outbox as rows
from watchword.database.outbox import Job
from watchword.telemetry import get_logger

log = get_logger(__name__)

SWEEP_SECONDS = 0.5
LEASE = timedelta(seconds=60)
BATCH = 16
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
            return await rows.renew(transaction, self.job, term=_microseconds(LEASE))

        return await self._database.transaction(work)


JobRunner = Callable[[dict[str, Any], Lease], Awaitable[None]]


class Outbox:
    """The worker of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: Mapping[str, JobRunner] = {}
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Look for jobs now. Call it after the commit that ordered one."""
        self._woken.set()

    def start(self, jobs: Mapping[str, JobRunner]) -> None:
        """Begin to work. `jobs` maps a kind of job to what runs it."""
        self._jobs = jobs
        self._task = asyncio.create_task(self._work(), name="outbox")

    async def stop(self) -> None:
        """Stop; a job that was running is leased again later."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _work(self) -> None:
        while True:
            self._woken.clear()
            try:
                busy = await self.run_due_jobs()
            except StoreUnavailable:
                busy = False
            except Exception:
                log.exception("the outbox stumbled")
                busy = False
            if not busy:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), SWEEP_SECONDS * (0.8 + 0.4 * random.random()))  # noqa: S311

    async def run_due_jobs(self) -> bool:
        """Run a batch of due jobs side by side; False when there was none."""
        if not await rows.is_due(self._database):
            return False
        lease = secrets.token_hex(8)

        async def work(transaction: Transaction) -> list[Job]:
            return list(await rows.lease(transaction, lease=lease, term=_microseconds(LEASE), most=BATCH))

        jobs = await self._database.transaction(work)
        await asyncio.gather(*(self._run(job) for job in jobs))
        return bool(jobs)

    async def _run(self, job: Job) -> None:
        runner = self._jobs.get(job.kind)
        try:
            if runner is None:
                raise Abandon(f"nothing runs jobs of kind {job.kind}")
            await runner(job.payload, Lease(self._database, job))
        except Abandon as problem:
            await self._bury(job, str(problem))
        except Retry as problem:
            await self._postpone(job, problem.problem, problem.after)
        except Exception as error:
            log.exception("a job failed", job=job.id, kind=job.kind)
            await self._postpone(job, type(error).__name__, None)
        else:
            await self._settle(lambda transaction: rows.finish(transaction, job))

    async def _postpone(self, job: Job, problem: str, after: timedelta | None) -> None:
        if job.attempts >= MOST_ATTEMPTS:
            await self._bury(job, problem)
            return
        pause = after if after is not None else backoff(job.attempts)
        log.warning("a job is postponed", job=job.id, kind=job.kind, attempt=job.attempts, problem=problem)
        await self._settle(
            lambda transaction: rows.postpone(transaction, job, pause=_microseconds(pause), problem=problem)
        )

    async def _bury(self, job: Job, problem: str) -> None:
        log.error("a job is given up", job=job.id, kind=job.kind, attempt=job.attempts, problem=problem)
        await self._settle(lambda transaction: rows.bury(transaction, job, problem=problem))

    async def _settle(self, work: Callable[[Transaction], Awaitable[None]]) -> None:
        await self._database.transaction(work)


def backoff(attempts: int) -> timedelta:
    """Return how long to wait after a number of failed attempts: exponential, with jitter."""
    pause = min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
    return timedelta(seconds=pause * (0.75 + random.random() / 2))  # noqa: S311 - jitter, not a secret


async def enqueue(transaction: Transaction, kind: str, payload: dict[str, Any]) -> None:
    """Order a job in the caller's transaction; call `Outbox.wake` after the commit. One statement."""
    await rows.enqueue(transaction, kind=kind, payload=payload)


def _microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
