"""A server under measurement: a process on a CPU of its own, what it uses, and how it is started and stopped.

Linux only: figures come from /proc, and pinning from `sched_setaffinity`.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_START_SECONDS = 30
_STOP_SECONDS = 20
_POLL_SECONDS = 0.005
_CPUS = sorted(os.sched_getaffinity(0))


class Failed(Exception):
    """A server did not become ready, or a command on its stores failed."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes of a server's processes: resident, and with what they share counted once (PSS)."""

    resident: float
    proportional: float


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers on loopback; `started_in` seconds passed from its spawn to its first answer."""

    port: int
    pid: int
    started_in: float

    def cpu_seconds(self) -> float:
        """Return the CPU time that all threads of all its processes have used so far."""
        tasks = (task for pid in self._pids() for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def memory(self) -> Memory:
        """Return what its processes occupy now."""
        rollups = [_rollup(pid) for pid in self._pids()]
        return Memory(sum(each["Rss:"] for each in rollups) / 1024, sum(each["Pss:"] for each in rollups) / 1024)

    def _pids(self) -> Sequence[int]:
        pids = [self.pid]
        for pid in pids:  # grows while it is walked
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                pids += map(int, task.read_text().split())
        return pids


def pin_client() -> bool:
    """Keep this process, and the stores it starts, off the servers' CPU. False when there is only one."""
    os.sched_setaffinity(0, {_CPUS[-1]})
    return len(_CPUS) > 1


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    port: int,
    environment: Mapping[str, str],
    log: Path,
    *,
    ready: str,
    folder: Path | None = None,
) -> Iterator[Server]:
    """Run a server on the servers' CPU until the block ends. `ready` is the path that answers once it serves.

    Raises:
        Failed: it did not become ready; the end of its log says why.
    """
    spawned = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=dict(environment), cwd=folder, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    os.sched_setaffinity(process.pid, {_CPUS[0]})  # threads and processes that start later inherit it
    try:
        _wait_until_ready(process, f"http://localhost:{port}{ready}", log)
        yield Server(port, process.pid, time.perf_counter() - spawned)
    finally:
        _stop(process)


@contextlib.contextmanager
def running_bare(folder: Path) -> Iterator[Server]:
    """Run the bare route on the same server with the same options as the provider's."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.bare:application", "--port", str(port), "--lifespan", "off"]
    command += ["--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--no-server-header"]
    command += ["--no-proxy-headers", "--log-level", "warning"]
    with running(command, port, os.environ, folder / "bare.log", ready="/") as server:
        yield server


def _rollup(pid: int) -> dict[str, int]:
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return {name: int(kilobytes) for name, kilobytes, *_ in lines}


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(_POLL_SECONDS)
    raise Failed(f"no server at {url}:\n{log.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
