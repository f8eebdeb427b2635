"""Migrations: there and back, the same schema as the tables in code, and two processes at once."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from watchword.database import migrate, prepare_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new.sqlite3"


@pytest.fixture
def url(path: Path) -> str:
    url = f"sqlite:///{path}"
    prepare_file(url)
    return url


def schema(path: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        return {(name, sql) for name, sql in found if name != "alembic_version"}


def test_up_and_down_and_up_again_gives_the_same_schema(path: Path, url: str) -> None:
    assert not migrate.is_current(url)
    migrate.upgrade(url)
    assert migrate.is_current(url)
    first = schema(path)
    assert first
    migrate.downgrade(url)
    assert not migrate.is_current(url)
    assert schema(path) == set()
    migrate.upgrade(url)
    assert schema(path) == first


def test_an_upgrade_of_what_is_current_changes_nothing(path: Path, url: str) -> None:
    migrate.upgrade(url)
    first = schema(path)
    migrate.upgrade(url)
    assert schema(path) == first


def test_the_migrations_make_the_tables_in_code(url: str) -> None:
    migrate.upgrade(url)
    assert migrate.differences(url) == []


def test_a_schema_that_differs_from_the_tables_in_code_is_seen(path: Path, url: str) -> None:
    migrate.upgrade(url)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP INDEX ix_outbox_due")
    assert len(migrate.differences(url)) == 1


def test_an_upgraded_file_is_its_owners_alone(path: Path, url: str) -> None:
    migrate.upgrade(url)
    assert {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {path.name: 0o600}


@pytest.mark.races
def test_two_processes_that_upgrade_at_once_both_succeed(path: Path, url: str) -> None:
    script = f"""
import sys
from watchword.database import migrate
import alembic.command, alembic.runtime.migration, sqlmodel
from watchword.database import tables
print("ready", flush=True)
sys.stdin.readline()
migrate.upgrade({url!r})
"""
    both = [
        subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=60)
    assert [process.returncode for process in both] == [0, 0]
    assert migrate.is_current(url)
    assert migrate.differences(url) == []


def test_the_name_of_a_file_means_the_same_to_the_migrations_and_to_the_store(tmp_path: Path) -> None:
    path = tmp_path / "a b#c & d.sqlite3"
    prepare_file(f"sqlite:///{path}")
    migrate.upgrade(f"sqlite:///{path}")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert schema(path)
