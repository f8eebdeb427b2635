"""The embedded durable store: one SQLite connection held by the event loop's own thread.

A prepared statement on the loop's thread costs 20 to 60 microseconds, through a worker thread ten times that; so there
is no thread, and nothing here ever blocks on a lock: `busy_timeout` is 0 and waiting is asynchronous. Writes of one
tick share a transaction: each unit of work has a savepoint, and answers after the group's commit.
"""

import asyncio
import os
import random
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from watchword.clock import Clock
from watchword.database.connection import Conflict, Row, StoreUnavailable, Transaction, Work
from watchword.database.statement import Statement

T = TypeVar("T")
_LOCK_PATIENCE = 2.0  # seconds
_FIRST_PAUSE = 0.0005  # seconds
_LONGEST_PAUSE = 0.02

_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_OUT_OF_ORDER = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY,
    }
)  # fmt: skip
_TAKEN = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}
)


class _FileLocked(StoreUnavailable):
    """Another process holds the lock; patience may still help."""


class SQLiteDatabase:
    """`Database` on one SQLite file. Belongs to the process and the loop that first used it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path.absolute(), clock
        self._connection: sqlite3.Connection | None = None
        self._process, self._inode = 0, 0
        self._pending: list[_Unit] = []
        self._flushing: asyncio.Task[None] | None = None
        self._closed = False
        self.statements = 0

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        """Read one row. One statement."""
        row: Row | None = (await self._read(statement, values)).fetchone()
        return row

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Read rows. One statement."""
        rows: Sequence[Row] = (await self._read(statement, values)).fetchall()
        return rows

    async def transaction(self, work: Work[T]) -> T:
        """Run `work` with the other writes of this tick; answer after their commit. See `Database.transaction`."""
        if self._closed:
            raise StoreUnavailable("the durable store is closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._pending.append(_Unit(work, done, loop.time() + _LOCK_PATIENCE))
        if self._flushing is None:
            # A task's first step runs in the loop's next turn, after everything that this turn still asks for.
            self._flushing = loop.create_task(self._flush())
        try:
            return await done
        finally:
            done.cancel()  # whoever stops waiting before the work began does not want it done

    async def close(self) -> None:
        """Finish what is queued and close the file. Whatever comes later is refused."""
        self._closed = True
        while self._flushing is not None:
            await asyncio.wait([self._flushing])  # a plain await would cancel the queue with its caller
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _read(self, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        try:
            return self._run(statement, values)
        except _FileLocked:
            return await self._read_patiently(statement, values)

    async def _read_patiently(self, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LOCK_PATIENCE
        for pause in _pauses():
            await asyncio.sleep(pause)
            try:
                return self._run(statement, values)
            except _FileLocked:
                if loop.time() > deadline:
                    raise
        raise AssertionError("pauses never end")

    def _run(self, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        self.statements += 1
        bound = statement.bind(values, self._clock.microseconds())
        connection = self._connected()
        try:
            return connection.execute(statement.numbered, bound)
        except sqlite3.Error as error:
            raise _refusal(error) from error

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            return self._open()
        if self._process != os.getpid():
            raise RuntimeError("the durable store was opened before a fork; each process opens its own")
        return self._connection

    def _open(self) -> sqlite3.Connection:
        if self._closed and self._flushing is None:
            raise StoreUnavailable("the durable store is closed")
        try:
            self._connection = connect(self._path)
        except sqlite3.Error as error:
            raise _refusal(error) from error
        self._process, self._inode = os.getpid(), self._path.stat().st_ino
        return self._connection

    async def _flush(self) -> None:
        """Commit what is queued until nothing is; whoever joins while the file is locked joins in."""
        loop = asyncio.get_running_loop()
        pauses = _pauses()
        try:
            while self._pending:
                try:
                    self._commit_group()
                except _FileLocked:
                    pause = next(pauses)
                    self._refuse(_FileLocked("the database file stayed locked"), before=loop.time() + pause)
                    await asyncio.sleep(pause)
                except Exception as error:  # noqa: BLE001 - whatever went wrong is every waiter's answer
                    self._refuse(error)
        finally:
            self._flushing = None
            self._refuse(StoreUnavailable("the durable store stopped"))  # only when this task was cancelled

    def _refuse(self, error: Exception, *, before: float = float("inf")) -> None:
        """Fail the queued units whose patience ends `before` that time of the loop's clock; keep the others."""
        impatient = [unit for unit in self._pending if unit.deadline < before]
        self._pending = [unit for unit in self._pending if unit.deadline >= before and unit.wanted]
        for unit in impatient:
            unit.fail(error)

    def _commit_group(self) -> None:
        """Run every queued unit in one transaction, commit it, and answer. Never suspends, so nobody sees it half."""
        connection = self._connected()
        self._check_file()
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise _refusal(error) from error
        units, self._pending = self._pending, []
        transaction = _SQLiteTransaction(self._run)
        try:
            for unit in units:
                unit.attempt(transaction, connection)
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:  # some failures, such as a full disk, have rolled back already
                connection.execute("ROLLBACK")
            for unit in units:
                unit.fail(StoreUnavailable(f"the commit failed: {type(error).__name__}"))
            if not isinstance(error, sqlite3.Error):
                raise
            return
        for unit in units:
            unit.answer()

    def _check_file(self) -> None:
        """Refuse to write into a file that lost its name: a restore or a removal would swallow it without a word."""
        try:
            same = self._path.stat().st_ino == self._inode
        except OSError:
            same = False
        if not same:
            raise StoreUnavailable("the database file was removed or replaced; restart the provider")


class _Unit:
    """One queued unit of work: run inside a savepoint, answered after the group's commit."""

    __slots__ = ("_done", "_error", "_result", "_work", "deadline")

    def __init__(self, work: Work[Any], done: asyncio.Future[Any], deadline: float) -> None:
        self._work, self._done, self.deadline = work, done, deadline
        self._result: Any = None
        self._error: Exception | None = None

    @property
    def wanted(self) -> bool:
        """Whether the caller still waits."""
        return not self._done.done()

    def attempt(self, transaction: Transaction, connection: sqlite3.Connection) -> None:
        if not self.wanted:
            return
        connection.execute("SAVEPOINT unit")
        try:
            self._result = _run_at_once(self._work(transaction))
        except Exception as error:  # noqa: BLE001 - it is the caller's, and reaches the caller through the future
            self._error = error
            connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")

    def answer(self) -> None:
        if self._error is not None:
            self.fail(self._error)
        elif self.wanted:
            self._done.set_result(self._result)

    def fail(self, error: Exception) -> None:
        if self.wanted:
            self._done.set_exception(error)


class _SQLiteTransaction:
    __slots__ = ("_run",)

    def __init__(self, run: Callable[[Statement, dict[str, Any]], sqlite3.Cursor]) -> None:
        self._run = run

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        row: Row | None = self._run(statement, values).fetchone()
        return row

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        rows: Sequence[Row] = self._run(statement, values).fetchall()
        return rows

    async def execute(self, statement: Statement, **values: Any) -> int:
        return self._run(statement, values).rowcount


def _run_at_once(work: Awaitable[T]) -> T:
    """Drive a coroutine that awaits only its transaction, which never suspends here, to its end."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as finished:
        result: T = finished.value
        return result
    steps.close()
    raise RuntimeError("a transaction's work may await nothing but its transaction")


def _refusal(error: sqlite3.Error) -> Exception:
    """Say in the house's words what SQLite refused. What only a mistake of ours can cause stays as it is."""
    code = getattr(error, "sqlite_errorcode", 0)  # the module's own complaints carry none
    if code in _TAKEN:
        return Conflict()
    if code & 0xFF in _LOCKED:
        return _FileLocked("the database file stayed locked")
    if code & 0xFF in _OUT_OF_ORDER:
        return StoreUnavailable(f"the database file cannot be used: {error.sqlite_errorname}")
    return error


def _pauses() -> Iterator[float]:
    """Yield growing waits in seconds, each drawn around its middle so that waiting processes do not meet again."""
    pause = _FIRST_PAUSE
    while True:
        yield pause * (0.5 + random.random())  # noqa: S311 - jitter, not a secret
        pause = min(pause * 1.6, _LONGEST_PAUSE)


def make_file(path: Path) -> None:
    """Make the file if it is missing, readable by its owner alone, and choose its journal. Before workers start.

    Raises:
        StoreUnavailable: it cannot be made, is another kind of file, or stays locked for ten seconds.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)  # SQLite gives the files beside it (-wal, -shm) the same mode
        with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")  # stays with the file
    except OSError as error:
        raise StoreUnavailable(f"the database file cannot be used: {error.strerror}") from error
    except sqlite3.Error as error:
        raise _refusal(error) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open an existing file with the house's pragmas. Never waits for a lock."""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, timeout=0, isolation_level=None, cached_statements=256
    )
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection
