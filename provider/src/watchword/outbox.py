"""The outbox: work ordered inside a transaction and done after its commit, at least once.

A worker leases jobs, runs them, and forgets, postpones or buries them. What is ordered in its own process is written
with its lease and runs right after the commit; a sweep every half second finds what other processes dropped.

Jobs for addresses that others chose go in lanes, one a host, with few places each and few in all: a host that hangs
holds up its own jobs and nobody else's. Jobs without a lane never wait for them.
"""

import asyncio
import contextlib
import random
import secrets
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from watchword.database import Database, StoreUnavailable, Transaction
from watchword.database import outbox as rows
from watchword.database.outbox import Job
from watchword.telemetry import get_logger

log = get_logger(__name__)

SWEEP_SECONDS = 0.5
LEASE = timedelta(seconds=60)
YOUNG_SECONDS = 10.0  # a lease is not renewed before that
GRACE = timedelta(seconds=3)  # for running jobs when the worker stops
MOST_AT_ONCE = 32  # of the jobs without a lane
MOST_IN_A_LANE = 2
MOST_IN_LANES = 16  # of all lanes together
MOST_ATTEMPTS = 8
_FIRST_PAUSE = 1.0  # seconds; doubles with every attempt, up to five minutes
_LONGEST_PAUSE = 300.0
_NO_LANE = ""


class Retry(Exception):
    """Raised by a job that may succeed later. The text is stored: no address, no code."""

    def __init__(self, problem: str, *, after: timedelta | None = None) -> None:
        self.problem, self.after = problem, after
        super().__init__(problem)


class Abandon(Exception):
    """Raised by a job that can never succeed. The text is stored: no address, no code."""


Note = Callable[[Transaction], Awaitable[None]]
"""Something to write in the transaction that ends a job, and with no effect but its statements."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A lease that a job may be ordered with, to be run here. `taken_at` is the loop's time."""

    lease: str
    taken_at: float


class Lease:
    """A job's hold on its row while it runs. `taken_at` is the loop's time from before it was asked for."""

    def __init__(self, database: Database, job: Job, *, taken_at: float) -> None:
        self._database, self.job, self._taken_at = database, job, taken_at
        self.notes: list[Note] = []
        self.ending = False

    @property
    def last_attempt(self) -> bool:
        """Whether a `Retry` would bury the job."""
        return self.job.attempts >= MOST_ATTEMPTS

    def note(self, note: Note) -> None:
        """Write something together with how the job ends. Where that fails the job runs again, and so does the note."""
        self.notes.append(note)

    async def renew(self) -> bool:
        """Lengthen the hold just before an effect that must not happen twice; False when it is lost.

        Nothing while the hold is young: most of its term is left.
        """
        if asyncio.get_running_loop().time() - self._taken_at < YOUNG_SECONDS:
            return True

        async def work(transaction: Transaction) -> bool:
            return await rows.renew(transaction, self.job, term=LEASE)

        return await self._database.transaction(work, one_statement=True)


JobRunner = Callable[[dict[str, Any], Lease], Awaitable[None]]


