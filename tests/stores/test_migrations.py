"""Migrations: there and back, the same schema as the tables in code, and two processes at once; on both databases."""

import secrets
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import alembic.command
import asyncpg
import pytest
from sqlalchemy import Connection
from sqlmodel import SQLModel

from tests.support.postgres import new_database, query, run_script
from tests.support.provider import COMMAND, free_port, provider_environment
from tests.support.secrecy import remember_secret
from watchword.database import migrate, prepare_file

SECRET_KEY = remember_secret("Jq7xN2vKp0LsYw4TgRzB9mHcUeDfA6iOk3Vt")


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
def test_two_processes_that_upgrade_at_once_both_succeed(any_url: str) -> None:
    script = f"""
import sys
from watchword.database import migrate
import alembic.command, alembic.runtime.migration, sqlmodel
from watchword.database import tables
print("ready", flush=True)
sys.stdin.readline()
migrate.upgrade({any_url!r})
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
    assert migrate.is_current(any_url)
    assert migrate.differences(any_url) == []


@pytest.fixture
def server_url() -> Iterator[str]:
    """An empty database on a server."""
    with new_database() as url:
        yield url


@pytest.fixture(params=["url", "server_url"])
def any_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    return str(request.getfixturevalue(request.param))


def test_up_and_down_and_up_again_on_a_server(server_url: str) -> None:
    assert not migrate.is_current(server_url)
    migrate.upgrade(server_url)
    assert migrate.is_current(server_url)
    assert migrate.differences(server_url) == []
    migrate.downgrade(server_url)
    left = query(server_url, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert {row["relname"] for row in left} == {"alembic_version", "alembic_version_pkc"}
    migrate.upgrade(server_url)
    assert migrate.differences(server_url) == []


# One client, account and session; a code that was redeemed, its grant and family, and a code that waits.
FIRST_ROWS = """
    INSERT INTO client VALUES ('notes', '{}', true, 'operator', 'active', 1, 1);
    INSERT INTO client_secret VALUES ('secret', 'notes', HASH, 1, NULL);
    INSERT INTO account VALUES ('ada', 'active', '{}', 1, 1);
    INSERT INTO consent VALUES ('yes', 'ada', 'notes', '', 'openid', 1);
    INSERT INTO session VALUES ('session', HASH, 'ada', HASH, 'otp', 1, 1, 9, NULL, '', '');
    INSERT INTO authorization_code VALUES (HASH, 'notes', 'ada', 'session', 'https://notes.example', 'challenge',
        'openid', '', NULL, 1, 'otp', 1, 9, 2, 'grant');
    INSERT INTO authorization_grant VALUES ('grant', 'ada', 'notes', 'session', 'openid', '', 1, 'otp', 2, NULL);
    INSERT INTO mac_key VALUES ('kid', HASH, 1);
    INSERT INTO refresh_family VALUES ('family', 'grant', 'notes', HASH, 'kid', 3, NULL, 1, 9, 9, NULL)
"""
FINGERPRINT = bytes(range(32))[:16]


def run_statements(url: str, script: str) -> None:
    for statement in script.split(";"):
        migrate.in_transaction(url, partial(Connection.exec_driver_sql, statement=statement))


def rows_of(url: str, statement: str) -> list[tuple[object, ...]]:
    return migrate.in_transaction(url, lambda connection: [tuple(row) for row in connection.exec_driver_sql(statement)])


def test_what_the_first_schema_held_is_kept(any_url: str) -> None:
    alembic.command.upgrade(migrate.configuration(any_url), "0001")
    written = (
        f"x'{bytes(range(32)).hex()}'" if any_url.startswith("sqlite") else f"'\\x{bytes(range(32)).hex()}'::bytea"
    )
    run_statements(any_url, FIRST_ROWS.replace("HASH", written))
    migrate.upgrade(any_url)
    assert migrate.differences(any_url) == []
    assert rows_of(any_url, "SELECT token_hash, account_id FROM session") == [(FINGERPRINT, "ada")]
    assert rows_of(any_url, "SELECT hash, client_id FROM client_secret") == [(FINGERPRINT, "notes")]
    grant = rows_of(any_url, "SELECT id, client_id, session_id, origin FROM authorization_grant")
    assert grant == [("grant", "notes", "session", FINGERPRINT)]
    assert rows_of(any_url, "SELECT grant_id, mac_kid, generation FROM refresh_family") == [("grant", "kid", 3)]
    assert rows_of(any_url, "SELECT account_id, client_id, scope FROM consent") == [("ada", "notes", "openid")]
    migrate.downgrade(any_url, "0001")
    assert rows_of(any_url, "SELECT client_id, mac_kid FROM refresh_family") == [("notes", "kid")]


def test_what_its_key_finds_is_stored_in_the_key(path: Path, url: str) -> None:
    migrate.upgrade(url)
    made = {name for name, sql in schema(path) if sql.split()[-2:] == ["WITHOUT", "ROWID"]}
    assert made == {
        name for name, table in SQLModel.metadata.tables.items() if not table.dialect_options["sqlite"]["with_rowid"]
    }


def test_a_role_that_may_not_change_the_schema_is_enough_to_run(server_url: str) -> None:
    migrate.upgrade(server_url)
    role = f"watchword_app_{secrets.token_hex(4)}"
    run_script(
        server_url,
        f"""CREATE ROLE {role} LOGIN;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}""",
    )
    url = urlunsplit(urlsplit(server_url)._replace(netloc=f"{role}@"))
    try:
        assert migrate.is_current(url)
        with tempfile.TemporaryDirectory() as folder:
            settings = provider_environment(Path(folder), free_port(), database_url=url, secret_key=SECRET_KEY)
            command = [*COMMAND, "keys", "list", "--json"]
            done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert "ES256" in done.stdout
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            run_script(url, "DROP TABLE account")
    finally:
        run_script(server_url, f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_an_old_schema_on_a_server_is_upgraded_on_request_only(server_url: str, tmp_path: Path) -> None:
    settings = provider_environment(tmp_path, free_port(), database_url=server_url, secret_key=SECRET_KEY)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*COMMAND, *arguments], env=settings, capture_output=True, text=True, timeout=60, check=False
        )

    refused = run("keys", "list")
    assert refused.returncode == 2
    assert "WATCHWORD_DATABASE_URL: the schema is not up to date. Run `watchword db upgrade`." in refused.stderr
    assert run("db", "upgrade").returncode == 0
    assert run("keys", "list").returncode == 0


def test_a_server_that_is_not_there_is_one_helpful_line(tmp_path: Path) -> None:
    url = f"postgresql://ww:hunter2@localhost:{free_port()}/ww"
    settings = provider_environment(tmp_path, free_port(), database_url=url, secret_key=SECRET_KEY, log_level="info")
    for command in (("db", "upgrade"), ("serve",)):
        done = subprocess.run(
            [*COMMAND, *command], env=settings, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert "WATCHWORD_DATABASE_URL: the database server does not answer" in line
        assert "hunter2" not in line


def test_the_name_of_a_file_means_the_same_to_the_migrations_and_to_the_store(tmp_path: Path) -> None:
    path = tmp_path / "a b#c & d.sqlite3"
    prepare_file(f"sqlite:///{path}")
    migrate.upgrade(f"sqlite:///{path}")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert schema(path)
