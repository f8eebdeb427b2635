"""Alembic's entry: one connection, one transaction for all migrations."""

import sqlite3

from alembic import context
from sqlalchemy import Connection, Engine, create_engine, event
from sqlmodel import SQLModel

from watchword.database import tables  # noqa: F401 - fills the metadata


def run() -> None:
    engine = create_engine(context.config.attributes["url"])
    if engine.dialect.name == "sqlite":
        _immediate_transactions(engine)
    with engine.begin() as connection:
        context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
        context.run_migrations()
    engine.dispose()


def _immediate_transactions(engine: Engine) -> None:
    """Two processes that migrate the same SQLite file take turns instead of both failing."""

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


run()
