"""Migrations: bring a database to the newest schema. Run by the parent process before workers fork.

Alembic and SQLAlchemy are imported inside the functions that change or compare a schema: a start that finds it current
never pays for them, and a single worker, which is the process that looked, does not keep their 20 MB.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from watchword.clock import Clock
from watchword.database import open_database
from watchword.database.address import is_postgresql, parse_address
from watchword.database.statement import Statement

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

T = TypeVar("T")
_FOLDER = Path(__file__).parent / "migrations"
_TURN = 0x57415443  # "WATC": whom PostgreSQL's lock is for
_TURN_SECONDS = 60

_MADE = {  # what a database's own catalogue says, in its own words
    "sqlite": Statement("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'"),
    "postgresql": Statement("SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL"),
}
_REVISION = Statement("SELECT version_num FROM alembic_version")


def upgrade(url: str) -> None:
    """Run every migration that the database at `url` has not seen. Processes that do it at once take turns.

    Raises:
        StoreUnavailable: the server cannot be reached or refuses.
    """
    from alembic import command  # noqa: PLC0415

    command.upgrade(configuration(url), "head")


def downgrade(url: str, revision: str = "base") -> None:
    """Take migrations back, newest first, down to `revision`."""
    from alembic import command  # noqa: PLC0415

    command.downgrade(configuration(url), revision)


def is_current(url: str) -> bool:
    """Say whether the database at `url` has every migration. Two statements.

    Raises:
        StoreUnavailable: the server cannot be reached or refuses.
    """
    return asyncio.run(_revision(url)) == newest_revision()


def newest_revision() -> str:
    """The last migration there is, by its file's number, which is its id."""
    return max(file.name.partition("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*.py"))


def differences(url: str) -> list[object]:
    """Compare the database at `url` with the tables in code; empty when the migrations match the models."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from sqlmodel import SQLModel  # noqa: PLC0415

    from watchword.database import tables  # noqa: F401, PLC0415

    return _connected(
        url, lambda connection: list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))
    )


def configuration(url: str) -> "Config":
    """Alembic's configuration for the database at `url`."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["url"] = url
    return config


def in_transaction(url: str, work: "Callable[[Connection], T]") -> T:
    """Run `work` in a transaction that no other process's migrations run beside."""
    if is_postgresql(url):
        return asyncio.run(_on_server(url, lambda connection: _in_turn(connection, work)))
    from sqlalchemy import create_engine  # noqa: PLC0415

    engine = create_engine(url)
    _immediate_transactions(engine)
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


async def _revision(url: str) -> str | None:
    """The migration that the database at `url` has seen last, from where Alembic notes it."""
    database = open_database(url, Clock())
    try:
        if await database.one(_MADE["postgresql" if is_postgresql(url) else "sqlite"]) is None:
            return None
        row = await database.one(_REVISION)
    finally:
        await database.close()
    return None if row is None else str(row["version_num"])


def _connected(url: str, look: "Callable[[Connection], T]") -> T:
    if is_postgresql(url):
        return asyncio.run(_on_server(url, look))
    from sqlalchemy import create_engine  # noqa: PLC0415

    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return look(connection)
    finally:
        engine.dispose()


async def _on_server(url: str, work: "Callable[[Connection], T]") -> T:
    """Run `work` in a transaction on a PostgreSQL server, over the driver that the provider uses anyway."""
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    from watchword.database.postgresql import connect  # noqa: PLC0415

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect(parse_address(url)), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _in_turn(connection: "Connection", work: "Callable[[Connection], T]") -> T:
    from sqlalchemy import text  # noqa: PLC0415

    connection.execute(text(f"SET LOCAL lock_timeout = '{_TURN_SECONDS}s'"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_TURN})"))
    return work(connection)


def _immediate_transactions(engine: "Engine") -> None:
    """Two processes that migrate the same SQLite file take turns instead of both failing."""
    from sqlalchemy import event  # noqa: PLC0415

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: "Connection") -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
