"""The embedded durable store: one SQLite connection held by the event loop's own thread.

A prepared statement on the loop's thread costs 20 to 60 microseconds, through a worker thread ten times that; so there
is no thread, and nothing here ever blocks on a lock: `busy_timeout` is 0 and waiting is asynchronous. Writes of one
tick share a transaction: each unit of work has a savepoint, and answers after the group's commit.
"""

import asyncio
import os
import random
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from watchword.clock import Clock
from watchword.database.connection import Conflict, Row, StoreUnavailable, Transaction, Work
from watchword.database.statement import Statement

T = TypeVar("T")
_LOCK_PATIENCE = 2.0  # seconds
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class SQLiteDatabase:
    """`Database` on one SQLite file. Belongs to the process and the loop that first used it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._connection: sqlite3.Connection | None = None
        self._pending: list[_Unit] = []
        self._flushing: asyncio.Task[None] | None = None
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
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._pending.append(_Unit(work, done))
        if self._flushing is None:
            self._flushing = loop.create_task(self._flush())
        return await done

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        while self._flushing is not None:
            await self._flushing
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _read(self, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        async def attempt() -> sqlite3.Cursor:
            return self._run(statement, values)

        try:
            return self._run(statement, values)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _BUSY:
                raise
        return await _patiently(attempt)

    def _run(self, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        self.statements += 1
        return self._connected().execute(statement.numbered, statement.bind(values, self._clock.microseconds()))

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    async def _flush(self) -> None:
        """Commit the queued units of work, group by group, until none is left."""
        try:
            while self._pending:
                try:
                    await _patiently(self._begin)
                except Exception as error:  # noqa: BLE001 - whatever went wrong is every waiter's answer
                    units, self._pending = self._pending, []
                    for unit in units:
                        unit.fail(error)
                    continue
                units, self._pending = self._pending, []
                self._commit_group(units)
        finally:
            self._flushing = None

    async def _begin(self) -> None:
        self._connected().execute("BEGIN IMMEDIATE")

    def _commit_group(self, units: list["_Unit"]) -> None:
        connection = self._connected()
        transaction = _SQLiteTransaction(self._run)
        try:
            for unit in units:
                unit.attempt(transaction, connection)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for unit in units:
                unit.fail(StoreUnavailable(type(error).__name__))
            return
        for unit in units:
            unit.answer()


class _Unit:
    """One queued unit of work: run inside a savepoint, answered after the group's commit."""

    __slots__ = ("_done", "_error", "_result", "_work")

    def __init__(self, work: Work[Any], done: asyncio.Future[Any]) -> None:
        self._work, self._done = work, done
        self._result: Any = None
        self._error: BaseException | None = None

    def attempt(self, transaction: Transaction, connection: sqlite3.Connection) -> None:
        if self._done.cancelled():
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
        elif not self._done.done():
            self._done.set_result(self._result)

    def fail(self, error: BaseException) -> None:
        if not self._done.done():
            self._done.set_exception(error)


class _SQLiteTransaction:
    __slots__ = ("_run",)

    def __init__(self, run: Callable[[Statement, dict[str, Any]], sqlite3.Cursor]) -> None:
        self._run = run

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        row: Row | None = self._write(statement, values).fetchone()
        return row

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        rows: Sequence[Row] = self._write(statement, values).fetchall()
        return rows

    async def execute(self, statement: Statement, **values: Any) -> int:
        return self._write(statement, values).rowcount

    def _write(self, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        try:
            return self._run(statement, values)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode in {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}:
                raise Conflict from error
            raise


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


async def _patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try until another process lets go of the file, waiting without blocking the loop.

    Raises:
        StoreUnavailable: it stayed locked for two seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _LOCK_PATIENCE
    pause = 0.0005
    while True:
        try:
            return await attempt()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _BUSY:
                raise
            if loop.time() + pause > deadline:
                raise StoreUnavailable("the database file stayed locked") from None
        await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 - jitter, not a secret
        pause = min(pause * 1.6, 0.02)


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, readable by its owner alone, with the house's pragmas."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, cached_statements=256)
    connection.row_factory = sqlite3.Row
    # Switching to WAL needs the file for itself once, so this one statement may wait for other starting workers.
    connection.execute("PRAGMA busy_timeout = 2000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA busy_timeout = 0")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
