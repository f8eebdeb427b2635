"""What is particular to the store in a file: locks, permissions, identity, shared commits, forks, broken files."""

import asyncio
import gc
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stores.movable_clock import MovableClock
from tests.stores.write_ahead_log import commits
from watchword.ephemeral import Charge, EphemeralStore, Limit, StoreUnavailable, open_store

MINUTE = timedelta(minutes=1)
LIMIT = Limit.at_most("limit", 4, timedelta(hours=1))

_VERSION_1 = """
    PRAGMA journal_mode = WAL;
    CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX entries_by_expiry ON entries (expires_at);
    CREATE TABLE rates (limit_name TEXT NOT NULL, key TEXT NOT NULL, empty_at INTEGER NOT NULL,
        PRIMARY KEY (limit_name, key)) WITHOUT ROWID;
    CREATE INDEX rates_by_expiry ON rates (empty_at);
    CREATE TABLE store (identity TEXT NOT NULL);
    INSERT INTO entries VALUES ('key', x'76616c7565', 9000000000000000);
    INSERT INTO store VALUES ('as it was');
    PRAGMA user_version = 1;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ephemeral.sqlite3"


def opened(path: Path) -> EphemeralStore:
    return open_store(f"sqlite:///{path}", now=MovableClock())


def overwrite(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o644)


def modes_beside(path: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}


@pytest.fixture
async def store(path: Path) -> AsyncIterator[EphemeralStore]:
    store = opened(path)
    yield store
    await store.close()


@pytest.fixture
def stranger(path: Path, store: EphemeralStore) -> Iterator[sqlite3.Connection]:
    """Another connection to the same file, as another process has it."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as stranger:
        yield stranger


async def elapsed_until_refused(store: EphemeralStore, key: str) -> float:
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(StoreUnavailable, match="locked for 2 s") as refused:
        await store.put(key, b"secret", MINUTE)
    assert "secret" not in str(refused.value)
    return loop.time() - start


async def test_a_file_locked_for_ever_refuses_after_two_seconds_while_the_loop_goes_on(
    store: EphemeralStore, stranger: sqlite3.Connection
) -> None:
    await store.put("key", b"value", MINUTE)
    stranger.execute("BEGIN IMMEDIATE")
    loop = asyncio.get_running_loop()
    writes = [asyncio.create_task(elapsed_until_refused(store, f"secret {number}")) for number in range(2)]
    longest_turn, turned, joined = 0.0, loop.time(), loop.time() + 0.5
    while not all(write.done() for write in writes):
        assert await store.get("key") == b"value"
        await asyncio.sleep(0)
        longest_turn, turned = max(longest_turn, loop.time() - turned), loop.time()
        if len(writes) == 2 and turned > joined:  # whoever joins a waiting group has patience of their own
            writes.append(asyncio.create_task(elapsed_until_refused(store, "secret 3")))
    assert longest_turn < 1
    for write in writes:
        assert 1.5 < write.result() < 4
    stranger.execute("ROLLBACK")
    assert [await store.get(f"secret {number}") for number in range(4)] == [None] * 4
    await store.put("key", b"newer", MINUTE)


async def test_a_file_that_is_released_in_time_is_written(store: EphemeralStore, stranger: sqlite3.Connection) -> None:
    await store.put("key", b"value", MINUTE)
    stranger.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.1, stranger.execute, "ROLLBACK")
    taken, count, refusal = await asyncio.gather(
        store.take("key"), store.increment("count", 1, MINUTE), store.charge([Charge((LIMIT,), "key")])
    )
    assert (taken, count, refusal) == (b"value", 1, None)


async def test_a_new_file_that_another_process_locks_is_opened_when_it_is_released(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN EXCLUSIVE")
        asyncio.get_running_loop().call_later(0.1, stranger.execute, "ROLLBACK")
        store = opened(path)
        assert await store.get("key") is None
        await store.close()


async def test_a_caller_who_gave_up_while_the_file_was_locked_has_written_nothing(
    store: EphemeralStore, stranger: sqlite3.Connection
) -> None:
    await store.put("key", b"value", MINUTE)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(store.take("key"), 0.05)
    stranger.execute("ROLLBACK")
    await store.put("other", b"value", MINUTE)
    assert await store.get("key") == b"value"


async def test_closing_waits_for_the_writes_under_way(
    path: Path, store: EphemeralStore, stranger: sqlite3.Connection
) -> None:
    await store.ping()
    stranger.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.1, stranger.execute, "ROLLBACK")
    write = asyncio.create_task(store.put("key", b"value", MINUTE))
    await asyncio.sleep(0)
    await store.close()
    assert write.done()
    await write
    reopened = opened(path)
    assert await reopened.get("key") == b"value"
    await reopened.close()


async def test_60_takes_of_one_turn_of_the_loop_share_one_commit(path: Path, store: EphemeralStore) -> None:
    await asyncio.gather(*(store.put(f"key {number}", b"value", MINUTE) for number in range(60)))
    before = commits(path)
    await asyncio.gather(*(store.take(f"key {number}") for number in range(60)))
    assert commits(path) == before + 1


async def test_a_refused_charge_commits_nothing(path: Path, store: EphemeralStore) -> None:
    charges = [Charge((LIMIT,), "key", cost=2)]
    assert await store.charge(charges) is None
    before = commits(path)
    assert await store.charge(charges) is not None
    assert commits(path) == before


