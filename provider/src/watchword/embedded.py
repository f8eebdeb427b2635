"""A SQLite file on the event loop's own thread: opening, waiting for a lock, committing many writes at once.

A prepared statement takes a few tens of microseconds here, less than handing it to a thread and back, so there is no
thread. What could take long is waiting for another process's lock, and that never happens inside SQLite (the busy
timeout is 0) but in `asyncio.sleep`, where the loop goes on. The durable and the ephemeral store stand on this.
"""

import asyncio
import os
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from os.path import samestat
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

T = TypeVar("T")
Work = Callable[[sqlite3.Connection, int], T]
"""Statements to run, given the connection and the store's time in microseconds since 1970.

May be run again after a lock, so it has no effect but its statements.
"""

PATIENCE_SECONDS = 2.0
"""How long any one caller waits for the lock before giving up."""
_FIRST_PAUSE_SECONDS = 0.0005
_LONGEST_PAUSE_SECONDS = 0.02

_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_TROUBLE = _LOCKED | frozenset(
    {
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY,
    }
)  # fmt: skip


class StoreUnavailable(Exception):
    """A store did not answer: locked for too long, unreadable, full, replaced or closed. The request may be repeated.

    The text says what failed and never holds a key or a value. Nothing was written, unless the commit itself failed:
    then nobody knows.
    """