class Outbox:
    """The worker of one process: up to `MOST_AT_ONCE` jobs side by side, so that a slow gateway delays no other.

    Jobs in lanes have places of their own beside those.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: Mapping[str, JobRunner] = {}
        self._woken = asyncio.Event()
        self._stopping = False
        self._worker: asyncio.Task[None] | None = None
        self._running: dict[asyncio.Task[None], Lease] = {}
        self._taken: Counter[str] = Counter()  # places, by lane
        self._waiting: deque[Lease] = deque()  # leased and without a lane, for the next free place

    def hold(self) -> Hold | None:
        """Return a hold for one job that is about to be ordered; None when this process has enough to do."""
        if self._worker is None or self._stopping or self._taken[_NO_LANE] >= MOST_AT_ONCE:
            return None
        return Hold(secrets.token_hex(8), asyncio.get_running_loop().time())

    def run(self, job: Job | None, hold: Hold | None) -> None:
        """Run what was ordered, after the commit; what was ordered without a hold is looked for."""
        if job is None or hold is None:
            self.wake()
            return
        if not self._stopping:  # else another worker gets it when its lease runs out
            self._waiting.append(Lease(self._database, job, taken_at=hold.taken_at))
            self._fill_places()

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
        while self._waiting:
            await self._hand_back(self._waiting.popleft())
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=GRACE.total_seconds())
            for job in late:
                if not self._running[job].ending:  # what is being written now would else be done a second time
                    job.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _work(self) -> None:
        while not self._stopping:
            woken = self._woken.is_set()
            self._woken.clear()
            if not await self._start_due_jobs(woken=woken):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), SWEEP_SECONDS * (0.8 + 0.4 * random.random()))  # noqa: S311

    async def _start_due_jobs(self, *, woken: bool) -> bool:
        """Start as many due jobs as there is room for; False when that was none.

        Who was woken need not look first whether there are any without a lane.
        """
        try:
            if woken and await self._start_due_of(_NO_LANE):
                return True
            lanes = await rows.due_lanes(self._database)
            random.shuffle(lanes)  # so that each has its turn, however many there are
            started = [await self._start_due_of(lane) for lane in lanes]
        except StoreUnavailable:
            return False
        except Exception:
            log.exception("the outbox stumbled")
            return False
        return any(started)

    async def _start_due_of(self, lane: str) -> bool:
        """Lease and start the due jobs of a lane that there is room for, all in one commit; False when that was none.

        No statement without room.
        """
        most = self._room(lane)
        if most <= 0:
            return False
        asked_at, lease = asyncio.get_running_loop().time(), secrets.token_hex(8)

        async def work(transaction: Transaction) -> Sequence[Job]:
            return await rows.lease(transaction, lease=lease, term=LEASE, most=most, lane=lane)

        jobs = await self._database.transaction(work, one_statement=True)
        leases = [Lease(self._database, job, taken_at=asked_at) for job in jobs]
        if lane == _NO_LANE:
            self._waiting.extend(leases)
            self._fill_places()
        else:
            for each in leases:
                self._start(each)
        return bool(jobs)

    def _room(self, lane: str) -> int:
        """Return how many more jobs of a lane may be leased."""
        if lane == _NO_LANE:
            return MOST_AT_ONCE - self._taken[_NO_LANE] - len(self._waiting)
        in_lanes = self._taken.total() - self._taken[_NO_LANE]
        return min(MOST_IN_A_LANE - self._taken[lane], MOST_IN_LANES - in_lanes)

    def _fill_places(self) -> None:
        while self._waiting and self._taken[_NO_LANE] < MOST_AT_ONCE:
            self._start(self._waiting.popleft())

    def _start(self, lease: Lease) -> None:
        task = asyncio.create_task(self._run(lease.job, lease), name=f"outbox job {lease.job.id}")
        self._running[task] = lease
        self._taken[lease.job.lane] += 1
        task.add_done_callback(self._make_room)

    def _make_room(self, ended: asyncio.Task[None]) -> None:
        lane = self._running.pop(ended).job.lane
        full = self._room(lane) <= 0
        self._taken[lane] -= 1
        if not self._taken[lane]:
            del self._taken[lane]
        if self._waiting and lane == _NO_LANE:
            self._fill_places()
        elif full:
            self.wake()

    async def _run(self, job: Job, lease: Lease) -> None:
        try:
            await self._runner(job)(job.payload, lease)
        except Abandon as problem:
            await self._bury(lease, str(problem))
        except Retry as problem:
            await self._postpone(lease, problem.problem, problem.after)
        except asyncio.CancelledError:
            await self._hand_back(lease)
            raise
        except Exception as error:
            log.exception("a job failed", job=job.id, kind=job.kind)
            await self._postpone(lease, type(error).__name__, None)
        else:
            await self._settle(lease, lambda transaction: rows.finish(transaction, job))

    async def _hand_back(self, lease: Lease) -> None:
        await self._settle(
            lease, lambda transaction: rows.postpone(transaction, lease.job, pause=timedelta(0), problem="interrupted")
        )

    def _runner(self, job: Job) -> JobRunner:
        if job.attempts > MOST_ATTEMPTS:  # no attempt lived to tell how it ended
            raise Abandon("its worker stopped in the middle of every attempt")
        runner = self._jobs.get(job.kind)
        if runner is None:
            raise Abandon(f"nothing runs jobs of kind {job.kind}")
        return runner

    async def _postpone(self, lease: Lease, problem: str, after: timedelta | None) -> None:
        if lease.last_attempt:
            await self._bury(lease, problem)
            return
        job = lease.job
        pause = after if after is not None else backoff(job.attempts)
        log.warning("a job is postponed", job=job.id, kind=job.kind, attempt=job.attempts, problem=problem)
        await self._settle(lease, lambda transaction: rows.postpone(transaction, job, pause=pause, problem=problem))

    async def _bury(self, lease: Lease, problem: str) -> None:
        job = lease.job
        log.error("a job is given up", job=job.id, kind=job.kind, attempt=job.attempts, problem=problem)
        await self._settle(lease, lambda transaction: rows.bury(transaction, job, problem=problem))

    async def _settle(self, lease: Lease, end: Note) -> None:
        """Write how a job ended, and its notes with it. Where that fails, its lease runs out and it runs again."""
        lease.ending = True

        async def work(transaction: Transaction) -> None:
            for note in lease.notes:
                await note(transaction)
            await end(transaction)

        try:
            await self._database.transaction(work, one_statement=True)
        except Exception:
            log.exception("the end of a job was not written", job=lease.job.id, kind=lease.job.kind)


def backoff(attempts: int) -> timedelta:
    """Return how long to wait after a number of failed attempts: exponential, with jitter."""
    pause = min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
    return timedelta(seconds=pause * (0.75 + random.random() / 2))  # noqa: S311 - jitter, not a secret


async def enqueue(transaction: Transaction, kind: str, payload: dict[str, Any], hold: Hold | None = None) -> Job | None:
    """Order a job in the caller's transaction; give `Outbox.run` what is returned after the commit. One statement."""
    if hold is not None:
        return await rows.enqueue_leased(transaction, kind=kind, payload=payload, lease=hold.lease, term=LEASE)
    await rows.enqueue(transaction, kind=kind, payload=payload)
    return None


async def enqueue_in_lane(transaction: Transaction, kind: str, payload: dict[str, Any], *, lane: str) -> None:
    """Order a job for a host that others chose; wake the outbox after the commit. One statement."""
    await rows.enqueue(transaction, kind=kind, payload=payload, lane=lane)
