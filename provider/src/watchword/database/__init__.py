"""The durable store: tables, migrations, and one module of functions per aggregate.

Only this folder knows SQLModel and SQLAlchemy, and it imports them for migrations alone: at run time everything is a
prepared statement.
"""

from pathlib import Path

from watchword.clock import Clock
from watchword.database.connection import Conflict, Database, Reader, Row, StoreUnavailable, Transaction
from watchword.database.sqlite import SQLiteDatabase, connect
from watchword.database.statement import Statement

__all__ = [
    "Conflict",
    "Database",
    "Reader",
    "Row",
    "Statement",
    "StoreUnavailable",
    "Transaction",
    "is_embedded",
    "open_database",
    "prepare_file",
]

_SQLITE = "sqlite:///"


def open_database(url: str, clock: Clock) -> Database:
    """Open the durable store of a URL. The connection itself is made on first use, in the process that uses it.

    Raises:
        ValueError: no store of this kind is built in.
    """
    return SQLiteDatabase(_path(url), clock)


def is_embedded(url: str) -> bool:
    """Say whether the store is a file of ours, which upgrades itself."""
    return url.startswith(_SQLITE)


def prepare_file(url: str) -> None:
    """Make an embedded store's file, readable by its owner alone, before migrations open it."""
    connect(_path(url)).close()


def _path(url: str) -> Path:
    if not is_embedded(url):
        raise ValueError("no durable store for this URL: use sqlite:///path/to/file.sqlite3")
    return Path(url.removeprefix(_SQLITE))
