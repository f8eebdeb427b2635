"""Lanes of the outbox: a host that hangs holds up its own jobs and nobody else's."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from watchword.clock import Clock
from watchword.database import Database, Statement, store
from watchword.database.outbox import due_lanes, lease
from watchword.outbox import (
    LEASE,
    MOST_AT_ONCE,
    MOST_IN_A_LANE,
    MOST_IN_LANES,
    Lease,
    Outbox,
    enqueue,
    enqueue_in_lane,
)

_LEASED = Statement("SELECT lane, count(*) AS jobs FROM outbox WHERE lease IS NOT NULL GROUP BY lane")
_LEFT = Statement("SELECT count(*) AS jobs FROM outbox")


class Hosts:
    """Runs jobs: those of a host that is closed wait until it opens."""

    def __init__(self) -> None:
        self.running: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.changed = asyncio.Condition()
        self.opened = asyncio.Event()

    async def run(self, payload: dict[str, Any], held: Lease) -> None:
        host = held.job.lane
        await self._note(host, 1)
        if payload.get("closed"):
            await self.opened.wait()
        await self._note(host, -1)

    async def _note(self, host: str, more: int) -> None:
        async with self.changed:
            self.running[host] += more
            self.most[host] = max(self.most[host], self.running[host])
            self.most["all"] = max(self.most["all"], sum(self.running.values()))
            self.done[host] += more < 0
            self.changed.notify_all()

    async def wait(self, seen: Any) -> None:
        async with self.changed, asyncio.timeout(10):
            await self.changed.wait_for(seen)


@pytest.fixture
def hosts() -> Hosts:
    return Hosts()


@pytest.fixture
async def worker(database: Database, hosts: Hosts) -> AsyncIterator[Outbox]:
    worker = Outbox(database)
    yield worker
    hosts.opened.set()
    await worker.stop()


async def order(database: Database, lane: str, count: int, **payload: Any) -> None:
    async def work(transaction: Any) -> None:
        for _ in range(count):
            if lane:
                await enqueue_in_lane(transaction, "tell", payload, lane=lane)
            else:
                await enqueue(transaction, "tell", payload)

    await database.transaction(work)


async def left(database: Database) -> int:
    row = await database.one(_LEFT)
    assert row is not None
    return int(row["jobs"])


async def test_a_closed_host_holds_up_neither_other_hosts_nor_jobs_without_a_lane(
    database: Database, worker: Outbox, hosts: Hosts
) -> None:
    await order(database, "a.example", 2 * MOST_AT_ONCE, closed=True)
    worker.start({"tell": hosts.run})
    await hosts.wait(lambda: hosts.running["a.example"] == MOST_IN_A_LANE)
    await order(database, "b.example", 5)
    await order(database, "", 5)
    worker.wake()
    await hosts.wait(lambda: hosts.done["b.example"] == hosts.done[""] == 5)
    leased = {row["lane"]: row["jobs"] for row in await database.all(_LEASED)}
    assert leased["a.example"] == MOST_IN_A_LANE  # the others are not leased, so that they cannot run out
    assert worker.hold() is not None
    hosts.opened.set()
    await hosts.wait(lambda: hosts.done["a.example"] == 2 * MOST_AT_ONCE)
    assert hosts.most["a.example"] == MOST_IN_A_LANE
    await worker.stop()
    assert await left(database) == 0


async def test_many_closed_hosts_take_so_many_places_and_no_more(
    database: Database, worker: Outbox, hosts: Hosts
) -> None:
    for number in range(MOST_IN_LANES):
        await order(database, f"{number}.example", MOST_IN_A_LANE, closed=True)
    worker.start({"tell": hosts.run})
    await hosts.wait(lambda: sum(hosts.running.values()) == MOST_IN_LANES)
    await order(database, "", MOST_AT_ONCE)
    worker.wake()
    await hosts.wait(lambda: hosts.done[""] == MOST_AT_ONCE)
    hosts.opened.set()
    await hosts.wait(lambda: sum(hosts.done.values()) == MOST_AT_ONCE + MOST_IN_LANES * MOST_IN_A_LANE)
    assert hosts.most["all"] <= MOST_IN_LANES + MOST_AT_ONCE
    await worker.stop()
    assert await left(database) == 0


async def test_jobs_without_a_lane_that_wait_hold_up_no_host(database: Database, worker: Outbox, hosts: Hosts) -> None:
    await order(database, "", MOST_AT_ONCE + 1, closed=True)
    worker.start({"tell": hosts.run})
    await hosts.wait(lambda: hosts.running[""] == MOST_AT_ONCE)
    await order(database, "a.example", 3)
    worker.wake()
    await hosts.wait(lambda: hosts.done["a.example"] == 3)


async def test_what_waits_for_strangers_never_stops_the_sending_of_codes(database: Database) -> None:
    async def is_full() -> bool:
        return (await store.condition(database, most_undelivered=3)).outbox_full

    await database.transaction(store.prepare)
    await order(database, "a.example", 10)
    assert not await is_full()
    await order(database, "", 3)
    assert not await is_full()
    await order(database, "", 1)
    assert await is_full()


async def test_lanes_are_due_by_their_own_jobs_however_many_wait_elsewhere(database: Database, clock: Clock) -> None:
    assert await due_lanes(database) == []
    for lane, count in (("b.example", 3), ("a.example", 1), ("", 1), ("c.example", 1)):
        await order(database, lane, count)
    assert sorted(await due_lanes(database)) == ["", "a.example", "b.example", "c.example"]
    for lane in ("", "b.example", "c.example"):
        await database.transaction(
            lambda transaction, lane=lane: lease(transaction, lease="x", term=LEASE, most=2, lane=lane)  # type: ignore[misc]
        )
    assert sorted(await due_lanes(database)) == ["a.example", "b.example"]
    clock.offset = LEASE + timedelta(seconds=1)
    assert sorted(await due_lanes(database)) == ["", "a.example", "b.example", "c.example"]
