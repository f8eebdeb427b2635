"""Alembic's entry: one connection, one transaction for all migrations."""

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from watchword.database import tables  # noqa: F401 - fills the metadata
from watchword.database.migrate import in_transaction


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
    context.run_migrations()


in_transaction(context.config.attributes["url"], run)
