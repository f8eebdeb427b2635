"""What strangers can make grow is bounded: what is long over goes in small batches, and refusals are thinned out."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import SQLModel

from tests.stores.durable_rows import CODE, CODE_HASH, MINUTE, SESSION_ID, YEAR, add_family, add_grant, add_session
from watchword.clock import Clock
from watchword.database import Database, Statement, Transaction, bounds, budgets, devices, grants, replicas, sessions
from watchword.database import outbox as jobs
from watchword.database.bounds import BOUNDS
from watchword.database.trail import REFUSALS_AT_ONCE, REFUSALS_PER_SECOND, Allowance
from watchword.settings.limits import Window

DAY = timedelta(days=1)
# Tables without a bound of their own, and what bounds them.
BOUNDED_OTHERWISE = {
    "account": "made by proving an identifier; erased on demand",
    "identifier": "goes with its account",
    "client": "registered by the operator, or by whoever may; one that registered itself goes when nobody uses it",
    "client_secret": "goes with its client",
    "resource": "registered by the operator",
    "consent": "one a client, account and resource",
    "store": "one row",
    "audit_floor": "one row",
    "election": "one row a duty",
    "signing_key": "a handful",
    "mac_key": "a handful",
    "audit_event": "leaves the chain whole seals at a time",
    "audit_seal": "goes with its events",
}


async def purge(database: Database) -> dict[str, int]:
    """Delete one batch of everything that is over; returns of what there was something."""

    async def work(transaction: Transaction) -> dict[str, int]:
        counts = {name: await bounds.forget(transaction, bound, most=500) for name, bound in BOUNDS.items()}
        return {name: count for name, count in counts.items() if count}

    return await database.transaction(work)


async def count(database: Database, table: str) -> int:
    row = await database.one(Statement(f"SELECT COUNT(*) AS rows FROM {table}"))
    assert row is not None
    return int(row["rows"])


def test_every_table_that_grows_has_a_bound() -> None:
    bounded = {re.match(r"DELETE FROM (\w+)", bound.statement.text)[1] for bound in BOUNDS.values()}  # type: ignore[index]
    assert bounded | BOUNDED_OTHERWISE.keys() == set(SQLModel.metadata.tables)
    assert not bounded & BOUNDED_OTHERWISE.keys()


async def test_what_is_alive_stays(database: Database) -> None:
    await database.transaction(add_family)
    await database.transaction(lambda transaction: grants.add_code(transaction, CODE_HASH, CODE, lifetime=MINUTE))
    await database.transaction(lambda transaction: replicas.beat(transaction, "one", "A"))
    assert await purge(database) == {}


async def test_a_code_that_nobody_redeemed_goes_after_an_hour(database: Database, clock: Clock) -> None:
    await database.transaction(add_session)
    await database.transaction(lambda transaction: grants.add_code(transaction, CODE_HASH, CODE, lifetime=MINUTE))
    clock.offset = 60 * MINUTE
    assert await purge(database) == {}
    clock.offset = 62 * MINUTE
    assert await purge(database) == {"authorization codes": 1}


async def test_a_session_goes_thirty_days_after_its_end_and_its_grants_with_it(
    database: Database, clock: Clock
) -> None:
    await database.transaction(add_grant)
    assert await database.transaction(lambda transaction: sessions.end(transaction, SESSION_ID))
    clock.offset = 30 * DAY - MINUTE
    assert await purge(database) == {}
    clock.offset = 30 * DAY + MINUTE
    assert await purge(database) == {"grants of dead sessions": 1, "sessions": 1}
    assert await count(database, "authorization_grant") == 0


async def test_a_session_without_a_grant_is_kept_as_long(database: Database, clock: Clock) -> None:
    await database.transaction(add_session)
    assert await database.transaction(lambda transaction: sessions.end(transaction, SESSION_ID))
    clock.offset = 30 * DAY - MINUTE
    assert await purge(database) == {}
    clock.offset = 30 * DAY + MINUTE
    assert await purge(database) == {"sessions": 1}


async def test_a_session_that_nobody_ended_goes_thirty_days_after_it_expired(database: Database, clock: Clock) -> None:
    await database.transaction(add_grant)
    clock.offset = YEAR + 29 * DAY
    assert await purge(database) == {}
    clock.offset = YEAR + 31 * DAY
    assert await purge(database) == {"grants of dead sessions": 1, "sessions": 1}


LATER = Statement("UPDATE refresh_family SET expires_at = :now + :lifetime")


async def test_a_family_outlives_its_session_and_takes_its_grant_along(database: Database, clock: Clock) -> None:
    await database.transaction(add_family)
    await database.transaction(lambda transaction: transaction.execute(LATER, lifetime=60 * DAY))
    assert await database.transaction(lambda transaction: sessions.end(transaction, SESSION_ID))
    clock.offset = 31 * DAY
    assert await purge(database) == {"sessions": 1}
    clock.offset = 61 * DAY - MINUTE
    assert await purge(database) == {}
    clock.offset = 61 * DAY + MINUTE
    assert await purge(database) == {"grants of dead families": 1}
    assert await count(database, "refresh_family") == await count(database, "authorization_grant") == 0


async def test_a_family_that_is_over_between_two_statements_leaves_no_grant_behind(
    database: Database, clock: Clock
) -> None:
    await database.transaction(add_family)
    await database.transaction(lambda transaction: transaction.execute(Statement("DELETE FROM session")))
    clock.offset = DAY + 121 * MINUTE  # not yet when dead families' grants were looked for, but now
    families = BOUNDS["refresh families"]
    await database.transaction(lambda transaction: bounds.forget(transaction, families, most=500))
    assert await purge(database) == {"grants of dead families": 1}
    assert await count(database, "authorization_grant") == 0


async def test_a_family_that_dies_before_its_session_leaves_the_grant_to_it(database: Database, clock: Clock) -> None:
    await database.transaction(add_family)
    clock.offset = 2 * DAY + 121 * MINUTE
    assert await purge(database) == {"refresh families": 1}
    assert await count(database, "authorization_grant") == 1
    clock.offset = YEAR + 31 * DAY
    assert await purge(database) == {"grants of dead sessions": 1, "sessions": 1}


async def test_a_dead_job_is_kept_for_a_week_and_a_waiting_one_for_ever(database: Database, clock: Clock) -> None:
    async def work(transaction: Transaction) -> None:
        for number in range(2):
            await jobs.enqueue(transaction, kind="note", payload={"number": number})
        (job, _) = await jobs.lease(transaction, lease="mine", term=MINUTE, most=2)
        await jobs.bury(transaction, job, problem="no such place")

    await database.transaction(work)
    clock.offset = 7 * DAY
    assert await purge(database) == {}
    clock.offset = 7 * DAY + 2 * MINUTE
    assert await purge(database) == {"dead jobs": 1}
    clock.offset = YEAR
    assert await purge(database) == {}
    assert await count(database, "outbox") == 1


async def test_guesses_and_their_budgets_go_after_thirty_one_days(database: Database, clock: Clock) -> None:
    windows = [Window(10, timedelta(hours=1))]

    async def work(transaction: Transaction) -> None:
        for number in range(3):
            assert await budgets.charge(transaction, UUID(int=number), tag=b"tag", scope="strangers", windows=windows)

    await database.transaction(work)
    clock.offset = 31 * DAY - MINUTE
    assert await purge(database) == {}
    clock.offset = 31 * DAY + MINUTE
    assert await purge(database) == {"guesses": 3, "budgets of guesses": 1}


async def test_devices_and_replicas_go_when_they_are_over(database: Database, clock: Clock) -> None:
    async def work(transaction: Transaction) -> None:
        await add_session(transaction)
        await devices.add(
            transaction, UUID(int=9), CODE.account_id, token_hash=b"hash", lifetime=60 * DAY, user_agent=""
        )
        await replicas.beat(transaction, "one", "A")

    await database.transaction(work)
    clock.offset = timedelta(hours=1, minutes=1)
    assert await purge(database) == {"replicas": 1}
    clock.offset = 61 * DAY - MINUTE
    assert await purge(database) == {}
    clock.offset = 61 * DAY + MINUTE
    assert await purge(database) == {"devices": 1}


@pytest.mark.parametrize("name", sorted(BOUNDS))
async def test_no_statement_deletes_more_than_a_batch(database: Database, clock: Clock, name: str) -> None:
    async def work(transaction: Transaction) -> None:
        for number in range(5):
            await replicas.beat(transaction, str(number), "A")

    await database.transaction(work)
    clock.offset = YEAR
    bound = BOUNDS[name]
    deleted = [
        await database.transaction(lambda transaction: bounds.forget(transaction, bound, most=2)) for _ in range(4)
    ]
    assert deleted == ([2, 2, 1, 0] if name == "replicas" else [0, 0, 0, 0])


class Ticking:
    """A clock that a test moves, in microseconds."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.now