async def test_what_fails_halfway_is_undone_alone(store: EphemeralStore, stranger: sqlite3.Connection) -> None:
    await store.ping()
    stranger.execute(
        "CREATE TRIGGER full BEFORE INSERT ON rates WHEN NEW.key = 'unwritable' BEGIN SELECT RAISE(ABORT, ''); END"
    )
    halfway = [Charge((LIMIT,), "key", cost=2), Charge((LIMIT,), "unwritable")]
    with pytest.raises(sqlite3.IntegrityError):
        await store.charge(halfway)
    failure, count = await asyncio.gather(
        store.charge(halfway), store.increment("count", 1, MINUTE), return_exceptions=True
    )
    assert isinstance(failure, sqlite3.IntegrityError)
    assert count == 1
    assert await store.charge([Charge((LIMIT,), "key", cost=2)]) is None


async def test_the_file_and_its_companions_are_private(path: Path, store: EphemeralStore) -> None:
    before = os.umask(0)
    try:
        await store.put("key", b"value", MINUTE)
    finally:
        os.umask(before)
    assert modes_beside(path) == {path.name: 0o600, f"{path.name}-wal": 0o600, f"{path.name}-shm": 0o600}


async def test_a_file_that_others_could_read_is_made_private(path: Path, store: EphemeralStore) -> None:
    overwrite(path, b"")
    await store.ping()
    assert modes_beside(path)[path.name] == 0o600


async def test_the_identity_and_the_values_outlive_the_process(path: Path, store: EphemeralStore) -> None:
    identity = await store.identity()
    await store.put("key", b"value", MINUTE)
    await store.close()
    reopened = opened(path)
    assert await reopened.identity() == identity
    assert await reopened.get("key") == b"value"
    await reopened.close()


async def test_a_file_of_the_version_before_keeps_its_identity_and_values(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as before:
        before.executescript(_VERSION_1)
    store = opened(path)
    assert await store.identity() == "as it was"
    assert await store.get("key") == b"value"
    assert await store.charge([Charge((LIMIT,), "key")]) is None
    assert await store.sweep() == 0
    await store.close()


async def test_a_key_whose_charges_were_given_back_leaves_no_row(path: Path, store: EphemeralStore) -> None:
    charges = [Charge((LIMIT,), "refunded"), Charge((LIMIT,), "refunded once"), Charge((LIMIT,), "refunded once")]
    assert await store.charge(charges) is None
    await store.refund(charges[:2])
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT key FROM rates").fetchall() == [("refunded once",)]


async def test_an_emptied_file_gets_a_fresh_identity(path: Path, store: EphemeralStore) -> None:
    identity = await store.identity()
    await store.close()
    overwrite(path, b"")
    reopened = opened(path)
    assert await reopened.identity() != identity
    await reopened.close()


async def test_two_stores_on_one_file_see_one_another(path: Path, store: EphemeralStore) -> None:
    other = opened(path)
    await store.put("key", b"value", MINUTE)
    assert await other.identity() == await store.identity()
    assert await other.take("key") == b"value"
    assert await store.get("key") is None
    await other.close()
    await store.put("key", b"the locks are still in place", MINUTE)


async def test_a_relative_path_is_the_one_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: EphemeralStore
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    relative = open_store("sqlite:///ephemeral.sqlite3", now=MovableClock())
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert await relative.identity() == await store.identity()
    await relative.close()


async def test_a_missing_directory_makes_the_store_unavailable_to_every_verb(tmp_path: Path) -> None:
    store = opened(tmp_path / "missing" / "ephemeral.sqlite3")
    for verb in (store.ping(), store.put("key", b"value", MINUTE), store.charge([Charge((LIMIT,), "key")])):
        with pytest.raises(StoreUnavailable, match="cannot be used: FileNotFoundError"):
            await verb
    await store.close()


async def test_a_store_recovers_when_a_broken_file_is_replaced(path: Path, store: EphemeralStore) -> None:
    overwrite(path, b"this is no database" * 1000)
    with pytest.raises(StoreUnavailable, match="SQLITE_NOTADB"):
        await store.put("key", b"value", MINUTE)
    with pytest.raises(StoreUnavailable, match="SQLITE_NOTADB"):
        await store.get("key")
    overwrite(path, b"")
    await store.put("key", b"value", MINUTE)
    assert await store.get("key") == b"value"


def test_a_connection_from_before_a_fork_is_refused(path: Path) -> None:
    store = opened(path)
    asyncio.run(store.ping())
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(store.put("key", b"value", MINUTE))
        except RuntimeError as refused:
            os._exit(0 if "before a fork" in str(refused) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    asyncio.run(store.close())


def test_a_store_made_before_a_fork_but_not_used_serves_the_child(path: Path) -> None:
    store = opened(path)
    child = os.fork()
    if child == 0:
        asyncio.run(store.put("key", b"value", MINUTE))
        asyncio.run(store.close())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert asyncio.run(store.get("key")) == b"value"
    asyncio.run(store.close())


def test_a_loop_that_ends_during_a_write_leaves_the_store_usable(path: Path) -> None:
    store = opened(path)
    asyncio.run(store.ping())
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")

        async def abandon() -> None:
            abandoned = asyncio.create_task(store.put("key", b"value", MINUTE))
            await asyncio.sleep(0.02)
            assert not abandoned.done()

        asyncio.run(abandon())
        stranger.execute("ROLLBACK")
    asyncio.run(store.put("other", b"value", MINUTE))
    assert asyncio.run(store.get("key")) is None
    asyncio.run(store.close())
    gc.collect()
