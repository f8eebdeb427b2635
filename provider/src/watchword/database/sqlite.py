"""The embedded durable store: prepared statements on a file of its own, transactions on the file's shared commits."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from watchword import embedded
from watchword.clock import Clock
from watchword.database.connection import Conflict, Overtaken, Row, Work
from watchword.database.statement import Statement
from watchword.database.trail import Trail
from watchword.embedded import EmbeddedFile

T = TypeVar("T")
_FILE = "the database file"
_MAKING_PATIENCE = 10.0  # seconds
_CACHE_KIB = 8000  # SQLite's own 2,000 make a look-up twice as dear once there are 50,000 accounts

_TAKEN = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}
)


class SQLiteDatabase:
    """`Database` on one SQLite file. Belongs to the process and the loop that first used it."""

    trail: Trail

    def __init__(self, path: Path, clock: Clock) -> None:
        self._file = EmbeddedFile(path, connect, now=clock.microseconds, name=_FILE)
        self.statements = 0

    @property
    def commits(self) -> int:
        """How many commits there were so far; writes that arrive together share one."""
        return self._file.commits

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        """Read one row. One statement."""
        row: Row | None = await self._file.read(lambda file, now: self.run(file, now, statement, values).fetchone())
        return row

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Read rows. One statement."""
        rows: Sequence[Row] = await self._file.read(lambda file, now: self.run(file, now, statement, values).fetchall())
        return rows

    async def transaction(self, work: Work[T], *, one_statement: bool = False) -> T:  # noqa: ARG002 - for servers
        """Run `work` with the other writes of this tick; answer after their commit. See `Database.transaction`."""
        return await self._file.write(lambda file, now: _run_at_once(work, _SQLiteTransaction(self, file, now)))

    async def close(self) -> None:
        """Finish what is queued and close the file. Whatever comes later is refused."""
        await self._file.close()

    def run(self, file: sqlite3.Connection, now: int, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        """Run one statement, inside or outside a transaction."""
        self.statements += 1
        try:
            return file.execute(statement.numbered, statement.bind(values, now))
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode in _TAKEN:
                raise Conflict from error
            raise


class _SQLiteTransaction:
    __slots__ = ("_database", "_file", "_now", "conflict")

    def __init__(self, database: SQLiteDatabase, file: sqlite3.Connection, now: int) -> None:
        self._database, self._file, self._now = database, file, now
        self.conflict: Conflict | Overtaken | None = None

    @property
    def trail(self) -> Trail:
        return self._database.trail

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        row: Row | None = self._run(statement, values).fetchone()
        return row

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        rows: Sequence[Row] = self._run(statement, values).fetchall()
        return rows

    async def execute(self, statement: Statement, **values: Any) -> int:
        return self._run(statement, values).rowcount

    async def insert(self, statement: Statement, **values: Any) -> None:
        self._run(statement, values)

    async def settle(self, statement: Statement, **values: Any) -> None:
        if not self._run(statement, values).rowcount:
            self.conflict = Overtaken()
            raise self.conflict

    def _run(self, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        if self.conflict is not None:
            raise self.conflict
        try:
            return self._database.run(self._file, self._now, statement, values)
        except Conflict as conflict:
            self.conflict = conflict
            raise


def _run_at_once(work: Work[T], transaction: _SQLiteTransaction) -> T:
    """Drive a coroutine that awaits only its transaction, which never suspends here, to its end."""
    steps = work(transaction).__await__()
    try:
        next(steps)
    except StopIteration as finished:
        if transaction.conflict is not None:  # kept quiet about
            raise transaction.conflict from None
        result: T = finished.value
        return result
    steps.close()
    raise RuntimeError("a transaction's work may await nothing but its transaction")


def make_file(path: Path) -> None:
    """Make the file if it is missing, readable by its owner alone, and choose its journal. Before workers start.

    Raises:
        StoreUnavailable: it cannot be made, is another kind of file, or stays locked for ten seconds.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        embedded.make_private(path)
        with closing(sqlite3.connect(path, timeout=_MAKING_PATIENCE, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")  # stays with the file
    except (sqlite3.Error, OSError) as error:
        raise embedded.refusal(_FILE, error, patience=_MAKING_PATIENCE) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open an existing file with the house's pragmas. Never waits for a lock."""
    return embedded.connect(path, _prepare)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
