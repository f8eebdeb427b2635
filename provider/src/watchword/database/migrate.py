"""Migrations: bring a database to the newest schema. Run by the parent process before workers fork.

Alembic and SQLAlchemy are imported inside the functions, so that a worker never pays for them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

_FOLDER = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Run every migration that the database at `url` has not seen."""
    from alembic import command  # noqa: PLC0415

    command.upgrade(configuration(url), "head")


def downgrade(url: str, revision: str = "base") -> None:
    """Take migrations back, newest first, down to `revision`."""
    from alembic import command  # noqa: PLC0415

    command.downgrade(configuration(url), revision)


def is_current(url: str) -> bool:
    """Say whether the database at `url` has every migration."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415

    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            heads = set(MigrationContext.configure(connection).get_current_heads())
        return heads == set(ScriptDirectory.from_config(configuration(url)).get_heads())
    finally:
        engine.dispose()


def differences(url: str) -> list[object]:
    """Compare the database at `url` with the tables in code; empty when the migrations match the models."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlmodel import SQLModel  # noqa: PLC0415

    from watchword.database import tables  # noqa: F401, PLC0415

    def compare(connection: "Connection") -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))

    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return compare(connection)
    finally:
        engine.dispose()


def configuration(url: str) -> "Config":
    """Alembic's configuration for the database at `url`."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["url"] = url
    return config
