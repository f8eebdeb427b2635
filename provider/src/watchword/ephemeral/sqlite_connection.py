"""One process's connection to the store's file: opening, waiting for a lock, committing many writes at once.

Everything runs on the event loop's own thread: a prepared statement takes a few tens of microseconds, less than
handing it to a thread and back. What could take long is waiting for another process's write lock, and that never
happens inside SQLite (the busy timeout is 0) but in `asyncio.sleep`, where the loop goes on.
"""

import asyncio
import os
import random
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from watchword.ephemeral.store import Now, StoreUnavailable, reading

T = TypeVar("T")
Work = Callable[[sqlite3.Connection, int], T]
"""Statements to run, given the connection and the store's time in microseconds since 1970."""

PATIENCE_SECONDS = 2.0
"""How long any one verb waits for the lock before it gives up."""
_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.02

_SCHEMA_VERSION = 1
_SCHEMA = (
    "CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX entries_by_expiry ON entries (expires_at)",
    """CREATE TABLE rates (limit_name TEXT NOT NULL, key TEXT NOT NULL, empty_at INTEGER NOT NULL,
       PRIMARY KEY (limit_name, key)) WITHOUT ROWID""",
    "CREATE INDEX rates_by_expiry ON rates (empty_at)",
    "CREATE TABLE store (identity TEXT NOT NULL)",
    f"PRAGMA user_version = {_SCHEMA_VERSION}",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Write:
    work: Work[Any]
    one_statement: bool
    future: asyncio.Future[Any]
    deadline: float  # by the loop's clock, in seconds


class SqliteConnection:
    """Reads at once, writes in groups: all writes asked for in one turn of the loop share one transaction.

    Opened by the first read or write, so that each worker opens its own; belongs to one event loop at a time.
    """

    def __init__(self, path: Path, *, now: Now) -> None:
        self._path = path.absolute()
        self._now = now
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._writes: list[_Write] = []
        self._committer: asyncio.Task[None] | None = None
        self._closed = False

    async def read(self, work: Work[T]) -> T:
        """Run statements that only read, outside any transaction.

        Raises:
            StoreUnavailable: the file stayed locked for 2 s, cannot be read, or the store is closed.
            RuntimeError: the connection was opened by another process, before a fork.
        """
        deadline = _clock() + PATIENCE_SECONDS
        for pause in _pauses():
            self._check_usable()
            try:
                return work(self._open(), reading(self._now))
            except (sqlite3.Error, OSError) as error:
                if not _is_locked(error) or _clock() + pause > deadline:
                    raise StoreUnavailable(self._give_up(error)) from error
            await asyncio.sleep(pause)
        raise AssertionError("pauses never end")

    async def write(self, work: Work[T], *, one_statement: bool = False) -> T:
        """Run statements in the next group's transaction and return when it is committed.

        Args:
            work: all or nothing: what it did is undone if it raises, and the rest of the group goes on. It may be run
                again after a lock, so it has no effect but its statements.
            one_statement: the work is a single statement, so alone in its group it needs no explicit transaction.

        Raises:
            StoreUnavailable: the file stayed locked for 2 s, cannot be written, or the store is closed.
            RuntimeError: the connection was opened by another process, before a fork.
        """
        self._check_usable()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._writes.append(_Write(work, one_statement, future, loop.time() + PATIENCE_SECONDS))
        if self._committer is None or self._committer.done():
            # A task's first step runs in the loop's next turn, after everything that this turn still asks for.
            self._committer = loop.create_task(self._commit_all())
        return await future

    async def close(self) -> None:
        """Wait for the writes under way and close the connection; a second time does nothing."""
        self._closed = True
        if self._committer is not None and not self._committer.done():
            await asyncio.wait([self._committer])  # a plain await would cancel the writes with the closing task
        self._drop()

    def _check_usable(self) -> None:
        if self._closed:
            raise StoreUnavailable("the ephemeral store is closed")
        if self._connection is not None and self._process != os.getpid():
            raise RuntimeError("the ephemeral store was opened before a fork; each process opens its own")

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection, self._process = _connect(self._path), os.getpid()
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _give_up(self, error: Exception) -> str:
        """Name the failure; after anything but a lock the next verb starts with a new connection."""
        if _is_locked(error):
            return f"the ephemeral store was locked for {PATIENCE_SECONDS:g} s"
        self._drop()
        return f"the ephemeral store cannot be used: {getattr(error, 'sqlite_errorname', type(error).__name__)}"

    async def _commit_all(self) -> None:
        """Commit until no write is left, waiting for the lock between attempts; whoever joins meanwhile joins in."""
        try:
            for pause in _pauses():
                try:
                    self._commit_group()
                except (sqlite3.Error, OSError) as error:
                    next_attempt = _clock() + pause if _is_locked(error) else float("inf")
                    self._refuse(self._give_up(error), before=next_attempt)
                if not self._writes:
                    return
                await asyncio.sleep(pause)
        finally:
            # Nothing is left unless this task was cancelled, as the end of the event loop does.
            self._refuse("the ephemeral store stopped writing", before=float("inf"))

    def _commit_group(self) -> None:
        """Run and commit every waiting write whose caller still waits, then tell the callers."""
        group = [write for write in self._writes if not write.future.done()]
        connection, now = self._open(), reading(self._now)
        if len(group) == 1 and group[0].one_statement:
            outcomes = [_outcome(group[0].work, connection, now)]
        else:
            outcomes = _transaction(connection, group, now)
        self._writes = []
        for write, (result, error) in zip(group, outcomes, strict=True):
            if error is None:
                write.future.set_result(result)
            else:
                write.future.set_exception(error)

    def _refuse(self, reason: str, *, before: float) -> None:
        """Refuse the writes whose patience ends before that time, by the loop's clock, and keep the others."""
        for write in self._writes:
            if write.deadline < before and not write.future.done():
                write.future.set_exception(StoreUnavailable(reason))
        self._writes = [write for write in self._writes if not write.future.done()]


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file, made private first if it is new; SQLite gives its companions (-wal, -shm) the same mode.

    A file that exists is opened by SQLite alone: closing a descriptor drops every lock of this process on it.
    """
    path.touch(mode=0o600)
    path.chmod(0o600)
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if _version(connection) != _SCHEMA_VERSION:
            _create_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchall()[0][0])


def _create_tables(connection: sqlite3.Connection) -> None:
    """Write tables and identity once: whoever holds the lock second finds them there."""
    connection.execute("BEGIN IMMEDIATE")
    if _version(connection) != _SCHEMA_VERSION:
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("INSERT INTO store (identity) VALUES (?)", (secrets.token_hex(16),))
    connection.execute("COMMIT")


def _transaction(
    connection: sqlite3.Connection, group: Iterable[_Write], now: int
) -> list[tuple[Any, Exception | None]]:
    """Run a group of writes in one transaction; what one of them raises is its own outcome and undoes only itself."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        outcomes = []
        for write in group:
            connection.execute("SAVEPOINT one_write")
            outcome = _outcome(write.work, connection, now)
            if outcome[1] is not None:
                connection.execute("ROLLBACK TO one_write")
            connection.execute("RELEASE one_write")
            outcomes.append(outcome)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some failures (a full disk) have already rolled back
            connection.execute("ROLLBACK")
        raise
    return outcomes


def _outcome(work: Work[Any], connection: sqlite3.Connection, now: int) -> tuple[Any, Exception | None]:
    """Return what the work returned or raised; trouble of the store itself is raised, for it concerns everyone."""
    try:
        return work(connection, now), None
    except sqlite3.Error:
        raise
    except Exception as error:  # noqa: BLE001 - handed to whoever asked for the work
        return None, error


def _is_locked(error: Exception) -> bool:
    primary_code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return primary_code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _pauses() -> Iterator[float]:
    """Growing waits in seconds, each drawn around its middle so that waiting processes do not meet again."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield pause * random.uniform(0.5, 1.5)  # noqa: S311 - spreads retries, guards nothing
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _clock() -> float:
    return asyncio.get_running_loop().time()
