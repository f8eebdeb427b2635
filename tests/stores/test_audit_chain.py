"""The audit chain: what is changed, removed, added, swapped or cut off is found, whoever did it to the database."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.stores.audit_rows import (
    KEYS,
    begin_trail,
    events,
    problems,
    report_of,
    seals,
    tamper,
    write,
    write_sealed,
)
from watchword.clock import Clock
from watchword.database import Database, Statement, Trail, open_database
from watchword.database.chain import SealHash, floor_mac
from watchword.events import sealing, verification
from watchword.events.sealing import seal_waiting
from watchword.events.verification import verify
from watchword.keys.keyring import SecretKeys

INSERT = """INSERT INTO audit_event
    (name, at, account_id, client_id, session_id, request_id, address, detail, mac_kid, mac, seal)
    VALUES ('session.ended', 1, NULL, NULL, NULL, '-', '', '{}', :mac_kid, :mac, :seal)"""


@pytest.fixture(autouse=True)
async def trail(database: Database, clock: Clock, url: str) -> None:
    begin_trail(database, clock)
    if url.startswith("postgresql"):  # the tests count events from 1
        await database.one(Statement("SELECT setval('audit_event_id_seq', 1, false)"))


async def test_an_untouched_trail_is_whole(database: Database) -> None:
    await write_sealed(database, 1, 7, 3)
    await write(database, 2)
    report = await report_of(database)
    assert (report.problems, report.events, report.seals, report.unsealed) == ([], 11, 3, 2)
    assert (report.head_number, report.head) == (3, (await seals(database))[-1]["hash"].hex())


async def test_an_empty_trail_is_whole(database: Database) -> None:
    assert await seal_waiting(database, KEYS) == 0
    assert await problems(database) == []


async def test_an_event_is_marked_from_the_moment_it_is_written(database: Database) -> None:
    await write(database, 2)
    for event in await events(database):
        assert (event["mac_kid"], len(event["mac"]), event["seal"]) == ("new", 32, None)


async def test_a_batch_is_sealed_by_four_statements_however_many_events_it_has(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_sealed(database, 1)
    await write(database, 400)
    before = database.statements
    assert await seal_waiting(database, KEYS) == 400
    assert database.statements - before == 4  # is there anything, the head, the events, the seal
    monkeypatch.setattr(sealing, "MOST_EVENTS", 10)
    await write(database, 25)
    assert await seal_waiting(database, KEYS) == 25
    assert [seal["events"] for seal in await seals(database)] == [1, 400, 10, 10, 5]
    assert await problems(database) == []


CHANGES = [
    "name = 'session.created'",
    "at = at + 1",
    "account_id = '00000000-0000-0000-0000-000000000009'",
    "account_id = NULL",
    "client_id = ''",
    "session_id = ''",
    "request_id = ''",
    "address = '::2'",
    "detail = REPLACE(detail, '1', '2')",
    "mac_kid = 'old'",
    "mac_kid = 'unknown'",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_event_is_found(database: Database, change: str) -> None:
    await write_sealed(database, 2, 4, 2)
    await tamper(database, f"UPDATE audit_event SET {change} WHERE id = 4")
    assert await problems(database) == [("changed", 2, 4)]


async def test_a_changed_mac_is_found(database: Database) -> None:
    await write_sealed(database, 2, 4)
    await tamper(database, "UPDATE audit_event SET mac = :mac WHERE id = 4", mac=b"")
    assert await problems(database) == [("changed", 2, 4)]


async def test_a_changed_event_is_found_before_it_is_sealed_and_after(database: Database) -> None:
    await write(database, 3)
    await tamper(database, "UPDATE audit_event SET address = '::2' WHERE id = 2")
    assert await problems(database) == [("changed", None, 2)]
    await seal_waiting(database, KEYS)
    assert await problems(database) == [("changed", 1, 2)]


@pytest.mark.parametrize("gone", [3, 4, 6])
async def test_a_removed_event_is_found(database: Database, gone: int) -> None:
    await write_sealed(database, 2, 4, 2)
    await tamper(database, "DELETE FROM audit_event WHERE id = :id", id=gone)
    assert await problems(database) == [("removed", 2, None)]
    (problem,) = (await report_of(database)).problems
    assert problem.text == "seal 2 was made over 4 events and there are 3"


async def test_an_event_that_somebody_wrote_into_the_table_is_found(database: Database) -> None:
    await write_sealed(database, 2)
    await tamper(database, INSERT, mac_kid="new", mac=b"x" * 32, seal=None)
    assert await problems(database) == [("changed", None, 3)]
    await seal_waiting(database, KEYS)
    assert await problems(database) == [("changed", 2, 3)]


async def test_an_event_added_to_a_seal_is_found(database: Database) -> None:
    await write_sealed(database, 2, 2)
    await tamper(database, INSERT, mac_kid="new", mac=b"x" * 32, seal=1)
    assert await problems(database) == [("changed", 1, 5), ("inserted", 1, None)]


async def test_a_genuine_event_written_once_more_is_found(database: Database) -> None:
    await write_sealed(database, 2, 2)
    columns = "name, at, account_id, client_id, session_id, request_id, address, detail, mac_kid, mac, seal"
    await tamper(database, f"INSERT INTO audit_event ({columns}) SELECT {columns} FROM audit_event WHERE id = 1")
    assert await problems(database) == [("inserted", 1, None)]


async def test_a_genuine_event_written_once_more_later_is_found(database: Database, clock: Clock) -> None:
    """Its MAC is right, and the next seal covers it: what tells is that it happened long before that seal."""
    await write_sealed(database, 2, 2)
    clock.offset = timedelta(minutes=6)
    columns = "name, at, account_id, client_id, session_id, request_id, address, detail, mac_kid, mac"
    await write_sealed(database, 1)
    await tamper(database, f"INSERT INTO audit_event ({columns}) SELECT {columns} FROM audit_event WHERE id = 1")
    await seal_waiting(database, KEYS)
    ((kind, seal, _),) = await problems(database)
    assert (kind, seal) == ("repeated", 4)


async def test_events_that_waited_long_for_their_seal_are_no_problem(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sealing, verification):
        monkeypatch.setattr(module, "MOST_EVENTS", 3)
    await write_sealed(database, 1)
    await write(database, 8)
    clock.offset = timedelta(days=3)  # nobody kept house
    assert await seal_waiting(database, KEYS) == 8
    assert await problems(database) == []


@pytest.mark.parametrize("seal", [-5, 3, 70])
async def test_an_event_outside_the_chain_is_found(database: Database, seal: int) -> None:
    await write_sealed(database, 2, 2)
    await tamper(database, INSERT, mac_kid="new", mac=b"x" * 32, seal=seal)
    assert await problems(database) == [("inserted", seal, None)]


async def test_an_event_that_claims_to_be_older_than_the_chain_is_found(database: Database) -> None:
    await write_sealed(database, 2)
    await tamper(database, INSERT, mac_kid="", mac=b"", seal=0)
    assert await problems(database) == [("inserted", 0, None)]


async def test_events_from_before_the_chain_are_counted_apart(database: Database) -> None:
    for _ in range(3):
        await tamper(database, INSERT, mac_kid="", mac=b"", seal=0)
    await write_sealed(database, 2)
    report = await report_of(database)
    assert (report.problems, report.unmarked, report.events) == ([], 3, 2)


SWAPPED = ("name", "at", "account_id", "client_id", "session_id", "request_id", "address", "detail", "mac_kid", "mac")


@pytest.mark.parametrize(("pair", "found"), [((3, 5), {2}), ((2, 5), {1, 2})])
async def test_two_events_that_changed_places_are_found(
    database: Database, pair: tuple[int, int], found: set[int]
) -> None:
    await write_sealed(database, 2, 4, 2)
    one, other = ({name: row[name] for name in SWAPPED} for row in await events(database) if row["id"] in pair)
    columns = ", ".join(f"{name} = :{name}" for name in SWAPPED)
    for row_id, row in zip(pair, (other, one), strict=True):
        await tamper(database, f"UPDATE audit_event SET {columns} WHERE id = :id", id=row_id, **row)
    assert {(kind, seal) for kind, seal, _ in await problems(database)} == {("swapped", seal) for seal in found}


async def test_events_exchanged_between_seals_are_found(database: Database) -> None:
    await write_sealed(database, 2, 2)
    await tamper(database, "UPDATE audit_event SET seal = 3 - seal WHERE id IN (2, 3)")
    assert {kind for kind, _, _ in await problems(database)} == {"swapped"}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("events = 3", [("removed", 2)]),
        ("previous = hash", [("broken_link", 2), ("swapped", 2)]),
        ("hash = previous", [("swapped", 2), ("broken_link", 3)]),
        ("sealed_at = sealed_at + 1", [("swapped", 2)]),
        ("mac_kid = 'old'", [("swapped", 2)]),
        ("mac_kid = 'unknown'", [("swapped", 2)]),
        ("number = 9", [("missing_seal", 2), ("missing_seal", 2), ("missing_seal", 4), ("removed", 9)]),
    ],
)
async def test_an_altered_seal_is_found(database: Database, change: str, found: list[Any]) -> None:
    await write_sealed(database, 2, 2, 2)
    await tamper(database, f"UPDATE audit_seal SET {change} WHERE number = 2")
    assert sorted((kind, seal) for kind, seal, _ in await problems(database)) == sorted(found)


async def test_a_seal_made_under_a_key_that_nobody_has_is_found(database: Database) -> None:
    """An unknown key is no key: without one anybody could make the same hash."""
    await write_sealed(database, 2, 2)
    await tamper(database, "DELETE FROM audit_event WHERE id = 4")
    (_, seal), (kept,) = await seals(database), [row for row in await events(database) if row["seal"] == 2]
    forged = SealHash(b"", number=2, sealed_at=seal["sealed_at"], previous=seal["previous"])
    forged.add(kept["id"], kept["mac"])
    change = "UPDATE audit_seal SET events = 1, hash = :hash, mac_kid = 'unknown' WHERE number = 2"
    await tamper(database, change, hash=forged.digest())
    assert await problems(database) == [("swapped", 2, None)]


async def test_a_floor_laid_under_a_key_that_nobody_has_is_found(database: Database) -> None:
    await write_sealed(database, 2, 2)
    previous = (await seals(database))[0]["hash"]
    await tamper(database, "DELETE FROM audit_event WHERE seal = 1")
    await tamper(database, "DELETE FROM audit_seal WHERE number = 1")
    change = "UPDATE audit_floor SET number = 1, hash = :hash, mac_kid = 'unknown', mac = :mac"
    await tamper(database, change, hash=previous, mac=floor_mac(b"", number=1, previous=previous, unmarked=0))
    assert await problems(database) == [("floor", None, None)]


async def test_a_seal_removed_with_its_events_is_found(database: Database) -> None:
    await write_sealed(database, 2, 2, 2)
    await tamper(database, "DELETE FROM audit_event WHERE seal = 2")
    await tamper(database, "DELETE FROM audit_seal WHERE number = 2")
    assert await problems(database) == [("missing_seal", 2, None)]


async def test_a_beginning_that_was_cut_off_is_found(database: Database) -> None:
    await write_sealed(database, 2, 2, 2)
    await tamper(database, "DELETE FROM audit_event WHERE seal = 1")
    await tamper(database, "DELETE FROM audit_seal WHERE number = 1")
    assert await problems(database) == [("missing_seal", 1, None)]
    head = (await seals(database))[0]
    await tamper(database, "UPDATE audit_floor SET number = 1, hash = :hash", hash=head["previous"])
    assert await problems(database) == [("floor", None, None)]
    await tamper(database, "DELETE FROM audit_floor")
    assert ("floor", None, None) in await problems(database)


async def test_an_end_that_was_cut_off_shows_against_a_checkpoint(database: Database) -> None:
    await write_sealed(database, 2, 2, 2)
    heads = [seal["hash"] for seal in await seals(database)]
    assert await problems(database, expected_head=heads[-1]) == []
    assert await problems(database, expected_head=heads[0]) == []  # an older checkpoint still stands
    await tamper(database, "DELETE FROM audit_event WHERE seal >= 2")
    await tamper(database, "DELETE FROM audit_seal WHERE number >= 2")
    assert await problems(database) == []
    assert await problems(database, expected_head=heads[-1]) == [("cut", None, None)]
    await write_sealed(database, 2, 2)  # what is written afterwards does not hide it
    assert await problems(database, expected_head=heads[-1]) == [("cut", None, None)]


async def test_an_end_that_was_sealed_anew_shows_against_a_checkpoint(database: Database) -> None:
    """The sealing worker takes what is there: without a checkpoint kept elsewhere nobody could tell."""
    await write_sealed(database, 2, 2, 2)
    head = (await seals(database))[-1]["hash"]
    await tamper(database, "DELETE FROM audit_event WHERE id = 3")
    await tamper(database, "UPDATE audit_event SET seal = NULL WHERE seal >= 2")
    await tamper(database, "DELETE FROM audit_seal WHERE number >= 2")
    assert await seal_waiting(database, KEYS) == 3
    assert await problems(database) == []
    assert await problems(database, expected_head=head) == [("cut", None, None)]


async def test_seals_cut_off_without_their_events_are_found(database: Database) -> None:
    await write_sealed(database, 2, 2)
    await tamper(database, "DELETE FROM audit_seal WHERE number = 2")
    assert await problems(database) == [("inserted", 2, None)]


async def test_a_trail_longer_than_a_batch_is_read_in_batches(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "_BATCH", 3)
    await write_sealed(database, 2, 5, 1, 4, 7)
    await write(database, 7)
    report = await report_of(database)
    assert (report.problems, report.events, report.seals, report.unsealed) == ([], 19, 5, 7)
    await tamper(database, "DELETE FROM audit_event WHERE id = 12")
    assert await problems(database) == [("removed", 4, None)]


async def test_hundreds_of_problems_are_counted_and_a_hundred_told(database: Database) -> None:
    await write_sealed(database, 150)
    await tamper(database, "UPDATE audit_event SET address = 'elsewhere'")
    report = await report_of(database)
    assert (report.problem_count, len(report.problems)) == (150, 100)
    assert (report.problems[0].event, report.problems[-1].event) == (1, 100)


async def test_a_chain_goes_on_under_a_new_key_and_still_verifies(database: Database, clock: Clock) -> None:
    old = SecretKeys("old", KEYS.by_kid)
    database.trail = Trail(old.current, old.secret, clock.microseconds)
    await write(database, 2)
    await seal_waiting(database, old)
    begin_trail(database, clock)
    await write_sealed(database, 2)
    assert {event["mac_kid"] for event in await events(database)} == {"old", "new"}
    assert await problems(database) == []
    forgers = SecretKeys("new", {"new": b"x" * 32})
    assert (await verify(database, forgers)).problem_count > 4


async def test_two_workers_that_seal_at_once_seal_each_event_once(database: Database, url: str, clock: Clock) -> None:
    """The election keeps them apart; where it does not, the number of the seal does."""
    others = [open_database(url, clock) for _ in range(4)]
    for other in others:
        begin_trail(other, clock)
    try:
        for _ in range(5):
            await write(database, 20)
            await asyncio.gather(*(seal_waiting(other, KEYS) for other in others))
    finally:
        for other in others:
            await other.close()
    assert await seal_waiting(database, KEYS) == 0
    report = await report_of(database)
    assert (report.problems, report.events) == ([], 100)
