"""What one racing process does: open the file itself, wait at the barrier, then ask 60 times at once."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any

from watchword.ephemeral import Charge, EphemeralStore, Limit, open_store

PROCESSES = 4
TASKS = 60
MINUTE = timedelta(minutes=1)
PER_IDENTIFIER = Limit("identifier", 100, timedelta(days=1))  # 50 at once; none drains while a test lasts
PER_ADDRESS = Limit("address", 1000, timedelta(days=1))  # 500 at once

Ask = Callable[[EphemeralStore, int], Awaitable[Any]]


async def take(store: EphemeralStore, racer: int) -> bool:
    return await store.take("prize") is not None


async def add(store: EphemeralStore, racer: int) -> bool:
    return await store.add("prize", b"%d" % racer, MINUTE)


async def swap(store: EphemeralStore, racer: int) -> bool:
    return await store.swap("prize", b"prize", b"%d" % racer, MINUTE)


async def increment(store: EphemeralStore, racer: int) -> int:
    return await store.increment("count", 1, MINUTE)


async def charge(store: EphemeralStore, racer: int) -> bool:
    return await store.charge([Charge(PER_ADDRESS, "here"), Charge(PER_IDENTIFIER, "someone")]) is None


async def charge_and_refund(store: EphemeralStore, racer: int) -> bool:
    charges = [Charge(PER_IDENTIFIER, "someone")]
    admitted = await store.charge(charges) is None
    if admitted:
        await store.refund(charges)
    return admitted


async def identify(store: EphemeralStore, racer: int) -> str:
    return await store.identity()


async def race(store: EphemeralStore, ask: Ask, first: int = 0) -> list[Any]:
    """Ask 60 times in parallel in this process and return every answer."""
    return await asyncio.gather(*(ask(store, first + number) for number in range(TASKS)))


_barrier: Barrier


def _remember(barrier: Barrier) -> None:
    global _barrier  # noqa: PLW0603 - a barrier reaches a spawned process only through its initialiser
    _barrier = barrier


def _race_here(url: str, ask: Ask, process: int) -> list[Any]:
    async def run() -> list[Any]:
        store = open_store(url, now=lambda: datetime.now(UTC))
        _barrier.wait(timeout=60)
        try:
            return await race(store, ask, first=process * TASKS)
        finally:
            await store.close()

    return asyncio.run(run())


def racing_processes() -> AbstractContextManager[Executor]:
    """Return a pool of spawned processes: workers as a server has them, with nothing inherited."""
    context = get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    return ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_remember, initargs=(barrier,))


def race_everywhere(pool: Executor, url: str, ask: Ask) -> list[Any]:
    """Ask 60 times in parallel in each of four processes and return all 240 answers."""
    runs: list[Future[list[Any]]] = [pool.submit(_race_here, url, ask, process) for process in range(PROCESSES)]
    return [answer for run in runs for answer in run.result(timeout=60)]
