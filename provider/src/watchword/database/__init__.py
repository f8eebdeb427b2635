"""The durable store: tables, migrations, and one module of functions per aggregate.

Only this folder knows SQLModel and SQLAlchemy, and it imports them for migrations alone: at run time everything is a
prepared statement.
"""

from pathlib import Path

from watchword.clock import Clock
from watchword.database.address import NO_STORE, is_postgresql, parse_address
from watchword.database.connection import Conflict, Database, Overtaken, Reader, Row, Transaction
from watchword.database.sqlite import SQLiteDatabase, make_file
from watchword.database.statement import Statement
from watchword.database.trail import Trail
from watchword.embedded import StoreUnavailable

__all__ = [
    "Conflict",
    "Database",
    "Overtaken",
    "Reader",
    "Row",
    "Statement",
    "StoreUnavailable",
    "Trail",
    "Transaction",
    "file_of",
    "is_embedded",
    "open_database",
    "prepare_file",
]

_SQLITE = "sqlite:///"


def open_database(url: str, clock: Clock, *, pool_size: int = 10) -> Database:
    """Open the durable store of a URL. A connection is made on first use, in the process that uses it.

    Args:
        url: `sqlite:///path/to/file.sqlite3`, or `postgresql://user:password@host:5432/name` (`database.address`).
        clock: the store's clock, or how far it is ahead of the server's.
        pool_size: connections to a server at most.

    Raises:
        ValueError: the URL names no store that is built in. The text never repeats it: it may hold a password.
    """
    if is_postgresql(url):
        from watchword.database.postgresql import PostgreSQLDatabase  # noqa: PLC0415 - the driver is large

        return PostgreSQLDatabase(parse_address(url), clock, pool_size=pool_size)
    return SQLiteDatabase(file_of(url), clock)


def is_embedded(url: str) -> bool:
    """Say whether the store is a file of ours, which upgrades itself."""
    return url.startswith(_SQLITE)


def prepare_file(url: str) -> None:
    """Make an embedded store's file, readable by its owner alone, before migrations open it.

    Raises:
        ValueError: the URL names no file.
        StoreUnavailable: the file cannot be made or is no database.
    """
    make_file(file_of(url))


def file_of(url: str) -> Path:
    """Return the file of an embedded store.

    Raises:
        ValueError: the URL names no file.
    """
    name = url.removeprefix(_SQLITE)
    # Options, escapes and `:memory:` would mean one thing to the migrations' driver and another one here.
    if not is_embedded(url) or not name or name.endswith("/") or set(name) & set(":?%"):
        raise ValueError(NO_STORE)
    return Path(name)
