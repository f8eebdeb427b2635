"""A durable store for each test: a copy of one that was migrated once. What every store has to do runs on each kind."""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.pgbouncer import through_pgbouncer
from tests.support.postgres import emptied_database
from watchword.clock import Clock
from watchword.database import Database, migrate, open_database, prepare_file

KINDS = ("sqlite", "postgresql")
ALL_KINDS = (*KINDS, "pgbouncer")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "migrated.sqlite3"
    prepare_file(f"sqlite:///{path}")
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def file(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "durable.sqlite3"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of store; a file of tests may choose others."""
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest) -> str:
    """An empty store of the kind."""
    match kind:
        case "sqlite":
            return f"sqlite:///{request.getfixturevalue('file')}"
        case "pgbouncer":
            return through_pgbouncer(emptied_database())
        case _:
            return emptied_database()


@pytest.fixture
def clock() -> Clock:
    """The store's clock; its `offset` moves it."""
    return Clock()


@pytest.fixture
async def database(url: str, clock: Clock) -> AsyncIterator[Database]:
    database = open_database(url, clock)
    yield database
    await database.close()


@pytest.fixture
async def embedded(file: Path, clock: Clock) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{file}", clock)
    yield database
    await database.close()


@pytest.fixture
def outsider(file: Path) -> Iterator[sqlite3.Connection]:
    """Another connection to the same file, as another process has it."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as outsider:
        yield outsider
