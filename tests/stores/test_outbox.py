"""The outbox: ordered in a transaction, done after it, at least once, by one worker at a time."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from watchword import outbox as outbox_module
from watchword.clock import Clock
from watchword.database import Database, Row, Statement, Transaction
from watchword.outbox import LEASE, MOST_AT_ONCE, MOST_ATTEMPTS, Abandon, Lease, Outbox, Retry, backoff, enqueue

_ROWS = Statement("SELECT kind, state, attempts, lease, problem, available_at, created_at FROM outbox ORDER BY id")
_ATTEMPTED = Statement("UPDATE outbox SET attempts = :attempts")
_ORDERED = Statement(
    """INSERT INTO outbox (kind, payload, state, attempts, created_at, available_at)
    VALUES ('noted', :text, 'dead', 0, :now, :now)"""
)

HANGING_WORKER = """
import asyncio, sys
from watchword.clock import Clock
from watchword.database import open_database
from watchword.outbox import Outbox

async def hang(payload, lease):
    print("in the middle", flush=True)
    await asyncio.Event().wait()

async def main():
    Outbox(open_database(sys.argv[1], Clock())).start({"note": hang})
    await asyncio.Event().wait()

asyncio.run(main())
"""


class Notebook:
    """Runs jobs as their payload says, and notes each run."""

    def __init__(self) -> None:
        self.runs: list[int] = []
        self.leases: list[Lease] = []
        self.noted = asyncio.Condition()
        self.gate = asyncio.Event()

    async def run(self, payload: dict[str, Any], lease: Lease) -> None:
        async with self.noted:
            self.runs.append(payload["number"])
            self.leases.append(lease)
            self.noted.notify_all()
        match payload.get("then"):
            case "retry":
                raise Retry("busy", after=timedelta(seconds=seconds) if (seconds := payload.get("after")) else None)
            case "abandon":
                raise Abandon("no such place")
            case "crash":
                raise ZeroDivisionError
            case "wait":
                await self.gate.wait()
            case _:
                pass

    async def has(self, *numbers: int) -> None:
        """Wait until these jobs ran, in any order."""
        async with self.noted, asyncio.timeout(10):
            await self.noted.wait_for(lambda: sorted(self.runs) == sorted(numbers))


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
async def worker(database: Database) -> AsyncIterator[Outbox]:
    """A worker that a test starts."""
    worker = Outbox(database)
    yield worker
    await worker.stop()


@pytest.fixture
async def asleep(worker: Outbox, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """A worker that looks for jobs once at its start and then only when it is woken."""
    monkeypatch.setattr(outbox_module, "SWEEP_SECONDS", 3600.0)
    return worker


async def order(database: Database, *payloads: dict[str, Any], kind: str = "note") -> None:
    async def work(transaction: Transaction) -> None:
        for payload in payloads:
            await enqueue(transaction, kind, payload)

    await database.transaction(work)


async def run_until(worker: Outbox, notebook: Notebook, *numbers: int) -> None:
    """Start a worker, wait until it has begun these jobs, stop it: what it began is written down by then."""
    worker.start({"note": notebook.run})
    await notebook.has(*numbers)
    await worker.stop()


async def sleeps(worker: Outbox) -> None:
    """Wait until a worker looked for jobs, found none, and waits to be woken."""
    async with asyncio.timeout(10):
        while not worker._woken._waiters:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.005)


async def rows(database: Database) -> list[dict[str, Any]]:
    return [dict(row) for row in await database.all(_ROWS)]


async def only_row(database: Database) -> Row:
    (row,) = await rows(database)
    return row


async def test_a_job_of_a_transaction_that_failed_was_never_ordered(database: Database) -> None:
    async def fail(transaction: Transaction) -> None:
        await enqueue(transaction, "note", {"number": 1})
        raise LookupError

    with pytest.raises(LookupError):
        await database.transaction(fail)
    assert await rows(database) == []


async def test_a_job_that_is_done_is_forgotten(database: Database, worker: Outbox, notebook: Notebook) -> None:
    await order(database, {"number": 1}, {"number": 2})
    await run_until(worker, notebook, 1, 2)
    assert await rows(database) == []


async def test_a_postponed_job_keeps_its_problem_and_runs_when_its_time_has_come(
    database: Database, worker: Outbox, notebook: Notebook, clock: Clock
) -> None:
    await order(database, {"number": 1, "then": "retry", "after": 600})
    await run_until(worker, notebook, 1)
    row = await only_row(database)
    assert (row["state"], row["attempts"], row["lease"], row["problem"]) == ("ready", 1, None, "busy")
    clock.offset = timedelta(seconds=590)
    await order(database, {"number": 2})
    await run_until(worker, notebook, 1, 2)
    clock.offset = timedelta(seconds=601)
    await run_until(worker, notebook, 1, 2, 1)
    assert (await only_row(database))["attempts"] == 2


async def test_a_retry_without_a_time_waits_longer_after_every_attempt(
    database: Database, worker: Outbox, notebook: Notebook, clock: Clock
) -> None:
    await order(database, {"number": 1, "then": "retry"})
    for attempt in range(1, 4):
        before = clock.microseconds()
        await run_until(worker, notebook, *[1] * attempt)
        pause = timedelta(microseconds=(await only_row(database))["available_at"] - before)
        assert 0.75 * 2 ** (attempt - 1) <= pause.total_seconds() < 1.25 * 2 ** (attempt - 1) + 5
        clock.offset += pause


def test_the_pause_between_attempts_doubles_from_a_second_to_five_minutes() -> None:
    for attempts, seconds in ((1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (60, 300)):
        pauses = [backoff(attempts).total_seconds() for _ in range(100)]
        assert seconds * 0.75 <= min(pauses) <= max(pauses) <= seconds * 1.25
        assert len(set(pauses)) > 1


@pytest.mark.parametrize(
    ("payload", "problem"),
    [({"number": 1, "then": "abandon"}, "no such place"), ({"number": 1, "then": "retry"}, "busy")],
)
async def test_a_job_that_cannot_be_done_is_kept_for_the_operator_and_run_no_more(
    database: Database, worker: Outbox, notebook: Notebook, clock: Clock, payload: dict[str, Any], problem: str
) -> None:
    await order(database, payload)
    await database.transaction(lambda transaction: transaction.execute(_ATTEMPTED, attempts=MOST_ATTEMPTS - 1))
    await run_until(worker, notebook, 1)
    row = await only_row(database)
    assert (row["state"], row["attempts"], row["problem"]) == ("dead", MOST_ATTEMPTS, problem)
    clock.offset = timedelta(days=30)
    await order(database, {"number": 2})
    await run_until(worker, notebook, 1, 2)
    assert (await only_row(database))["state"] == "dead"


async def test_a_job_nobody_knows_how_to_run_is_kept_for_the_operator(
    database: Database, worker: Outbox, notebook: Notebook
) -> None:
    await order(database, {"number": 1}, kind="unheard of")
    await order(database, {"number": 2})
    await run_until(worker, notebook, 2)
    row = await only_row(database)
    assert (row["kind"], row["state"], row["problem"]) == ("unheard of", "dead", "nothing runs jobs of kind unheard of")


async def test_a_job_whose_worker_died_in_every_attempt_is_not_tried_for_ever(
    database: Database, worker: Outbox, notebook: Notebook
) -> None:
    await order(database, {"number": 1})
    await database.transaction(lambda transaction: transaction.execute(_ATTEMPTED, attempts=MOST_ATTEMPTS))
    await order(database, {"number": 2})
    await run_until(worker, notebook, 2)
    row = await only_row(database)
    assert (row["state"], row["problem"]) == ("dead", "its worker stopped in the middle of every attempt")


async def test_a_job_that_crashes_is_tried_again_and_stops_no_other(
    database: Database, worker: Outbox, notebook: Notebook
) -> None:
    await order(database, {"number": 1, "then": "crash"}, {"number": 2}, {"number": 3})
    await run_until(worker, notebook, 1, 2, 3)
    row = await only_row(database)
    assert (row["state"], row["attempts"], row["problem"]) == ("ready", 1, "ZeroDivisionError")


async def test_a_job_that_takes_long_delays_no_other(database: Database, worker: Outbox, notebook: Notebook) -> None:
    await order(database, {"number": 1, "then": "wait"})
    worker.start({"note": notebook.run})
    await notebook.has(1)
    await order(database, {"number": 2})
    worker.wake()
    await notebook.has(1, 2)
    notebook.gate.set()
    await worker.stop()
    assert await rows(database) == []


async def test_no_more_jobs_are_leased_than_run(database: Database, worker: Outbox, notebook: Notebook) -> None:
    await order(database, *({"number": 1, "then": "wait"} for _ in range(MOST_AT_ONCE + 1)))
    worker.start({"note": notebook.run})
    await notebook.has(*[1] * MOST_AT_ONCE)
    assert sum(row["lease"] is not None for row in await rows(database)) == MOST_AT_ONCE
    notebook.gate.set()
    await notebook.has(*[1] * (MOST_AT_ONCE + 1))
    await worker.stop()
    assert await rows(database) == []


async def order_here(database: Database, worker: Outbox, payload: dict[str, Any]) -> None:
    """Order a job as a request does: to be run by this process, if it has a place for it."""
    hold = worker.hold()
    worker.run(await database.transaction(lambda transaction: enqueue(transaction, "note", payload, hold)), hold)


async def test_what_a_worker_orders_itself_is_leased_and_runs_at_once(
    database: Database, asleep: Outbox, notebook: Notebook
) -> None:
    asleep.start({"note": notebook.run})
    statements = database.statements
    await order_here(database, asleep, {"number": 1, "then": "wait"})
    await notebook.has(1)
    assert database.statements - statements <= 2  # the order, and what the worker looked for when it started
    row = await only_row(database)
    assert (row["state"], row["attempts"], row["available_at"] - row["created_at"]) == (
        "ready", 1, LEASE // timedelta(microseconds=1),
    )  # fmt: skip
    assert row["lease"] == notebook.leases[0].job.lease
    notebook.gate.set()
    await asleep.stop()
    assert await rows(database) == []


async def test_a_worker_that_did_not_start_holds_nothing(database: Database, worker: Outbox) -> None:
    assert worker.hold() is None
    await order_here(database, worker, {"number": 1})
    assert (await only_row(database))["lease"] is None


async def test_a_job_ordered_with_a_lease_is_another_workers_when_its_own_died(
    database: Database, worker: Outbox, notebook: Notebook, clock: Clock
) -> None:
    worker.start({"note": notebook.run})
    hold = worker.hold()
    await worker.stop()
    await database.transaction(lambda transaction: enqueue(transaction, "note", {"number": 1}, hold))
    other, others_notebook = Outbox(database), Notebook()
    await order(database, {"number": 2})
    await run_until(other, others_notebook, 2)  # and not the first one, whose lease is young
    clock.offset += LEASE
    await run_until(other, others_notebook, 1, 2)


async def test_many_orders_at_once_wait_for_a_place(database: Database, worker: Outbox, notebook: Notebook) -> None:
    worker.start({"note": notebook.run})
    ordered = 60
    async with asyncio.TaskGroup() as group:
        for _ in range(ordered):
            group.create_task(order_here(database, worker, {"number": 1, "then": "wait"}))
    await notebook.has(*[1] * MOST_AT_ONCE)
    assert worker.hold() is None
    notebook.gate.set()
    await notebook.has(*[1] * ordered)
    await worker.stop()
    assert await rows(database) == []


async def test_a_worker_that_stops_hands_back_what_waits_for_a_place(
    database: Database, asleep: Outbox, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(outbox_module, "GRACE", timedelta(milliseconds=10))
    asleep.start({"note": notebook.run})
    holds = [asleep.hold(), asleep.hold()]
    for number, hold in enumerate(holds):
        payload = {"number": number, "then": "wait"}
        job = await database.transaction(lambda transaction: enqueue(transaction, "note", payload, hold))  # noqa: B023
        asleep.run(job, hold)
    await notebook.has(0)
    await asleep.stop()
    assert notebook.runs == [0]
    left = [(row["state"], row["lease"], row["problem"]) for row in await rows(database)]
    assert left == [("ready", None, "interrupted")] * 2


async def test_a_worker_that_stops_hands_back_what_does_not_end(
    database: Database, worker: Outbox, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "GRACE", timedelta(milliseconds=10))
    await order(database, {"number": 1, "then": "wait"})
    await run_until(worker, notebook, 1)
    row = await only_row(database)
    assert (row["state"], row["lease"], row["problem"]) == ("ready", None, "interrupted")
    notebook.gate.set()
    await run_until(worker, notebook, 1, 1)
    assert await rows(database) == []


async def test_a_job_is_another_workers_only_when_its_lease_ran_out(
    database: Database, asleep: Outbox, notebook: Notebook, clock: Clock
) -> None:
    await order(database, {"number": 1, "then": "wait"})
    asleep.start({"note": notebook.run})
    await notebook.has(1)
    other, others_notebook = Outbox(database), Notebook()
    others_notebook.gate.set()
    clock.offset = LEASE - timedelta(seconds=10)
    await order(database, {"number": 2})
    await run_until(other, others_notebook, 2)
    clock.offset = LEASE + timedelta(seconds=1)
    await run_until(other, others_notebook, 2, 1)
    assert await rows(database) == []
    notebook.gate.set()


async def test_a_renewed_lease_runs_out_later(
    database: Database, asleep: Outbox, notebook: Notebook, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "YOUNG_SECONDS", 0.0)
    await order(database, {"number": 1, "then": "wait"})
    asleep.start({"note": notebook.run})
    await notebook.has(1)
    clock.offset = LEASE - timedelta(seconds=1)
    assert await notebook.leases[0].renew()
    clock.offset = 2 * LEASE - timedelta(seconds=10)
    other, others_notebook = Outbox(database), Notebook()
    await order(database, {"number": 2})
    await run_until(other, others_notebook, 2)
    notebook.gate.set()
    await asleep.stop()
    assert await rows(database) == []


async def test_a_young_lease_is_held_without_a_statement(
    database: Database, asleep: Outbox, notebook: Notebook
) -> None:
    await order(database, {"number": 1, "then": "wait"})
    asleep.start({"note": notebook.run})
    await notebook.has(1)
    before = database.statements
    assert await notebook.leases[0].renew()
    assert database.statements == before
    notebook.gate.set()


async def test_a_message_costs_one_lease_for_all_that_wait_and_one_end_each(
    database: Database, asleep: Outbox, notebook: Notebook
) -> None:
    asleep.start({"note": notebook.run})
    await sleeps(asleep)
    await order(database, *({"number": number} for number in range(3)))
    before = database.statements
    asleep.wake()
    await notebook.has(0, 1, 2)
    await asleep.stop()
    assert database.statements - before == 1 + 3 + 1  # one lease, three ends, and a look whether there is more


async def test_a_note_is_written_with_the_end_of_the_job_or_not_at_all(
    database: Database, worker: Outbox, notebook: Notebook
) -> None:
    async def run(payload: dict[str, Any], lease: Lease) -> None:
        lease.note(lambda transaction: transaction.insert(_ORDERED, text="{}"))
        if payload["number"] == 2:
            lease.note(lambda transaction: transaction.insert(_ORDERED, text=None))  # refused by the table
        await notebook.run(payload, lease)

    await order(database, {"number": 1}, {"number": 2})
    worker.start({"note": run})
    await notebook.has(1, 2)
    await worker.stop()
    found = [(row["kind"], row["attempts"]) for row in await rows(database)]
    assert sorted(found) == [("note", 1), ("noted", 0)]


async def test_a_job_whose_process_was_killed_in_the_middle_of_it_is_done_by_another(
    database: Database, url: str, worker: Outbox, notebook: Notebook, clock: Clock
) -> None:
    await order(database, {"number": 1})
    doomed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HANGING_WORKER, url, stdout=asyncio.subprocess.PIPE
    )
    assert doomed.stdout is not None
    assert await asyncio.wait_for(doomed.stdout.readline(), 30) == b"in the middle\n"
    doomed.kill()
    await doomed.wait()
    row = await only_row(database)
    assert (row["state"], row["attempts"]) == ("ready", 1)
    clock.offset = LEASE + timedelta(seconds=1)
    await run_until(worker, notebook, 1)
    assert await rows(database) == []


async def test_a_lease_that_another_worker_took_over_is_not_renewed_and_settles_nothing(
    database: Database, asleep: Outbox, notebook: Notebook, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "YOUNG_SECONDS", 0.0)
    await order(database, {"number": 1, "then": "wait"})
    asleep.start({"note": notebook.run})
    await notebook.has(1)
    clock.offset = LEASE + timedelta(seconds=1)
    other, others_notebook = Outbox(database), Notebook()
    other.start({"note": others_notebook.run})
    await others_notebook.has(1)
    assert not await notebook.leases[0].renew()
    notebook.gate.set()
    await asleep.stop()
    assert (await only_row(database))["attempts"] == 2  # the first worker ended, but the job is the second one's
    others_notebook.gate.set()
    await other.stop()
    assert await rows(database) == []


async def test_the_last_attempt_knows_that_it_is_the_last(
    database: Database, worker: Outbox, notebook: Notebook
) -> None:
    await order(database, {"number": 1})
    await database.transaction(lambda transaction: transaction.execute(_ATTEMPTED, attempts=MOST_ATTEMPTS - 1))
    await order(database, {"number": 2})
    await run_until(worker, notebook, 1, 2)
    assert {lease.job.payload["number"]: lease.last_attempt for lease in notebook.leases} == {1: True, 2: False}


async def test_a_worker_that_is_woken_does_not_wait_for_its_sweep(
    database: Database, asleep: Outbox, notebook: Notebook
) -> None:
    await order(database, {"number": 1})
    asleep.start({"note": notebook.run})
    await notebook.has(1)
    await order(database, {"number": 2})
    asleep.wake()
    await notebook.has(1, 2)


async def test_a_sweep_finds_what_another_process_ordered(
    database: Database, worker: Outbox, notebook: Notebook
) -> None:
    worker.start({"note": notebook.run})
    await order(database, {"number": 1})
    await notebook.has(1)


async def test_a_worker_survives_a_store_that_is_away(
    embedded: Database, notebook: Notebook, outsider: sqlite3.Connection
) -> None:
    worker = Outbox(embedded)
    await order(embedded, {"number": 1})
    outsider.execute("BEGIN IMMEDIATE")
    worker.start({"note": notebook.run})
    worker.wake()
    with pytest.raises(Exception, match="stayed locked"):
        await order(embedded, {"number": 2})
    outsider.execute("ROLLBACK")
    await notebook.has(1)
    await worker.stop()
    await worker.stop()
