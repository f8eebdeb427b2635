"""What only a server does: connections that end, hang and run out, clocks of two machines, work side by side."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
import trustme

from tests.stores.durable_rows import FAMILY_ID, add_family
from tests.support import postgres
from tests.support.pairs import SECRET_KEY
from tests.support.pgbouncer import running_pgbouncer
from tests.support.postgres import PostgreSQLServer, emptied_database, running_server
from tests.support.provider import free_port
from watchword.clock import Clock, from_microseconds
from watchword.database import (
    Conflict,
    Overtaken,
    Statement,
    StoreUnavailable,
    Transaction,
    accounts,
    keys,
    migrate,
    open_database,
    postgresql,
    refresh_families,
    store,
)
from watchword.database.postgresql import PostgreSQLDatabase
from watchword.keys import Roots, make_first_keys
from watchword.keys.keyring import KEY_ALGORITHMS, PURPOSES
from watchword.prepare import check_clocks
from watchword.settings import SettingsError

_COUNT = Statement("SELECT COUNT(*) AS accounts FROM account")
_TOUCH = Statement("UPDATE account SET updated_at = :now WHERE id = :id")
_SLEEP = Statement("SELECT pg_sleep(CAST(:seconds AS float8))")
_REMEMBER = Statement("UPDATE store SET restore_epoch = restore_epoch + 1 WHERE id = 1")
_WHO = Statement("SELECT id FROM account WHERE id = :id")
_CREATED = Statement("SELECT created_at FROM account WHERE id = :id")
ADA, BOB = UUID(int=1), UUID(int=2)


def opened(url: str, clock: Clock | None = None, *, pool_size: int = 10) -> PostgreSQLDatabase:
    database = open_database(url, clock or Clock(), pool_size=pool_size)
    assert isinstance(database, PostgreSQLDatabase)
    return database


@pytest.fixture
async def database() -> AsyncIterator[PostgreSQLDatabase]:
    database = opened(emptied_database())
    yield database
    await database.close()


@pytest.fixture
def server() -> Iterator[PostgreSQLServer]:
    with running_server() as server:
        migrate.upgrade(server.url)
        yield server


async def add_account(transaction: Transaction) -> UUID:
    account_id = uuid4()
    await accounts.add(transaction, account_id, profile={})
    return account_id


async def add_ada_and_bob(transaction: Transaction) -> None:
    for account_id in (ADA, BOB):
        await accounts.add(transaction, account_id, profile={})


async def how_many(database: PostgreSQLDatabase) -> int:
    row = await database.one(_COUNT)
    assert row is not None
    count: int = row["accounts"]
    return count


async def trips(database: PostgreSQLDatabase, work: object) -> int:
    before = database.round_trips
    await database.transaction(work)  # type: ignore[arg-type]
    return database.round_trips - before


async def test_a_read_is_one_round_trip(database: PostgreSQLDatabase) -> None:
    await how_many(database)
    assert database.round_trips == 1


async def test_inserts_alone_are_one_round_trip_and_all_or_nothing(database: PostgreSQLDatabase) -> None:
    assert await trips(database, add_ada_and_bob) == 1

    async def add_one_known(transaction: Transaction) -> None:
        await add_account(transaction)
        await accounts.add(transaction, ADA, profile={})

    with pytest.raises(Conflict):
        await database.transaction(add_one_known)
    assert await how_many(database) == 2


async def test_inserts_that_refer_to_one_another_go_together(database: PostgreSQLDatabase) -> None:
    async def work(transaction: Transaction) -> None:
        account_id = await add_account(transaction)
        for number in range(3):
            address = f"{number}@example.org"
            await accounts.add_identifier(
                transaction, uuid4(), account_id, kind="email", value=address, display=address
            )

    assert await trips(database, work) == 1
    assert len(await database.all(Statement("SELECT id FROM identifier"))) == 3


async def test_what_is_read_after_an_insert_sees_it(database: PostgreSQLDatabase) -> None:
    async def work(transaction: Transaction) -> bool:
        account_id = await add_account(transaction)
        return await transaction.one(_CREATED, id=account_id) is not None

    assert await database.transaction(work)


async def test_reads_before_a_change_need_no_begin_and_the_change_does(database: PostgreSQLDatabase) -> None:
    await database.transaction(add_ada_and_bob)

    async def look_and_insert(transaction: Transaction) -> None:
        await transaction.one(_COUNT)
        await add_account(transaction)

    async def look_and_change(transaction: Transaction) -> None:
        await transaction.one(_COUNT)
        await transaction.execute(_TOUCH, id=ADA)
        await add_account(transaction)

    assert await trips(database, look_and_insert) == 2
    assert await trips(database, look_and_change) == 5  # read, BEGIN, change, insert, COMMIT


async def test_one_announced_statement_is_one_round_trip_and_a_second_one_is_refused(
    database: PostgreSQLDatabase,
) -> None:
    await database.transaction(add_ada_and_bob)
    before = database.round_trips
    touch = database.transaction(lambda transaction: transaction.execute(_TOUCH, id=ADA), one_statement=True)
    assert await touch == 1
    assert database.round_trips == before + 1

    async def two(transaction: Transaction) -> None:
        await transaction.execute(_TOUCH, id=ADA)
        await transaction.execute(_TOUCH, id=BOB)

    async def one_and_an_insert(transaction: Transaction) -> None:
        await transaction.execute(_TOUCH, id=ADA)
        await add_account(transaction)

    for work in (two, one_and_an_insert):
        with pytest.raises(RuntimeError, match="more than the one statement"):
            await database.transaction(work, one_statement=True)


async def test_inserts_before_the_announced_statement_travel_with_it(database: PostgreSQLDatabase) -> None:
    await database.transaction(store.prepare)

    async def work(transaction: Transaction) -> None:
        await add_account(transaction)
        await transaction.execute(_REMEMBER)

    before = database.round_trips
    await database.transaction(work, one_statement=True)
    assert database.round_trips == before + 1
    assert await how_many(database) == 1


async def test_the_change_that_settles_is_one_round_trip_with_the_inserts_before_it(
    database: PostgreSQLDatabase,
) -> None:
    await database.transaction(store.prepare)

    async def work(transaction: Transaction) -> None:
        await add_account(transaction)
        await add_account(transaction)
        await transaction.settle(_REMEMBER)

    assert await trips(database, work) == 1
    assert await how_many(database) == 2


async def test_the_change_that_settles_sees_what_was_inserted_before_it(database: PostgreSQLDatabase) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.settle(_TOUCH, id=await add_account(transaction))

    await database.transaction(work)


async def test_same_reads_at_one_time_go_together_and_each_gets_its_own_row(database: PostgreSQLDatabase) -> None:
    await database.transaction(add_ada_and_bob)
    before = database.round_trips
    asked = [ADA, BOB, UUID(int=3), ADA, BOB]
    rows = await asyncio.gather(*(database.one(_WHO, id=account_id) for account_id in asked))
    assert [row and row["id"] for row in rows] == [str(ADA), str(BOB), None, str(ADA), str(BOB)]
    assert database.round_trips - before == 2  # the first one alone, for nobody knew of the others


async def test_same_inserts_at_one_time_go_together_and_one_that_is_refused_harms_nobody(
    database: PostgreSQLDatabase,
) -> None:
    await database.transaction(add_ada_and_bob)
    before = database.round_trips
    await asyncio.gather(*(database.transaction(add_account) for _ in range(60)))
    assert database.round_trips - before == 2

    async def add_ada(transaction: Transaction) -> None:
        await accounts.add(transaction, ADA, profile={})

    works = [add_account, add_account, add_ada, add_account]
    outcomes = await asyncio.gather(*map(database.transaction, works), return_exceptions=True)
    assert [isinstance(outcome, Conflict) for outcome in outcomes] == [False, False, True, False]
    assert await how_many(database) == 65


async def test_a_value_that_cannot_be_sent_is_refused_alone(database: PostgreSQLDatabase) -> None:
    await database.transaction(add_ada_and_bob)
    asked: list[object] = [ADA, BOB, b"no text", ADA]
    answers = await asyncio.gather(*(database.one(_WHO, id=value) for value in asked), return_exceptions=True)
    assert [isinstance(answer, asyncpg.DataError) for answer in answers] == [False, False, True, False]
    assert await how_many(database) == 2


async def test_callers_of_the_same_question_do_not_wait_twice_for_a_server_that_hangs(
    server: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_ANSWER_SECONDS", 0.5)
    database = opened(server.url)
    await database.transaction(add_account)
    with server.paused():
        started = time.monotonic()
        asked = (how_many(database) for _ in range(20))
        refused = await asyncio.gather(*asked, return_exceptions=True)
        assert time.monotonic() - started < 0.9
    assert all(isinstance(error, StoreUnavailable) for error in refused)
    assert await how_many(database) == 1
    await database.close()


async def test_a_caller_that_gives_up_takes_nobody_along(database: PostgreSQLDatabase) -> None:
    await database.transaction(add_ada_and_bob)
    first, *others = [asyncio.create_task(database.one(_WHO, id=ADA)) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    others[0].cancel()
    rows = await asyncio.gather(*others[1:])
    assert [row and row["id"] for row in rows] == [str(ADA)] * 3
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_work_that_was_in_a_deadlock_is_run_again(database: PostgreSQLDatabase) -> None:
    await database.transaction(add_ada_and_bob)
    both_hold_one = asyncio.Barrier(2)
    runs = []

    async def touch_both(first: UUID, second: UUID) -> None:
        async def work(transaction: Transaction) -> None:
            runs.append(first)
            await transaction.execute(_TOUCH, id=first)
            if len(runs) <= 2:
                await both_hold_one.wait()
            await transaction.execute(_TOUCH, id=second)

        await database.transaction(work)

    await asyncio.gather(touch_both(ADA, BOB), touch_both(BOB, ADA))
    assert len(runs) >= 3


async def test_the_servers_clock_decides_and_the_offset_moves_it(
    database: PostgreSQLDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 0)  # a machine that lost its clock
    clock = Clock(timedelta(days=400))
    moved = opened(emptied_database(), clock)
    [there] = await database.all(Statement("SELECT now() AS now"))
    await moved.transaction(store.prepare)
    now = await store.clock(moved)
    assert now is not None
    assert timedelta(0) <= now - there["now"] - timedelta(days=400) < timedelta(seconds=5)
    account_id = await moved.transaction(add_account)
    row = await moved.one(_CREATED, id=account_id)
    assert row is not None
    assert now <= from_microseconds(row["created_at"]) < now + timedelta(seconds=5)
    await moved.close()


@pytest.mark.parametrize("seconds", [-6, 6])
async def test_a_start_is_refused_when_the_clocks_of_both_machines_differ(
    database: PostgreSQLDatabase, seconds: int
) -> None:
    await database.transaction(store.prepare)
    check_clocks(Clock().now(), await store.clock(database))
    with pytest.raises(SettingsError, match="WATCHWORD_DATABASE_URL: the server's clock and this machine's differ by"):
        check_clocks(Clock(timedelta(seconds=seconds)).now(), await store.clock(database))


def test_five_seconds_of_difference_are_borne() -> None:
    now = Clock().now()
    check_clocks(now, now + timedelta(seconds=5))
    check_clocks(now, None)  # a store that no provider ever started on
    with pytest.raises(SettingsError, match="differ by 5 s"):
        check_clocks(now, now - timedelta(seconds=5, microseconds=1))


async def test_more_work_than_connections_queues(database: PostgreSQLDatabase) -> None:
    narrow = opened(f"{emptied_database()}&application_name=narrow", pool_size=2)
    await narrow.transaction(add_ada_and_bob)
    touch = [narrow.transaction(lambda transaction: transaction.execute(_TOUCH, id=ADA)) for _ in range(200)]
    assert await asyncio.gather(*touch) == [1] * 200
    [open_now] = await database.all(
        Statement("SELECT COUNT(*) AS found FROM pg_stat_activity WHERE application_name = 'narrow'")
    )
    assert open_now["found"] == 2
    await narrow.close()


async def test_connections_that_are_all_in_use_refuse_in_two_seconds() -> None:
    narrow = opened(emptied_database(), pool_size=1)
    hold = asyncio.create_task(narrow.one(_SLEEP, seconds=4))
    await asyncio.sleep(0)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="all in use"):
        await how_many(narrow)
    assert 1.5 < time.monotonic() - started < 3.5
    await hold
    assert await how_many(narrow) == 0
    await narrow.close()


async def test_a_statement_that_takes_too_long_is_cut_off_and_the_connection_works_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgresql, "_LIMITS", postgresql._LIMITS | {"statement_timeout": "100ms"})
    narrow = opened(emptied_database(), pool_size=1)
    with pytest.raises(StoreUnavailable) as refused:
        await narrow.one(_SLEEP, seconds=30)
    assert str(refused.value).startswith("the database server does not answer")
    assert await how_many(narrow) == 0
    await narrow.close()


async def test_a_caller_that_is_cancelled_leaves_no_trace_and_frees_its_connection() -> None:
    narrow = opened(emptied_database(), pool_size=1)
    inside = asyncio.Event()

    async def hang(transaction: Transaction) -> None:
        await add_account(transaction)
        await transaction.one(_COUNT)
        inside.set()
        await transaction.one(_SLEEP, seconds=30)

    impatient = asyncio.create_task(narrow.transaction(hang))
    await inside.wait()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert await how_many(narrow) == 0
    await narrow.close()


async def test_a_mistake_in_a_statement_is_no_trouble_of_the_server(database: PostgreSQLDatabase) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await database.one(Statement("SELEKT"))
    with pytest.raises(asyncpg.DataError):
        await database.one(_SLEEP, seconds="long")
    assert await how_many(database) == 0


async def test_a_fork_may_not_use_the_connections_of_its_parent(
    database: PostgreSQLDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    await how_many(database)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with pytest.raises(RuntimeError, match="before a fork"):
        await how_many(database)


async def test_a_restarted_server_is_used_again_at_once(server: PostgreSQLServer) -> None:
    database = opened(server.url)
    await asyncio.gather(*(database.transaction(add_account) for _ in range(20)))
    server.stop()
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match=r"does not answer: \w+$"):
            await how_many(database)
    server.start()
    assert await how_many(database) == 20
    await database.close()


async def test_a_server_that_hangs_is_given_up_and_used_again_afterwards(
    server: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_ANSWER_SECONDS", 0.5)
    database = opened(server.url)
    await database.transaction(add_account)
    with server.paused():
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="TimeoutError"):
            await how_many(database)
        assert time.monotonic() - started < 3
    assert await how_many(database) == 1
    await database.close()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda url: url.replace("postgres@", "nobody-known:hunter2@"), "InvalidAuthorization"),
        (lambda url: url.replace("/postgres?", "/no-such-database?"), "InvalidCatalogName"),
        (lambda url: url.replace("host=", "host=/no-such-folder"), "FileNotFound"),
    ],
)
async def test_a_server_that_refuses_is_named_by_the_kind_of_trouble_alone(change: object, kind: str) -> None:
    database = opened(change(postgres.postgres_url()))  # type: ignore[operator]
    with pytest.raises(StoreUnavailable, match=kind) as refused:
        await how_many(database)
    for secret in ("hunter2", "nobody-known", "no-such"):
        assert secret not in str(refused.value)
    await database.close()


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A way to the server that speaks nothing but TLS, and the authority that signed its certificate for `localhost`.

    It is a PgBouncer: the wheel's own PostgreSQL was built without TLS.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    with running_pgbouncer(free_port(), authority.issue_cert("localhost")) as port:
        yield f"postgresql://postgres@localhost:{port}/postgres?pgbouncer=true", tmp_path / "authority.pem"


async def test_tls_with_a_verified_certificate(encrypted: tuple[str, Path]) -> None:
    url, authority = encrypted
    database = opened(f"{url}&sslmode=verify-full&sslrootcert={authority}")
    assert await database.one(Statement("SELECT 1 AS one")) is not None
    await database.close()
    plain = opened(f"{url}&sslmode=disable")
    with pytest.raises(StoreUnavailable):
        await plain.one(Statement("SELECT 1 AS one"))
    await plain.close()


@pytest.mark.parametrize(
    ("name", "options"), [("localhost", "sslmode=verify-full"), ("127.0.0.1", "sslmode=verify-full&sslrootcert={}")]
)
async def test_a_certificate_that_others_signed_or_of_another_name_is_refused(
    encrypted: tuple[str, Path], name: str, options: str
) -> None:
    url, authority = encrypted
    database = opened(f"{url.replace('localhost', name)}&{options.format(authority)}")
    with pytest.raises(StoreUnavailable, match="SSLCertVerificationError"):
        await database.one(Statement("SELECT 1 AS one"))
    await database.close()


async def test_first_keys_made_side_by_side_are_made_once(database: PostgreSQLDatabase) -> None:
    await database.transaction(store.prepare)
    roots = Roots.derive(SECRET_KEY, None)
    await asyncio.gather(*(make_first_keys(database, roots, rsa_bits=2048) for _ in range(4)))
    assert len(await keys.signing_keys(database)) == 2 * len(KEY_ALGORITHMS)
    assert len(await keys.mac_keys(database)) == len(PURPOSES)


async def test_of_60_rotations_side_by_side_one_wins(database: PostgreSQLDatabase) -> None:
    await database.transaction(add_family)
    family = await refresh_families.find(database, FAMILY_ID)
    assert family is not None

    async def rotate(transaction: Transaction) -> None:
        await refresh_families.rotate(transaction, family, successor=1, idle=timedelta(minutes=1))

    outcomes = await asyncio.gather(*(database.transaction(rotate) for _ in range(60)), return_exceptions=True)
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, Overtaken) for outcome in outcomes) == 59
