"""The file under both stores: what spoils a whole group, what spoils one unit, and files that change underneath."""

import asyncio
import resource
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from watchword import database, ephemeral
from watchword.embedded import EmbeddedFile, StoreUnavailable, Work, connect, make_private

LARGE = "x" * 200_000
NO_DATABASE = b"this is no database" * 1000


def prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT UNIQUE)")


def open_notes(path: Path) -> sqlite3.Connection:
    make_private(path)
    return connect(path, prepare)


def note(text: str) -> Work[int]:
    return lambda connection, _: connection.execute("INSERT INTO notes VALUES (?)", (text,)).rowcount


def two_notes_and_a_failure(connection: sqlite3.Connection, now: int) -> None:
    note("first")(connection, now)
    note("second")(connection, now)
    raise LookupError("second thoughts")


def texts(connection: sqlite3.Connection, _: int) -> set[str]:
    return {text for (text,) in connection.execute("SELECT text FROM notes").fetchall()}


@contextmanager
def a_disk_that_takes_no_more(megabytes: float) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(megabytes * 1_000_000), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def overwrite(path: Path, content: bytes) -> bytes:
    """Write other content into the same file and return what was there."""
    before = path.read_bytes()
    path.write_bytes(content)
    return before


def replace(path: Path, content: bytes) -> None:
    """Put another file in the place of this one."""
    path.rename(path.with_suffix(".away"))
    path.write_bytes(content)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a file with one note, which no connection holds open."""
    path = tmp_path / "notes.sqlite3"
    with closing(open_notes(path)) as connection:
        note("before")(connection, 0)
    return path


@pytest.fixture
async def file(path: Path) -> AsyncIterator[EmbeddedFile]:
    file = EmbeddedFile(path, open_notes, now=lambda: 0, name="the notes' file")
    yield file
    await file.close()


def test_both_stores_are_unavailable_in_the_same_way() -> None:
    assert database.StoreUnavailable is ephemeral.StoreUnavailable is StoreUnavailable


async def test_a_unit_that_fails_undoes_itself_and_nothing_else_with_or_without_a_savepoint(file: EmbeddedFile) -> None:
    outcomes = await asyncio.gather(
        file.write(note("earlier"), one_statement=True),
        file.write(note("before"), one_statement=True),
        file.write(two_notes_and_a_failure),
        file.write(note("after")),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [int, sqlite3.IntegrityError, LookupError, int]
    assert await file.read(texts) == {"before", "earlier", "after"}


async def test_savepoints_are_made_only_when_a_unit_failed_half_way(path: Path) -> None:
    ran: list[str] = []

    def open_traced(path: Path) -> sqlite3.Connection:
        connection = open_notes(path)
        connection.set_trace_callback(ran.append)
        return connection

    file = EmbeddedFile(path, open_traced, now=lambda: 0, name="the notes' file")

    async def write_together(*works: Work[Any]) -> list[str]:
        ran.clear()
        await asyncio.gather(*(file.write(work) for work in works), return_exceptions=True)
        return [statement.split(" ", 1)[0] for statement in ran]

    await file.read(texts)
    # One that fails without a trace, as a refusal before the first change does, undoes nothing.
    assert await write_together(note("one"), note("before"), note("two")) == ["BEGIN", *["INSERT"] * 3, "COMMIT"]
    assert (await write_together(note("three"), two_notes_and_a_failure)).count("SAVEPOINT") == 2
    assert await file.read(texts) == {"before", "one", "two", "three"}
    await file.close()


async def test_a_mistake_in_a_statement_is_not_an_unavailable_store(file: EmbeddedFile) -> None:
    for use in (file.read, file.write):
        with pytest.raises(sqlite3.OperationalError, match="syntax error"):
            await use(lambda connection, _: connection.execute("SELEKT"))


async def test_a_disk_that_takes_no_more_refuses_the_group_and_leaves_the_file_as_it_was(file: EmbeddedFile) -> None:
    await file.read(texts)
    with a_disk_that_takes_no_more(0.1):
        refused = await asyncio.gather(
            file.write(note("small"), one_statement=True), file.write(note(LARGE)), return_exceptions=True
        )
        assert [type(outcome) for outcome in refused] == [StoreUnavailable] * 2
        assert LARGE not in str(refused)
        with pytest.raises(StoreUnavailable, match="the notes' file cannot be used: SQLITE_"):
            await file.write(note(LARGE), one_statement=True)
        assert await file.read(texts) == {"before"}
    await file.write(note(LARGE))
    assert await file.read(texts) == {"before", LARGE}


async def test_a_file_in_the_place_of_the_one_that_was_opened_takes_no_writes(file: EmbeddedFile, path: Path) -> None:
    await file.read(texts)
    replace(path, b"")
    for one_statement in (True, False):
        with pytest.raises(StoreUnavailable, match="removed or replaced"):
            await file.write(note("lost"), one_statement=one_statement)
    assert await file.read(texts) == {"before"}


async def test_a_file_that_was_spoiled_is_opened_anew_when_it_is_mended(file: EmbeddedFile, path: Path) -> None:
    await file.read(texts)
    content = overwrite(path, NO_DATABASE)
    for use in (file.write(note("lost")), file.read(texts)):
        with pytest.raises(StoreUnavailable, match="the notes' file cannot be used: SQLITE_"):
            await use
    overwrite(path, content)
    await file.write(note("after"))
    assert await file.read(texts) == {"before", "after"}


async def test_after_trouble_another_file_in_its_place_is_still_refused(file: EmbeddedFile, path: Path) -> None:
    await file.read(texts)
    content = overwrite(path, NO_DATABASE)
    with pytest.raises(StoreUnavailable, match="SQLITE_"):
        await file.write(note("lost"))
    replace(path, content)
    for use in (file.write(note("lost")), file.read(texts)):
        with pytest.raises(StoreUnavailable, match="removed or replaced"):
            await use


async def test_a_committer_that_never_began_does_not_hold_up_the_next_write(file: EmbeddedFile) -> None:
    abandoned = asyncio.create_task(file.write(note("abandoned")))
    others = asyncio.all_tasks()
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - others:  # the committer, before its first step
        task.cancel()
    abandoned.cancel()
    await asyncio.sleep(0)
    await file.write(note("after"))
    assert await file.read(texts) == {"before", "after"}
