"""`watchword serve` as a process: how it starts, says that it is ready, loses a worker, and stops."""

import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.support.provider import COMMAND, RunningProvider, free_port, provider_environment, running_provider

WAIT = 20  # seconds, for what takes a moment


def serve(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, "serve"], env=environment, capture_output=True, text=True, timeout=60, check=False)


def status(provider: RunningProvider, path: str) -> int:
    return httpx2.get(f"{provider.issuer}{path}", timeout=10).status_code


def workers(provider: RunningProvider) -> list[psutil.Process]:
    children = psutil.Process(provider.process.pid).children()
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if any("spawn_main" in word for word in child.cmdline())]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningProvider]:
    """A provider of this module's own: tests may spoil its stores if they mend them again."""
    with running_provider() as provider:
        yield provider


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll a condition of another process until it holds."""
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def begin_request(provider: RunningProvider, body: bytes) -> socket.socket:
    """Send the head of a token request and wait until an endpoint asks for its body."""
    connection = socket.create_connection(("127.0.0.1", int(provider.environment["WATCHWORD_PORT"])), timeout=WAIT)
    connection.sendall(
        b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
    return connection


def test_a_taken_port_is_one_line_and_status_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = serve(provider_environment(tmp_path, port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"watchword: cannot listen on 127.0.0.1:{port}: Address already in use. Choose another --port.\n"
    )
    assert not list(tmp_path.iterdir())


def test_a_host_that_is_not_ours_is_one_line_and_status_1(tmp_path: Path) -> None:
    done = serve(provider_environment(tmp_path, free_port(), host="192.0.2.1"))
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith("watchword: cannot listen on 192.0.2.1:")


def test_a_start_on_a_locked_database_is_one_line_and_status_2(tmp_path: Path) -> None:
    environment = provider_environment(tmp_path, free_port(), log_level="info")
    upgraded = subprocess.run(
        [*COMMAND, "db", "upgrade"], env=environment, capture_output=True, timeout=60, check=False
    )
    assert upgraded.returncode == 0
    with closing(sqlite3.connect(tmp_path / "watchword.sqlite3", isolation_level=None)) as outsider:
        outsider.execute("BEGIN IMMEDIATE")
        done = serve(environment)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith("watchword: WATCHWORD_DATABASE_URL: the database file stayed locked")


def test_a_start_on_a_file_of_another_kind_is_one_line_and_status_2(tmp_path: Path) -> None:
    (tmp_path / "watchword.sqlite3").write_text("these are notes, and no database" * 100)
    done = serve(provider_environment(tmp_path, free_port()))
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith("watchword: WATCHWORD_DATABASE_URL: the database file cannot be used: SQLITE_NOTADB")


def test_a_provider_stops_well_at_an_interrupt() -> None:
    with running_provider() as provider:
        provider.process.send_signal(signal.SIGINT)
        assert provider.process.wait(timeout=WAIT) == 0
        assert "Traceback" not in provider.log.read_text()


@pytest.mark.parametrize("number", [1, 2])
def test_a_request_under_way_is_answered_before_the_provider_stops_and_leaves_no_process(number: int) -> None:
    body = b"grant_type=client_credentials"
    with running_provider(workers=number) as provider, begin_request(provider, body) as connection:
        started = psutil.Process(provider.process.pid).children(recursive=True)
        provider.process.terminate()
        wait_until(lambda: "Shutting down" in provider.log.read_text())
        connection.sendall(body)
        answer = connection.makefile("rb").read()  # until the provider closes the connection
        assert answer.startswith(b"HTTP/1.1 401 ")
        assert b"invalid_client" in answer
        assert provider.process.wait(timeout=WAIT) == 0
        _, alive = psutil.wait_procs(started, timeout=5)
        assert alive == []
        assert "Traceback" not in provider.log.read_text()


def test_a_killed_worker_is_replaced_while_the_other_goes_on_serving() -> None:
    with running_provider(workers=2) as provider:
        victim, survivor = workers(provider)
        victim.kill()
        answers = []

        def replaced() -> bool:
            answers.append(status(provider, "/readyz"))
            now = workers(provider)
            return len(now) == 2 and victim not in now and survivor in now

        wait_until(replaced)
        assert set(answers) == {200}


def test_a_provider_is_alive_and_ready(running: RunningProvider) -> None:
    assert status(running, "/healthz") == 200
    assert status(running, "/readyz") == 200


def test_a_provider_whose_database_was_removed_is_alive_but_not_ready(running: RunningProvider) -> None:
    file = running.folder / "watchword.sqlite3"
    file.rename(file.with_suffix(".away"))
    assert status(running, "/readyz") == 503
    assert status(running, "/healthz") == 200
    file.with_suffix(".away").rename(file)
    assert status(running, "/readyz") == 200


def test_a_provider_whose_database_is_locked_is_alive_but_not_ready(running: RunningProvider) -> None:
    with closing(sqlite3.connect(running.folder / "watchword.sqlite3", isolation_level=None)) as outsider:
        outsider.execute("BEGIN IMMEDIATE")
        assert status(running, "/readyz") == 503
        assert status(running, "/healthz") == 200
    assert status(running, "/readyz") == 200
    assert "Traceback" not in running.log.read_text()


def test_a_provider_whose_database_goes_with_another_ephemeral_store_is_not_ready(running: RunningProvider) -> None:
    with closing(sqlite3.connect(running.folder / "watchword.sqlite3", isolation_level=None)) as outsider:
        (own,) = outsider.execute("SELECT ephemeral_id FROM store").fetchone()
        outsider.execute("UPDATE store SET ephemeral_id = 'of another store'")
        assert status(running, "/readyz") == 503
        outsider.execute("UPDATE store SET ephemeral_id = ?", (own,))
    assert status(running, "/readyz") == 200


def test_workers_do_not_outlive_a_killed_parent() -> None:
    with running_provider(workers=2) as provider:
        orphans = workers(provider)
        provider.process.kill()
        provider.process.wait(timeout=WAIT)
        _, alive = psutil.wait_procs(orphans, timeout=WAIT)
        assert alive == []
