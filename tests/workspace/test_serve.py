"""`watchword serve` as a process: how it starts, says that it is ready, loses a worker, and stops."""

import signal
import socket
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx2
import psutil
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.support.provider import COMMAND, RunningProvider, free_port, provider_environment, running_provider

WAIT = 20  # seconds, for what takes a moment


def serve(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "serve", *options], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


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
        b"POST /token HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (provider.issuer.partition("//")[2].encode(), len(body))
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


def test_a_gateway_that_cannot_be_opened_is_one_line_and_status_2_before_any_worker(tmp_path: Path) -> None:
    done = serve(
        provider_environment(tmp_path, free_port(), smtp_url="smtp://mail.example?tls=on", smtp_from="a@b.example")
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("watchword: WATCHWORD_SMTP_URL: unknown option 'tls'")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate and its key, another one's key, an encrypted key, and what is none."""
    folder = tmp_path_factory.mktemp("pems")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.crt")
    for name in ("mine", "other"):
        issued = authority.issue_cert("localhost")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.crt")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
    mine = load_pem_private_key((folder / "mine.key").read_bytes(), password=None)
    locked = mine.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a password"))
    (folder / "locked.key").write_bytes(locked)
    (folder / "notes.txt").write_text("no certificate")
    (folder / "sub").mkdir()
    return folder


@pytest.mark.parametrize(
    ("certificate", "key", "problem"),
    [
        ("mine.crt", None, "--ssl-certfile and --ssl-keyfile belong together"),
        (None, "mine.key", "--ssl-certfile and --ssl-keyfile belong together"),
        ("gone.crt", "mine.key", "--ssl-certfile: cannot read "),
        ("mine.crt", "gone.key", "--ssl-keyfile: cannot read "),
        ("mine.crt", "sub", "--ssl-keyfile: cannot read "),
        ("mine.crt", "other.key", "key values mismatch"),
        ("mine.crt", "locked.key", "cannot be used: "),
        ("notes.txt", "mine.key", "cannot be used: "),
        ("mine.crt", "notes.txt", "cannot be used: "),
    ],
)
def test_a_certificate_that_cannot_be_served_is_one_line_and_status_1(
    tmp_path: Path, pems: Path, certificate: str | None, key: str | None, problem: str
) -> None:
    given = (("--ssl-certfile", certificate), ("--ssl-keyfile", key))
    options = [word for option, name in given if name for word in (option, str(pems / name))]
    done = serve(provider_environment(tmp_path, free_port()), *options)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("watchword: ")
    assert problem in line
    assert not list(tmp_path.iterdir())


def test_a_provider_answers_by_https_with_a_certificate_and_its_key(tmp_path: Path, pems: Path) -> None:
    port = free_port()
    options = ["--ssl-certfile", str(pems / "mine.crt"), "--ssl-keyfile", str(pems / "mine.key")]
    environment = provider_environment(tmp_path, port, issuer=f"https://localhost:{port}")
    trusting = ssl.create_default_context(cafile=str(pems / "authority.crt"))

    def answers() -> bool:
        with suppress(httpx2.ConnectError):
            return httpx2.get(f"https://localhost:{port}/healthz", verify=trusting, timeout=10).status_code == 200
        return False

    with subprocess.Popen([*COMMAND, "serve", *options], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(answers)
        finally:
            process.terminate()


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


def test_a_worker_that_starts_while_the_database_is_locked_takes_nobody_down() -> None:
    with running_provider(workers=2) as provider:
        victim, survivor = workers(provider)
        with closing(sqlite3.connect(provider.folder / "watchword.sqlite3", isolation_level=None)) as outsider:
            outsider.execute("BEGIN IMMEDIATE")
            victim.kill()
            started = provider.log.read_text().count("Application startup complete")
            wait_until(lambda: provider.log.read_text().count("Application startup complete") > started)
            assert survivor in workers(provider)
        wait_until(lambda: status(provider, "/readyz") == 200)
        assert provider.process.poll() is None
        assert "Traceback" not in provider.log.read_text()


def test_a_provider_whose_ephemeral_file_was_removed_is_not_ready() -> None:
    with running_provider() as provider:
        assert status(provider, "/readyz") == 200
        (provider.folder / "ephemeral.sqlite3").unlink()
        assert status(provider, "/readyz") == 503
        assert status(provider, "/healthz") == 200
