"""The ephemeral store in a SQLite file: right for several workers on one machine, and fast on the loop's own thread.

Every verb but `charge`, `refund` and `sweep` is a single SQL statement, so SQLite itself makes it atomic; those three
run inside `BEGIN IMMEDIATE`. Verbs that are asked for in the same turn of the event loop share one commit. A verb that
writes has been committed when it returns.
"""

import secrets
import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from watchword import embedded
from watchword.clock import microseconds
from watchword.embedded import EmbeddedFile
from watchword.ephemeral.limits import Bucket, bucket_of, decide, refunded
from watchword.ephemeral.store import SWEEP_BATCH, Charge, Now, Refusal, reading

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
_READ_RATE = "SELECT empty_at FROM rates WHERE limit_name = ? AND key = ?"
_WRITE_RATE = """
    INSERT INTO rates (limit_name, key, empty_at) VALUES (?, ?, ?)
    ON CONFLICT (limit_name, key) DO UPDATE SET empty_at = excluded.empty_at"""
_SWEEP_ENTRIES = """
    DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE expires_at <= ? LIMIT ?)"""
_SWEEP_RATES = """
    DELETE FROM rates WHERE (limit_name, key) IN (SELECT limit_name, key FROM rates WHERE empty_at <= ? LIMIT ?)"""
_IDENTITY = "SELECT identity FROM store"

_PREFIX = "sqlite:///"


class SQLiteStore:
    """`EphemeralStore` over one file that workers of one machine share, each through a connection of its own."""

    def __init__(self, path: Path, *, now: Now) -> None:
        self._file = EmbeddedFile(path, _connect, now=lambda: reading(now), name="the ephemeral store's file")

    @classmethod
    def from_url(cls, url: str, now: Now) -> "SQLiteStore":
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
        return await self._file.read(lambda file, now: _first(file.execute(_GET, {"key": key, "now": now}).fetchall()))

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
        """Count all charges or none: one read, and if admitted one write, per bucket, in one write transaction.

        The write lock is held before the first read, so no other process decides on the same state.
        """
        return await self._file.write(lambda file, now: _charge(file, charges, now))

    async def refund(self, charges: Sequence[Charge]) -> None:
        """Give back what an admitted charge counted: one read and one write per charge, in one transaction."""
        await self._file.write(lambda file, _: _refund(file, charges))

    async def identity(self) -> str:
        """Return the id that was written with the tables: one statement, read from the file every time."""
        return await self._file.read(lambda file, _: str(file.execute(_IDENTITY).fetchall()[0][0]))

    async def ping(self) -> None:
        """Take the write lock of the file and let it go again: a file that lost its name does not answer."""
        await self._file.write(lambda _file, _now: None)

    async def sweep(self) -> int:
        """Delete a batch of expired values and one of empty buckets: two statements in one transaction."""
        return await self._file.write(_sweep)

    async def close(self) -> None:
        """Wait for the writes under way, then close this process's connection: no statement."""
        await self._file.close()

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
    if _version(connection) != _SCHEMA_VERSION:
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("INSERT INTO store (identity) VALUES (?)", (secrets.token_hex(16),))
    connection.execute("COMMIT")


def _first(rows: list[Any]) -> bytes | None:
    return rows[0][0] if rows else None


def _empty_at(connection: sqlite3.Connection, charges: Sequence[Charge]) -> dict[Bucket, int]:
    rows = ((bucket, connection.execute(_READ_RATE, bucket).fetchall()) for bucket in set(map(bucket_of, charges)))
    return {bucket: found[0][0] for bucket, found in rows if found}


def _write_rates(connection: sqlite3.Connection, empty_at: dict[Bucket, int]) -> None:
    connection.executemany(_WRITE_RATE, [(*bucket, at) for bucket, at in empty_at.items()])


def _charge(connection: sqlite3.Connection, charges: Sequence[Charge], now: int) -> Refusal | None:
    decision = decide(charges, _empty_at(connection, charges), now)
    if isinstance(decision, Refusal):
        return decision
    _write_rates(connection, decision)
    return None


def _refund(connection: sqlite3.Connection, charges: Sequence[Charge]) -> None:
    empty_at = _empty_at(connection, charges)
    for charge in charges:
        bucket = bucket_of(charge)
        if bucket in empty_at:
            empty_at[bucket] = refunded(charge, empty_at[bucket])
    _write_rates(connection, empty_at)


def _sweep(connection: sqlite3.Connection, now: int) -> int:
    return sum(connection.execute(sweep, (now, SWEEP_BATCH)).rowcount for sweep in (_SWEEP_ENTRIES, _SWEEP_RATES))
