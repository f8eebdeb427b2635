"""The ephemeral store in a SQLite file: right for several workers on one machine, and fast on the loop's own thread.

Every verb but `charge`, `refund` and `sweep` is a single SQL statement, so SQLite itself makes it atomic; those three
run inside `BEGIN IMMEDIATE`. Verbs that are asked for in the same turn of the event loop share one commit. A verb that
writes has been committed when it returns.

Nothing is indexed by its expiry: that would be half of what a login writes here, and most of it is deleted long before
by its key. The sweep walks through the tables instead.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from watchword import embedded
from watchword.clock import microseconds
from watchword.embedded import EmbeddedFile
from watchword.ephemeral.limits import State, decide, drained_at, read_state, refund, write_state
from watchword.ephemeral.store import SWEEP_BATCH, Charge, Now, Offset, Refusal, reading

_SCHEMA_VERSION = 3
_RATES = (
    "CREATE TABLE rates (key TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID",
    f"PRAGMA user_version = {_SCHEMA_VERSION}",
)
_SCHEMA = (
    "CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE store (identity TEXT NOT NULL)",
    *_RATES,
)
# No release wrote rates of another shape.
_FROM_ANOTHER = ("DROP TABLE rates", "DROP INDEX IF EXISTS entries_by_expiry", *_RATES)
_PUT = """
    INSERT INTO entries (key, value, expires_at) VALUES (:key, :value, :now + :lifetime)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at"""
_ADD = f"{_PUT} WHERE entries.expires_at <= :now RETURNING 1"
_GET = "SELECT value FROM entries WHERE key = :key AND expires_at > :now"
_TAKE = "DELETE FROM entries WHERE key = :key AND expires_at > :now RETURNING value"
_SWAP = """
    UPDATE entries SET value = :value, expires_at = :now + :lifetime
    WHERE key = :key AND value = :expected AND expires_at > :now RETURNING 1"""
# A cast between INTEGER and BLOB goes through decimal text; what does not survive the round trip is no counter.
_INCREMENT = """
    INSERT INTO entries (key, value, expires_at) VALUES (:key, CAST(:by AS BLOB), :now + :lifetime)
    ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at, value = CASE
        WHEN entries.expires_at <= :now THEN excluded.value
        ELSE CAST(CAST(entries.value AS INTEGER) + :by AS BLOB) END
    WHERE entries.expires_at <= :now OR CAST(CAST(entries.value AS INTEGER) AS BLOB) = entries.value
    RETURNING CAST(value AS INTEGER)"""
_DELETE = "DELETE FROM entries WHERE key = :key"
_READ_RATE = "SELECT state FROM rates WHERE key = ?"
_WRITE_RATE = """
    INSERT INTO rates (key, state) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state"""
_DELETE_RATE = "DELETE FROM rates WHERE key = ?"
_NEXT_ROWS = {
    "entries": "SELECT key, expires_at FROM entries WHERE key > ? ORDER BY key LIMIT ?",
    "rates": "SELECT key, state FROM rates WHERE key > ? ORDER BY key LIMIT ?",
}
# A row that changed since it was looked at is no longer over.
_DELETE_ROW = {
    "entries": "DELETE FROM entries WHERE key = ? AND expires_at = ?",
    "rates": "DELETE FROM rates WHERE key = ? AND state = ?",
}
_IDENTITY = "SELECT identity FROM store"

_PREFIX = "sqlite:///"


class SQLiteStore:
    """`EphemeralStore` over one file that workers of one machine share, each through a connection of its own."""

    def __init__(self, path: Path, *, now: Now) -> None:
        self._file = EmbeddedFile(path, _connect, now=lambda: reading(now), name="the ephemeral store's file")
        self._swept = dict.fromkeys(_NEXT_ROWS, "")  # how far each table was walked through

    @classmethod
    def from_url(cls, url: str, now: Now, _offset: Offset) -> "SQLiteStore":
        """Return the store of `sqlite:///relative/path` or `sqlite:////absolute/path`; options are not taken.

        Raises:
            ValueError: the URL has a host, options or no path.
        """
        path = url.removeprefix(_PREFIX)
        if path in {url, "", ":memory:"} or "?" in path:
            raise ValueError(
                "the ephemeral store's file is written sqlite:///relative/path.sqlite3 or "
                "sqlite:////absolute/path.sqlite3, without options"
            )
        return cls(Path(path), now=now)

    async def put(self, key: str, value: bytes, lifetime: timedelta) -> None:
        """Set the value: one statement."""
        await self._execute(_PUT, key=key, value=value, lifetime=microseconds(lifetime))

    async def add(self, key: str, value: bytes, lifetime: timedelta) -> bool:
        """Set the value unless a live one is there: one statement."""
        return bool(await self._execute(_ADD, key=key, value=value, lifetime=microseconds(lifetime)))

    async def get(self, key: str) -> bytes | None:
        """Return the live value: one statement, which takes no lock that a writer could hold."""
        return await self._file.read(lambda file, now: _get(file, key, now))

    async def get_all(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the live values: one statement for each key, which takes no lock that a writer could hold."""
        return await self._file.read(lambda file, now: [_get(file, key, now) for key in keys])

    async def take(self, key: str) -> bytes | None:
        """Return the live value and delete it: one statement, so one winner among all processes."""
        return _first(await self._execute(_TAKE, key=key))

    async def swap(self, key: str, expected: bytes, value: bytes, lifetime: timedelta) -> bool:
        """Replace a live value equal to `expected`: one statement."""
        parameters = {"key": key, "expected": expected, "value": value, "lifetime": microseconds(lifetime)}
        return bool(await self._execute(_SWAP, **parameters))

    async def increment(self, key: str, by: int, lifetime: timedelta) -> int:
        """Add to a counter and renew its lifetime: one statement.

        Raises:
            ValueError: the key holds a live value that is no counter.
        """
        rows = await self._execute(_INCREMENT, key=key, by=by, lifetime=microseconds(lifetime))
        if not rows:
            raise ValueError("the key holds a value that is no counter")
        return int(rows[0][0])

    async def delete(self, key: str) -> None:
        """Forget the value: one statement."""
        await self._execute(_DELETE, key=key)

    async def charge(self, charges: Sequence[Charge]) -> Refusal | None:
        """Count all charges or none: one read, and if admitted one write, per key, in one write transaction.

        The write lock is held before the first read, so no other process decides on the same state.
        """
        return await self._file.write(lambda file, now: _charge(file, charges, now))

    async def refund(self, charges: Sequence[Charge]) -> None:
        """Give back what an admitted charge counted: one read and one write per key, in one transaction."""
        await self._file.write(lambda file, now: _refund(file, charges, now))

    async def identity(self) -> str:
        """Return the id that was written with the tables: one statement, read from the file every time."""
        return await self._file.read(lambda file, _: str(file.execute(_IDENTITY).fetchall()[0][0]))

    async def ping(self) -> None:
        """Take the write lock of the file and let it go again: a file that lost its name does not answer."""
        await self._file.write(lambda _file, _now: None)

    async def check(self) -> None:
        """Return: a file keeps what it is told. No statement."""

    async def sweep(self) -> int:
        """Walk on through values and limits until a batch of each is deleted, or to the end.

        One statement for every 500 rows looked at, and a transaction for those of them that are over.
        """
        return sum([await self._sweep(table) for table in _NEXT_ROWS])

    async def close(self) -> None:
        """Wait for the writes under way, then close this process's connection: no statement."""
        await self._file.close()

    async def _sweep(self, table: str) -> int:
        deleted = 0
        while deleted < SWEEP_BATCH:
            rows, over = await self._file.read(partial(_next_rows, table, self._swept[table]))
            if over:
                deleted += await self._file.write(partial(_delete_rows, table, over))
            self._swept[table] = rows[-1][0] if len(rows) == SWEEP_BATCH else ""
            if not self._swept[table]:
                break
            await asyncio.sleep(0)  # requests first
        return deleted

    async def _execute(self, statement: str, **parameters: object) -> list[Any]:
        """Run one writing statement in the next shared commit and return its rows."""
        return await self._file.write(
            # All rows are fetched because an unfinished statement is an uncommitted one.
            lambda file, now: file.execute(statement, {"now": now, **parameters}).fetchall(),
            one_statement=True,
        )


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file, made first if it is new."""
    embedded.make_private(path)
    return embedded.connect(path, _prepare)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    if _version(connection) != _SCHEMA_VERSION:
        _create_tables(connection)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchall()[0][0])


def _create_tables(connection: sqlite3.Connection) -> None:
    """Write tables and identity once: whoever holds the lock second finds them there."""
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection)
    if version != _SCHEMA_VERSION:
        for statement in _FROM_ANOTHER if version else _SCHEMA:
            connection.execute(statement)
    if version == 0:
        connection.execute("INSERT INTO store (identity) VALUES (?)", (secrets.token_hex(16),))
    connection.execute("COMMIT")


def _first(rows: list[Any]) -> bytes | None:
    return rows[0][0] if rows else None


def _get(connection: sqlite3.Connection, key: str, now: int) -> bytes | None:
    return _first(connection.execute(_GET, {"key": key, "now": now}).fetchall())


def _read_rates(connection: sqlite3.Connection, charges: Sequence[Charge]) -> dict[str, State]:
    rows = ((key, connection.execute(_READ_RATE, (key,)).fetchall()) for key in {charge.key for charge in charges})
    return {key: read_state(found[0][0]) for key, found in rows if found}


def _write_rates(connection: sqlite3.Connection, rates: Mapping[str, State]) -> None:
    kept = [(key, write_state(state)) for key, state in rates.items() if state]
    connection.executemany(_WRITE_RATE, kept)
    connection.executemany(_DELETE_RATE, [(key,) for key, state in rates.items() if not state])


def _charge(connection: sqlite3.Connection, charges: Sequence[Charge], now: int) -> Refusal | None:
    decision = decide(charges, _read_rates(connection, charges), now)
    _write_rates(connection, decision.after)
    return decision.refusal


def _refund(connection: sqlite3.Connection, charges: Sequence[Charge], now: int) -> None:
    _write_rates(connection, refund(charges, _read_rates(connection, charges), now))


def _next_rows(table: str, after: str, connection: sqlite3.Connection, now: int) -> tuple[list[Any], list[Any]]:
    """Return the next rows of a table, and those of them that are over."""
    rows = connection.execute(_NEXT_ROWS[table], (after, SWEEP_BATCH)).fetchall()
    if table == "entries":
        return rows, [row for row in rows if row[1] <= now]
    return rows, [row for row in rows if drained_at(row[1]) <= now]


def _delete_rows(table: str, rows: list[Any], connection: sqlite3.Connection, _now: int) -> int:
    return connection.executemany(_DELETE_ROW[table], rows).rowcount