class EmbeddedFile:
    """One process's connection to a file that processes of one machine share: reads at once, writes in groups.

    All writes asked for in one turn of the loop share one transaction and one time, and each answers after the commit.
    Opened by the first read or write, so that each worker opens its own; belongs to one event loop at a time. `commits`
    counts the groups that were written.

    Args:
        path: taken as relative to the working directory of now.
        connect: opens the file; called again after trouble with the connection.
        now: the store's clock, in microseconds since 1970.
        name: how errors call the file, as in "the database file".
    """

    def __init__(
        self, path: Path, connect: Callable[[Path], sqlite3.Connection], *, now: Callable[[], int], name: str
    ) -> None:
        self._path, self._connect, self._now, self._name = path.absolute(), connect, now, name
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._opened: os.stat_result | None = None
        self.commits = 0
        self._pending: list[_Unit] = []
        self._turn: asyncio.Handle | None = None  # the next commit
        self._loop: asyncio.AbstractEventLoop | None = None  # whose turn that is
        self._closed = False

    async def read(self, work: Work[T]) -> T:
        """Run statements that only read, outside any transaction. Suspends only while the file is locked.

        Raises:
            StoreUnavailable: the file stayed locked for 2 s, cannot be read, was replaced, or is closed.
            RuntimeError: the file was opened by another process, before a fork.
        """
        pauses = deadline = None
        while True:
            self._check_usable()
            try:
                return work(self._connection or self._open(), self._now())
            except sqlite3.Error as error:
                if not _is_trouble(error):
                    raise
                pauses, deadline = pauses or _pauses(), deadline or _time() + PATIENCE_SECONDS
                pause = next(pauses)
                if not _is_locked(error) or _time() + pause > deadline:
                    raise self._refusal(error) from error
            await asyncio.sleep(pause)

    async def write(self, work: Work[T], *, one_statement: bool = False) -> T:
        """Run statements in the next group's transaction and return when it is committed.

        Args:
            work: all or nothing: what it did is undone if it raises, and the rest of the group goes on. Trouble of the
                file itself undoes the group. A caller who is cancelled before the work's turn does not get it done.
            one_statement: the work is one statement and fetches all its rows. SQLite makes that atomic by itself:
                alone in its group it needs no explicit transaction.

        Raises:
            StoreUnavailable: the file stayed locked for 2 s, cannot be written, was replaced, or is closed.
            RuntimeError: the file was opened by another process, before a fork.
        """
        self._check_usable()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._pending.append(_Unit(work, one_statement, answer, loop.time() + PATIENCE_SECONDS))
        if self._turn is None or self._loop is not loop:
            # In the loop's next turn, after everything that this turn still asks for.
            self._turn, self._loop = loop.call_soon(self._commit, loop, None), loop
        try:
            return await answer
        finally:
            answer.cancel()  # a caller that is closed rather than cancelled does not wait any more either

    async def close(self) -> None:
        """Wait for the writes under way and close the file. Whatever comes later is refused; a second time is nothing.

        Takes as long as those writes still wait for a lock, 2 s at most.
        """
        self._closed = True
        if waiting := [unit.answer for unit in self._pending if unit.wanted]:
            await asyncio.wait(waiting)  # a plain await would cancel the writes with the closing task
        self._drop()

    def _check_usable(self) -> None:
        if self._closed:
            raise StoreUnavailable(f"{self._name} is closed")
        if self._connection is not None and self._process != os.getpid():
            raise RuntimeError(f"{self._name} was opened before a fork; each process opens its own")

    def _open(self) -> sqlite3.Connection:
        self._check_name()
        try:
            connection = self._connect(self._path)
            self._opened = self._opened or self._path.stat()
        except OSError as error:
            raise refusal(self._name, error) from error
        self._connection, self._process = connection, os.getpid()
        return connection

    def _check_name(self) -> None:
        """Refuse a file that lost its name: a removal or a restore would swallow what is written to it.

        What this process knows belongs to the file it first opened, so another file in its place is refused as well.
        """
        if self._opened is None:
            return
        try:
            same = samestat(os.stat(self._path), self._opened)  # noqa: PTH116 - Path.stat takes twice the time
        except OSError:
            same = False
        if not same:
            raise StoreUnavailable(f"{self._name} was removed or replaced; restart the provider")

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _refusal(self, error: sqlite3.Error) -> StoreUnavailable:
        """Name the trouble. After anything but a lock the next use starts with a new connection.

        Except on a full disk, which may have no room for the files that a new connection makes beside this one.
        """
        if not _is_locked(error) and _primary_code(error) != sqlite3.SQLITE_FULL:
            self._drop()
        return refusal(self._name, error)

    def _commit(self, loop: asyncio.AbstractEventLoop, pauses: Iterator[float] | None) -> None:
        """Commit what waits; under a lock once more after a pause, and whoever joins meanwhile joins in."""
        pause = 0.0
        try:
            self._commit_group()
        except sqlite3.Error as error:
            pauses = pauses or _pauses()
            pause = next(pauses)
            next_attempt = loop.time() + pause if _is_locked(error) else float("inf")
            self._refuse(str(self._refusal(error)), before=next_attempt)
        except StoreUnavailable as error:
            self._refuse(str(error))
        except BaseException:
            self._refuse(f"{self._name} takes no more writes")
            raise
        finally:
            self._turn = loop.call_later(pause, self._commit, loop, pauses) if self._pending else None

    def _commit_group(self) -> None:
        """Run and commit every write whose caller still waits, then answer. Never suspends: nobody sees it half."""
        group = [unit for unit in self._pending if unit.wanted]
        if group:
            connection = self._connection or self._open()
            self._check_name()
            if len(group) == 1 and group[0].one_statement:
                group[0].run(connection, self._now())
            else:
                _run_together(connection, group, self._now())
            self.commits += 1
            for unit in group:
                unit.reply()
        self._pending.clear()

    def _refuse(self, reason: str, *, before: float = float("inf")) -> None:
        """Refuse the writes whose patience ends before that time, by the loop's clock, and keep the others."""
        for unit in self._pending:
            if unit.deadline < before:
                unit.fail(StoreUnavailable(reason))
        self._pending = [unit for unit in self._pending if unit.wanted]


