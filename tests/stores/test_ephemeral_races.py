"""Atomicity under contention: 60 tasks of one process on any store, and four processes on one that they share."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stores import ephemeral_racers as racers
from tests.stores.ephemeral_kinds import KINDS, url_of
from tests.stores.ephemeral_racers import (
    HERE,
    MINUTE,
    PER_ADDRESS,
    PER_IDENTIFIER,
    SOMEONE,
    TASKS,
    race,
    race_everywhere,
)
from tests.stores.racing import PROCESSES, racing_processes
from watchword.ephemeral import Charge, EphemeralStore, open_store

pytestmark = pytest.mark.races


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EphemeralStore]:
    store = open_store(url_of(request.param, tmp_path), now=lambda: datetime.now(UTC))
    yield store
    await store.close()


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with racing_processes() as pool:
        yield pool


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(request.param, tmp_path)


@pytest.fixture
async def shared(url: str) -> AsyncIterator[EphemeralStore]:
    store = open_store(url, now=lambda: datetime.now(UTC))
    yield store
    await store.close()


async def test_of_60_takes_one_wins(store: EphemeralStore) -> None:
    await store.put("prize", b"prize", MINUTE)
    assert sum(await race(store, racers.take)) == 1


async def test_of_60_adds_one_wins_and_is_what_stays(store: EphemeralStore) -> None:
    answers = await race(store, racers.add)
    assert sum(answers) == 1
    assert await store.get("prize") == b"%d" % answers.index(True)


async def test_of_60_swaps_from_one_value_one_wins_and_is_what_stays(store: EphemeralStore) -> None:
    await store.put("prize", b"prize", MINUTE)
    answers = await race(store, racers.swap)
    assert sum(answers) == 1
    assert await store.get("prize") == b"%d" % answers.index(True)


async def test_60_increments_give_60_different_counts(store: EphemeralStore) -> None:
    assert sorted(await race(store, racers.increment)) == list(range(1, TASKS + 1))


async def test_60_charges_admit_a_burst_and_the_refused_ones_cost_nothing(store: EphemeralStore) -> None:
    assert sum(await race(store, racers.charge)) == PER_IDENTIFIER.burst
    left = PER_ADDRESS.burst - PER_IDENTIFIER.burst
    assert await store.charge([Charge((PER_ADDRESS,), "here", cost=left)]) is None
    assert await store.charge([HERE]) is not None


async def test_of_240_takes_in_four_processes_one_wins(pool: Executor, url: str, shared: EphemeralStore) -> None:
    await shared.put("prize", b"prize", MINUTE)
    answers = race_everywhere(pool, url, racers.take)
    assert len(answers) == PROCESSES * TASKS
    assert sum(answers) == 1


async def test_of_240_adds_in_four_processes_one_wins(pool: Executor, url: str, shared: EphemeralStore) -> None:
    answers = race_everywhere(pool, url, racers.add)
    assert sum(answers) == 1
    assert await shared.get("prize") == b"%d" % answers.index(True)


async def test_of_240_swaps_in_four_processes_one_wins(pool: Executor, url: str, shared: EphemeralStore) -> None:
    await shared.put("prize", b"prize", MINUTE)
    answers = race_everywhere(pool, url, racers.swap)
    assert sum(answers) == 1
    assert await shared.get("prize") == b"%d" % answers.index(True)


def test_240_increments_in_four_processes_give_240_different_counts(pool: Executor, url: str) -> None:
    assert sorted(race_everywhere(pool, url, racers.increment)) == list(range(1, PROCESSES * TASKS + 1))


async def test_240_charges_in_four_processes_admit_a_burst_and_the_refused_ones_cost_nothing(
    pool: Executor, url: str, shared: EphemeralStore
) -> None:
    assert sum(race_everywhere(pool, url, racers.charge)) == PER_IDENTIFIER.burst
    left = PER_ADDRESS.burst - PER_IDENTIFIER.burst
    assert await shared.charge([Charge((PER_ADDRESS,), "here", cost=left)]) is None
    assert await shared.charge([HERE]) is not None


async def test_refunds_in_four_processes_give_back_exactly_what_was_charged(
    pool: Executor, url: str, shared: EphemeralStore
) -> None:
    assert any(race_everywhere(pool, url, racers.charge_and_refund))
    assert await shared.charge([Charge((PER_IDENTIFIER,), "someone", cost=PER_IDENTIFIER.burst)]) is None
    assert await shared.charge([SOMEONE]) is not None


def test_four_processes_that_open_an_empty_store_at_once_read_one_identity(pool: Executor, url: str) -> None:
    assert len(set(race_everywhere(pool, url, racers.identify))) == 1
