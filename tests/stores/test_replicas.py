"""Which ephemeral store goes with a database: the one that live workers agree on."""

import asyncio
from datetime import timedelta

from watchword.clock import Clock
from watchword.database import Database, open_database, replicas, store
from watchword.database.replicas import ALIVE


async def join(database: Database, replica: str, ephemeral_id: str) -> bool:
    return await database.transaction(lambda transaction: replicas.join(transaction, replica, ephemeral_id))


async def beat(database: Database, replica: str, ephemeral_id: str) -> None:
    await database.transaction(lambda transaction: replicas.beat(transaction, replica, ephemeral_id))


async def pair_again(database: Database, ephemeral_id: str) -> bool:
    return await database.transaction(lambda transaction: replicas.pair_again(transaction, ephemeral_id))


async def paired_with(database: Database) -> str | None:
    row = await store.find(database)
    assert row is not None
    return row.ephemeral_id


async def test_the_first_worker_pairs_the_stores_and_those_of_the_same_one_join(database: Database) -> None:
    await database.transaction(store.prepare)
    assert await join(database, "one", "A")
    assert await join(database, "two", "A")
    assert await paired_with(database) == "A"


async def test_a_worker_with_another_store_does_not_pair_while_one_lives(database: Database, clock: Clock) -> None:
    await database.transaction(store.prepare)
    assert await join(database, "one", "A")
    assert not await join(database, "two", "B")
    assert await paired_with(database) == "A"
    await database.transaction(lambda transaction: replicas.leave(transaction, "one"))
    assert await pair_again(database, "B")
    assert await paired_with(database) == "B"


async def test_a_worker_that_was_killed_stands_in_the_way_for_fifteen_seconds(database: Database, clock: Clock) -> None:
    await database.transaction(store.prepare)
    assert await join(database, "one", "A")
    clock.offset = ALIVE - timedelta(seconds=1)
    assert not await join(database, "two", "B")
    clock.offset = ALIVE + timedelta(seconds=1)
    assert await join(database, "three", "B") is True
    assert await paired_with(database) == "B"


async def test_an_emptied_store_is_paired_again_once_every_live_worker_sees_it(database: Database) -> None:
    await database.transaction(store.prepare)
    for replica in ("one", "two"):
        assert await join(database, replica, "A")
    await beat(database, "one", "B")
    assert not await pair_again(database, "B")
    assert await paired_with(database) == "A"
    await beat(database, "two", "B")
    assert await pair_again(database, "B")
    assert await paired_with(database) == "B"


async def test_of_60_workers_that_join_at_once_with_60_stores_one_pairs(
    database: Database, url: str, clock: Clock
) -> None:
    await database.transaction(store.prepare)
    others = [open_database(url, clock) for _ in range(6)]
    try:
        answers = await asyncio.gather(*(join(others[turn % 6], f"r{turn}", f"store {turn}") for turn in range(60)))
    finally:
        for other in others:
            await other.close()
    assert sum(answers) == 1
    assert await paired_with(database) == f"store {answers.index(True)}"
