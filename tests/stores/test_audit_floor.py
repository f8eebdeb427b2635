"""The oldest part of the audit chain goes for its age, whole seals at a time, and what is left still verifies."""

import asyncio
from datetime import timedelta

import pytest

from tests.stores.audit_rows import KEYS, begin_trail, events, problems, report_of, seals, tamper, write_sealed
from watchword.clock import Clock
from watchword.database import Database, open_database
from watchword.events import sealing
from watchword.events.sealing import forget_old

YEAR = timedelta(days=365)


@pytest.fixture(autouse=True)
async def trail(database: Database, clock: Clock) -> None:
    begin_trail(database, clock)


async def test_the_oldest_seals_are_deleted_and_the_chain_still_verifies(database: Database, clock: Clock) -> None:
    await write_sealed(database, 3, 2)
    clock.offset = YEAR - timedelta(days=1)
    begin_trail(database, clock)
    await write_sealed(database, 4)
    assert await forget_old(database, KEYS, kept=YEAR) == 0
    clock.offset = YEAR + timedelta(days=1)
    assert await forget_old(database, KEYS, kept=YEAR) == 5
    assert await forget_old(database, KEYS, kept=YEAR) == 0
    report = await report_of(database)
    assert (report.problems, report.events, report.seals) == ([], 4, 1)
    await tamper(database, "DELETE FROM audit_event WHERE seal = 3")
    await tamper(database, "DELETE FROM audit_seal WHERE number = 3")
    assert await problems(database) == []  # as after a cut tail: only a checkpoint tells
    await write_sealed(database, 1)
    assert [seal["number"] for seal in await seals(database)] == [3]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_seal SET sealed_at = 1 WHERE number <= 2",
        "UPDATE audit_seal SET sealed_at = 1, mac_kid = 'unknown' WHERE number <= 2",
        "UPDATE audit_floor SET number = 1",
        "DELETE FROM audit_event WHERE id IN (SELECT MIN(id) FROM audit_event)",
    ],
)
async def test_nobody_has_the_provider_delete_what_it_did_not_write(
    database: Database, clock: Clock, change: str
) -> None:
    """Or else whoever can write into the database has events deleted, and their absence signed."""
    await write_sealed(database, 2, 2, 1)
    clock.offset = timedelta() if "sealed_at" in change else 2 * YEAR
    await tamper(database, change)
    found = await problems(database)
    assert found
    assert await forget_old(database, KEYS, kept=YEAR) == 0
    assert await problems(database) == found


async def test_two_workers_that_delete_at_once_leave_a_chain_that_verifies(
    database: Database, url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "_MOST_SEALS", 4)
    others = [open_database(url, clock) for _ in range(4)]
    try:
        await write_sealed(database, *[1] * 20)
        clock.offset = 2 * YEAR
        await asyncio.gather(*(forget_old(other, KEYS, kept=YEAR) for other in others))
    finally:
        for other in others:
            await other.close()
    assert await problems(database) == []
    while await forget_old(database, KEYS, kept=YEAR):
        pass
    assert await events(database) == []


async def test_a_seal_put_back_from_before_the_beginning_is_found(database: Database, clock: Clock) -> None:
    await write_sealed(database, 1, 1)
    (oldest, _) = await seals(database)
    clock.offset = 2 * YEAR
    begin_trail(database, clock)
    await write_sealed(database, 1)
    assert await forget_old(database, KEYS, kept=YEAR) == 2
    columns = ", ".join(oldest)
    values = ", ".join(f":{name}" for name in oldest)
    await tamper(database, f"INSERT INTO audit_seal ({columns}) VALUES ({values})", **oldest)
    assert await problems(database) == [("inserted", None, None)]


async def test_when_everything_is_deleted_for_its_age_the_chain_goes_on(database: Database, clock: Clock) -> None:
    await write_sealed(database, 3, 2)
    head = (await seals(database))[-1]["hash"]
    clock.offset = 2 * YEAR
    assert await forget_old(database, KEYS, kept=YEAR) == 5
    assert await events(database) == await seals(database) == []
    await write_sealed(database, 2)
    assert (await seals(database))[0]["previous"] == head
    assert await problems(database, expected_head=head) == []


async def test_old_events_are_deleted_a_batch_at_a_time(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "MOST_EVENTS", 5)
    await write_sealed(database, 5, 5, 2)
    clock.offset = 2 * YEAR
    assert [await forget_old(database, KEYS, kept=YEAR) for _ in range(4)] == [5, 5, 2, 0]
