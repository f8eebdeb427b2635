"""The servers under measurement: the provider as it ships, and the bare route, each one worker on a CPU of its own.

Linux only: CPU time comes from /proc, and pinning from `sched_setaffinity`.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_START_SECONDS = 30
_STOP_SECONDS = 20
_CPUS = sorted(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers on loopback."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time all threads of the server have used so far."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def pin_client() -> bool:
    """Keep this process off the servers' CPU. False when there is only one."""
    os.sched_setaffinity(0, {_CPUS[-1]})
    return len(_CPUS) > 1


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def provider_environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a provider whose state lives in `folder`; what is not named stays as shipped.

    `settings` are named as in `WATCHWORD_<NAME>`.
    """
    chosen = {
        "DATABASE_URL": f"sqlite:///{folder}/watchword.sqlite3",
        "EPHEMERAL_URL": f"sqlite:///{folder}/ephemeral.sqlite3",
        **settings,
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    return clean | {f"WATCHWORD_{name}": value for name, value in chosen.items()}


@contextlib.contextmanager
def running_provider(environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Run the provider with one worker.

    Raises:
        RuntimeError: it did not become ready; the end of its log says why.
    """
    port = int(environment["WATCHWORD_PORT"])
    command = [sys.executable, "-m", "watchword", "serve", "--workers", "1"]
    with _running(command, port, environment, log, ready="/readyz") as server:
        yield server


@contextlib.contextmanager
def running_bare(folder: Path) -> Iterator[Server]:
    """Run the bare route on the same server with the same options."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.bare:application", "--port", str(port), "--lifespan", "off"]
    command += ["--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--no-server-header"]
    command += ["--no-proxy-headers", "--log-level", "warning"]
    with _running(command, port, os.environ, folder / "bare.log", ready="/") as server:
        yield server


def run_command(environment: Mapping[str, str], *arguments: str) -> str:
    """Run `watchword ...` on the stores of an environment and return what it printed.

    Raises:
        RuntimeError: it failed, with what it said.
    """
    command = [sys.executable, "-m", "watchword", *arguments]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"watchword {' '.join(arguments[:2])}: {done.stderr.strip()}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered confidential client."""

    client_id: str
    client_secret: str


def register_client(environment: Mapping[str, str], folder: Path, **metadata: object) -> Registration:
    """Register a first-party client with RFC 7591 metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    document = folder / "client.json"
    document.write_text(json.dumps(metadata))
    printed = run_command(environment, "clients", "add", "--metadata", str(document), "--first-party", "--json")
    client = json.loads(printed)
    return Registration(client["client_id"], client["client_secret"])


@contextlib.contextmanager
def _running(
    command: list[str], port: int, environment: Mapping[str, str], log: Path, *, ready: str
) -> Iterator[Server]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=dict(environment), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    os.sched_setaffinity(process.pid, {_CPUS[0]})  # threads that start later inherit it
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}{ready}", log)
        yield Server(port, process.pid)
    finally:
        _stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.02)
    raise RuntimeError(f"no server at {url}:\n{log.read_text()[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