class _Unit:
    """One write of a group: its work, what came of it, and who waits for that."""

    __slots__ = ("_result", "_work", "answer", "deadline", "error", "one_statement")

    def __init__(self, work: Work[Any], one_statement: bool, answer: asyncio.Future[Any], deadline: float) -> None:
        self._work, self.one_statement, self.answer, self.deadline = work, one_statement, answer, deadline
        self._result: Any = None
        self.error: Exception | None = None

    @property
    def wanted(self) -> bool:
        """Whether the caller still waits."""
        return not self.answer.done()

    def run(self, connection: sqlite3.Connection, now: int) -> None:
        """Run the work and keep what it returned or raised; trouble of the file itself is raised: it is everyone's."""
        try:
            self._result, self.error = self._work(connection, now), None
        except Exception as error:
            if _is_trouble(error):
                raise
            self.error = error

    def run_apart(self, connection: sqlite3.Connection, now: int) -> None:
        """Run inside the group's transaction; what the work raises undoes nothing but the work."""
        connection.execute("SAVEPOINT unit")
        self.run(connection, now)
        if self.error is not None:
            connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")

    def reply(self) -> None:
        if self.error is not None:
            self.fail(self.error)
        elif self.wanted:
            self.answer.set_result(self._result)

    def fail(self, error: Exception) -> None:
        if self.wanted:
            self.answer.set_exception(error)


def _run_together(connection: sqlite3.Connection, group: Sequence[_Unit], now: int) -> None:
    """Run a group of writes in one transaction and commit it; the write lock is held before the first statement.

    Savepoints would be two statements more for each unit, and hardly any fails half-way. So there are none at first; if
    one does, the group is undone and run again with them. A unit that is alone is undone with the transaction.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _run_one_by_one(connection, group, now):
            connection.execute("COMMIT")
            return
        connection.execute("ROLLBACK")
        if len(group) > 1:
            connection.execute("BEGIN IMMEDIATE")
            for unit in group:
                unit.run_apart(connection, now)
            connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some failures, such as a full disk, have rolled back already
            connection.execute("ROLLBACK")
        raise


def _run_one_by_one(connection: sqlite3.Connection, group: Sequence[_Unit], now: int) -> bool:
    """Run the units until one fails that has changed something; say whether none did. One statement undoes itself."""
    for unit in group:
        changes = connection.total_changes
        unit.run(connection, now)
        if unit.error is not None and connection.total_changes != changes:
            return False
    return True


def make_private(path: Path) -> None:
    """Make the file if it is missing, readable by its owner alone; SQLite gives its companions (-wal, -shm) its mode.

    Raises:
        OSError: the file cannot be made or belongs to someone else.
    """
    # An existing file is never opened for this: closing a descriptor would drop every lock of this process on it.
    path.touch(mode=0o600)
    path.chmod(0o600)


def connect(path: Path, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    """Open an existing file as the house opens them, then `prepare` the connection. Never waits for a lock.

    With `synchronous=NORMAL` and a write-ahead log, which the caller sees to, the last commits may be lost with the
    machine's power, never with the process.

    Raises:
        sqlite3.Error: the file is missing, locked or no database.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, timeout=0, isolation_level=None, cached_statements=256
    )
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def refusal(name: str, error: sqlite3.Error | OSError, *, patience: float = PATIENCE_SECONDS) -> StoreUnavailable:
    """Say in the house's words why a file cannot be used; `patience` is how many seconds were waited for a lock."""
    if _is_locked(error):
        return StoreUnavailable(f"{name} stayed locked for {patience:g} s")
    return StoreUnavailable(f"{name} cannot be used: {getattr(error, 'sqlite_errorname', type(error).__name__)}")


def _primary_code(error: Exception) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)  # the module's own complaints carry none
    return code & 0xFF


def _is_locked(error: Exception) -> bool:
    return _primary_code(error) in _LOCKED


def _is_trouble(error: Exception) -> bool:
    """Tell the file's troubles from what only a mistake in a statement can cause."""
    return _primary_code(error) in _TROUBLE


def _pauses() -> Iterator[float]:
    """Yield growing waits in seconds, each drawn around its middle so that waiting processes do not meet again."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield pause * random.uniform(0.5, 1.5)  # noqa: S311 - spreads retries, guards nothing
        pause = min(pause * 1.6, _LONGEST_PAUSE_SECONDS)


def _time() -> float:
    return asyncio.get_running_loop().time()
