"""What one racing process does: open the store itself, wait at the barrier, then ask 60 times at once."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.stores.racing import in_every_process, wait_for_the_others
from watchword.ephemeral import Charge, EphemeralStore, Limit, open_store

TASKS = 60
MINUTE = timedelta(minutes=1)
PER_IDENTIFIER = Limit.at_most("identifier", 100, timedelta(days=1))  # 50 at once; none drains while a test lasts
PER_ADDRESS = Limit.at_most("address", 1000, timedelta(days=1))  # 500 at once
SOMEONE = Charge((PER_IDENTIFIER,), "someone")
HERE = Charge((PER_ADDRESS,), "here")

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
    return await store.charge([HERE, SOMEONE]) is None


async def charge_and_refund(store: EphemeralStore, racer: int) -> bool:
    admitted = await store.charge([SOMEONE]) is None
    if admitted:
        await store.refund([SOMEONE])
    return admitted


async def identify(store: EphemeralStore, racer: int) -> str:
    return await store.identity()


async def race(store: EphemeralStore, ask: Ask, first: int = 0) -> list[Any]:
    """Ask 60 times in parallel in this process and return every answer."""
    return await asyncio.gather(*(ask(store, first + number) for number in range(TASKS)))


def _race_here(url: str, ask: Ask, process: int) -> list[Any]:
    async def run() -> list[Any]:
        store = open_store(url, now=lambda: datetime.now(UTC))
        wait_for_the_others()
        try:
            return await race(store, ask, first=process * TASKS)
        finally:
            await store.close()

    return asyncio.run(run())


def race_everywhere(pool: Executor, url: str, ask: Ask) -> list[Any]:
    """Ask 60 times in parallel in each of four processes and return all 240 answers."""
    return in_every_process(pool, _race_here, url, ask)
