"""The durable store's file: locks of other processes, permissions, forks, removal, files of another kind."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from watchword.clock import Clock
from watchword.database import (
    Database,
    Statement,
    StoreUnavailable,
    Transaction,
    accounts,
    is_embedded,
    open_database,
    prepare_file,
)

_COUNT = Statement("SELECT COUNT(*) AS accounts FROM account")


@pytest.fixture
def url(file: Path) -> str:
    """What is tested here is the file alone."""
    return f"sqlite:///{file}"


async def add_account(transaction: Transaction) -> None:
    await accounts.add(transaction, uuid4(), profile={})


async def how_many(database: Database) -> int:
    row = await database.one(_COUNT)
    assert row is not None
    count: int = row["accounts"]
    return count


async def elapsed_until_refused(database: Database) -> float:
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(StoreUnavailable, match="stayed locked"):
        await database.transaction(add_account)
    return loop.time() - start


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def permissions(folder: Path) -> dict[str, int]:
    return {path.name: mode(path) for path in folder.iterdir()}


def move_away(file: Path, successor: bytes) -> Path:
    """Move a file, and put another in its place if that has any content."""
    away = file.rename(file.with_suffix(".away"))
    if successor:
        file.write_bytes(successor)
    return away


def move_back(away: Path, file: Path) -> None:
    away.rename(file)


def damage(file: Path) -> None:
    """Overwrite everything behind the first page."""
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


async def test_a_file_locked_for_ever_refuses_after_two_seconds_while_reads_go_on(
    database: Database, outsider: sqlite3.Connection
) -> None:
    await how_many(database)
    outsider.execute("BEGIN IMMEDIATE")
    loop = asyncio.get_running_loop()
    start = loop.time()
    writes = [asyncio.create_task(elapsed_until_refused(database)) for _ in range(2)]
    longest_turn, turned = 0.0, start
    while not all(write.done() for write in writes):
        assert await how_many(database) == 0
        await asyncio.sleep(0)
        longest_turn, turned = max(longest_turn, loop.time() - turned), loop.time()
        if len(writes) == 2 and turned > start + 0.5:  # whoever joins a waiting group has patience of their own
            writes.append(asyncio.create_task(elapsed_until_refused(database)))
    assert longest_turn < 1
    assert all(1.5 < write.result() < 4 for write in writes)
    outsider.execute("ROLLBACK")
    await database.transaction(add_account)
    assert await how_many(database) == 1


async def test_a_file_that_is_released_in_time_is_written(database: Database, outsider: sqlite3.Connection) -> None:
    outsider.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.1, outsider.execute, "ROLLBACK")
    await asyncio.gather(*(database.transaction(add_account) for _ in range(10)))
    assert await how_many(database) == 10


async def test_a_caller_that_gives_up_on_a_locked_file_leaves_no_trace(
    database: Database, outsider: sqlite3.Connection
) -> None:
    outsider.execute("BEGIN IMMEDIATE")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await database.transaction(add_account)
    outsider.execute("ROLLBACK")
    await database.transaction(add_account)
    assert await how_many(database) == 1


async def test_a_read_sees_nothing_of_another_process_before_its_commit(
    database: Database, outsider: sqlite3.Connection
) -> None:
    outsider.execute("BEGIN IMMEDIATE")
    outsider.execute("INSERT INTO account VALUES ('id', 'active', '{}', 0, 0)")
    assert await how_many(database) == 0
    outsider.execute("COMMIT")
    assert await how_many(database) == 1


async def test_close_ends_while_the_file_is_locked(file: Path, clock: Clock, outsider: sqlite3.Connection) -> None:
    database = open_database(f"sqlite:///{file}", clock)
    outsider.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(elapsed_until_refused(database))
    await asyncio.sleep(0)
    await database.close()
    assert await waiting < 4
    outsider.execute("ROLLBACK")
    assert outsider.execute("SELECT COUNT(*) FROM account").fetchone() == (0,)


def test_a_loop_that_ends_during_a_wait_leaves_the_store_usable(file: Path, outsider: sqlite3.Connection) -> None:
    database = open_database(f"sqlite:///{file}", Clock())
    outsider.execute("BEGIN IMMEDIATE")

    async def abandon() -> None:
        waiting = asyncio.create_task(database.transaction(add_account))
        await asyncio.sleep(0.01)
        assert not waiting.done()

    asyncio.run(abandon())
    outsider.execute("ROLLBACK")
    asyncio.run(database.transaction(add_account))
    assert asyncio.run(how_many(database)) == 1
    asyncio.run(database.close())


def test_the_file_and_those_beside_it_are_the_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "new.sqlite3"
    before = os.umask(0)
    try:
        prepare_file(f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE things (id INTEGER)")
            found = permissions(path.parent)
    finally:
        os.umask(before)
    assert found == {path.name: 0o600, f"{path.name}-wal": 0o600, f"{path.name}-shm": 0o600}


def test_a_file_that_others_could_read_is_made_private(file: Path) -> None:
    file.chmod(0o644)
    prepare_file(f"sqlite:///{file}")
    assert mode(file) == 0o600


async def test_a_missing_file_is_not_made_anew(tmp_path: Path, clock: Clock) -> None:
    database = open_database(f"sqlite:///{tmp_path}/nothing.sqlite3", clock)
    with pytest.raises(StoreUnavailable, match="CANTOPEN"):
        await how_many(database)
    with pytest.raises(StoreUnavailable, match="CANTOPEN"):
        await database.transaction(add_account)
    assert permissions(tmp_path) == {}


@pytest.mark.parametrize("successor", [b"", b"another file"])
async def test_a_file_that_was_removed_or_replaced_takes_no_more_writes(
    database: Database, file: Path, successor: bytes
) -> None:
    await database.transaction(add_account)
    away = move_away(file, successor)
    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        await database.transaction(add_account)
    move_back(away, file)
    await database.transaction(add_account)
    assert await how_many(database) == 2


async def test_a_file_of_another_kind_is_refused(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database, but long enough to be taken for one" * 100)
    with pytest.raises(StoreUnavailable, match="NOTADB"):
        prepare_file(f"sqlite:///{path}")
    database = open_database(f"sqlite:///{path}", clock)
    with pytest.raises(StoreUnavailable, match="NOTADB"):
        await how_many(database)
    await database.close()


def test_a_folder_that_cannot_be_made_is_refused(file: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        prepare_file(f"sqlite:///{file}/below-a-file.sqlite3")


async def test_a_damaged_page_is_an_unavailable_store(database: Database, file: Path) -> None:
    damage(file)
    with pytest.raises(StoreUnavailable, match="CORRUPT"):
        await how_many(database)


def test_a_connection_from_before_a_fork_is_refused(file: Path) -> None:
    database = open_database(f"sqlite:///{file}", Clock())
    asyncio.run(how_many(database))
    child = os.fork()
    if child == 0:
        for use in (how_many(database), database.transaction(add_account)):
            try:
                asyncio.run(use)
            except RuntimeError as refused:
                if "before a fork" in str(refused):
                    continue
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    asyncio.run(database.close())


def test_a_store_made_before_a_fork_but_not_used_serves_the_child(file: Path) -> None:
    database = open_database(f"sqlite:///{file}", Clock())
    child = os.fork()
    if child == 0:
        asyncio.run(database.transaction(add_account))
        asyncio.run(database.close())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert asyncio.run(how_many(database)) == 1
    asyncio.run(database.close())


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user:password@localhost/watchword",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///folder/",
        "sqlite:///file.sqlite3?mode=ro",
        "sqlite:///file%20.sqlite3",
        "file.sqlite3",
        "",
    ],
)
def test_a_url_that_names_no_file_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="names no durable store") as refused:
        open_database(url, Clock())
    assert "password" not in str(refused.value)


def test_only_files_upgrade_themselves() -> None:
    assert is_embedded("sqlite:///file.sqlite3")
    assert not is_embedded("postgresql://localhost/watchword")
