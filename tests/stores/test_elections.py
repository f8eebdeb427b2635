"""One elected worker: two never hold a duty at once by the store's clock, and a dead one is followed within seconds."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from watchword.clock import Clock
from watchword.database import Database, Transaction, elections, open_database

TERM = timedelta(seconds=3)


@pytest.fixture
async def workers(url: str, clock: Clock, database: Database) -> AsyncIterator[list[Database]]:
    """Stores of several workers; the rows are made by `database`."""
    opened = [open_database(url, clock) for _ in range(6)]
    yield opened
    for each in opened:
        await each.close()


async def hold(database: Database, holder: str) -> bool:
    async def work(transaction: Transaction) -> bool:
        return await elections.hold(transaction, "house", holder, term=TERM)

    return await database.transaction(work)


async def test_one_of_many_that_stand_at_once_is_elected(workers: list[Database]) -> None:
    answers = await asyncio.gather(*(hold(workers[turn % 6], f"worker {turn}") for turn in range(60)))
    assert sum(answers) == 1


async def test_who_is_elected_stays_so_by_saying_it_again(database: Database, clock: Clock) -> None:
    assert await hold(database, "one")
    for seconds in (2, 4, 6):
        clock.offset = timedelta(seconds=seconds)
        assert not await elections.is_vacant(database, "house", "other")
        assert not await hold(database, "other")
        assert await elections.is_vacant(database, "house", "one")
        assert await hold(database, "one")


async def test_a_dead_worker_is_followed_when_its_term_is_over(database: Database, clock: Clock) -> None:
    assert await hold(database, "one")
    clock.offset = TERM - timedelta(seconds=1)
    assert not await hold(database, "other")
    clock.offset = TERM + timedelta(milliseconds=10)
    assert await elections.is_vacant(database, "house", "other")
    assert await hold(database, "other")
    assert not await hold(database, "one")  # who was thought dead learns that it lost


async def test_a_worker_that_resigns_is_followed_at_once_and_nobody_resigns_for_another(database: Database) -> None:
    assert await hold(database, "one")
    await database.transaction(lambda transaction: elections.release(transaction, "house", "other"))
    assert not await hold(database, "other")
    await database.transaction(lambda transaction: elections.release(transaction, "house", "one"))
    assert await hold(database, "other")


async def test_duties_are_elected_apart(database: Database) -> None:
    assert await hold(database, "one")

    async def work(transaction: Transaction) -> bool:
        return await elections.hold(transaction, "garden", "other", term=TERM)

    assert await database.transaction(work)