def admitted(allowance: Allowance, asked: int, name: str = "otp.refused") -> int:
    return sum(allowance.admit(name) for _ in range(asked))


def test_refusals_are_written_up_to_a_burst_and_then_so_many_a_second() -> None:
    now = Ticking()
    allowance = Allowance(now)
    assert admitted(allowance, 1000) == REFUSALS_AT_ONCE
    now.now += 1_000_000
    assert admitted(allowance, 1000) == REFUSALS_PER_SECOND
    now.now += 3600_000_000
    assert admitted(allowance, 1000) == REFUSALS_AT_ONCE


def test_what_is_left_out_is_counted_by_name_once() -> None:
    now = Ticking()
    allowance = Allowance(now)
    admitted(allowance, REFUSALS_AT_ONCE + 5)
    admitted(allowance, REFUSALS_AT_ONCE + 1, "authz.invalid")
    assert allowance.take_dropped() == {"otp.refused": 5, "authz.invalid": 1}
    assert allowance.take_dropped() == {}


def test_a_flood_of_one_kind_of_refusal_hides_no_other() -> None:
    allowance = Allowance(Ticking())
    admitted(allowance, 1000, "authz.invalid")
    assert admitted(allowance, 1000, "client.auth_failed") == REFUSALS_AT_ONCE


def test_a_clock_that_goes_back_stops_no_refusal_for_longer_than_a_burst_takes() -> None:
    now = Ticking()
    allowance = Allowance(now)
    admitted(allowance, REFUSALS_AT_ONCE)
    now.now -= 400 * 86_400_000_000
    assert admitted(allowance, 1) == 0
    now.now += 1_000_000
    assert admitted(allowance, 1000) == REFUSALS_PER_SECOND
