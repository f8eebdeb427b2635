"""The demo as a user runs it: `python -m demo_apps` in a process group of its own, as a terminal gives it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from tests.support.provider import RunningProvider, free_port, provider_environment
from tests.support.secrecy import log_file, remember_secret

ROOT = Path(__file__).resolve().parents[2]
_LAST_LINE = "Ctrl-C stops everything."


@dataclass
class RunningDemo:
    """A demo that has said where to click."""

    port_base: int
    folder: Path
    process: subprocess.Popen[bytes]
    said: str = ""

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port_base}"

    @property
    def notes_web(self) -> str:
        return f"http://127.0.0.1:{self.port_base + 1}"

    @property
    def notes_api(self) -> str:
        return f"http://127.0.0.1:{self.port_base + 2}"

    @property
    def mailbox(self) -> str:
        return f"{self.issuer}/dev/mailbox"

    @property
    def provider(self) -> RunningProvider:
        """The provider in it, for a person and a relying party to walk to."""
        environment = provider_environment(self.folder, urlsplit(self.issuer).port or 0, env="development")
        return RunningProvider(
            self.issuer, environment, self.process, self.folder, self.folder / "logs" / "provider.log"
        )

    def remembered(self) -> dict[str, Any]:
        """What the demo keeps about its client."""
        kept: dict[str, Any] = json.loads((self.folder / "clients.json").read_text())
        client: dict[str, Any] = kept[str(self.port_base)]
        remember_secret(client["client_secret"])
        remember_secret(client["cookie_key"])
        return client

    def wait(self) -> int:
        """Wait until the demo ends by itself and return its exit status."""
        rest, _ = self.process.communicate(timeout=40)
        self.said += rest.decode()
        return self.process.returncode


@contextlib.contextmanager
def running_demo(folder: Path, *options: str, port_base: int | None = None) -> Iterator[RunningDemo]:
    """Start the demo and stop it as Ctrl-C does, if it still runs at the end."""
    port_base = port_base or free_port_base()
    process = start_demo("--port-base", str(port_base), "--folder", str(folder), *options)
    demo = RunningDemo(port_base, folder, process)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            demo.said += line.decode()
            if _LAST_LINE in demo.said:
                break
        else:
            raise AssertionError(f"the demo did not start:\n{demo.said}")
        demo.remembered()
        yield demo
    finally:
        press_ctrl_c(process)
        demo.wait()
        _keep_logs(folder)


def start_demo(*options: str, **settings: str) -> subprocess.Popen[bytes]:
    """Run `python -m demo_apps` from the checkout; `settings` are the provider's, as the caller's environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    return subprocess.Popen(
        [sys.executable, "-m", "demo_apps", *options],
        cwd=ROOT,
        env=clean | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def press_ctrl_c(process: subprocess.Popen[bytes]) -> None:
    """Signal the whole group, as a terminal does."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)


def group_members(group: int) -> list[psutil.Process]:
    """Every living process of a group."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def free_port_base() -> int:
    """Return a base with three free ports."""
    while True:
        base = free_port()
        if base <= 65000 and all(map(_is_free, range(base, base + 3))):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _keep_logs(folder: Path) -> None:
    """Leave the demo's logs where the suite looks for secrets in all of them."""
    for log in (folder / "logs").glob("*.log"):
        shutil.copyfile(log, log_file(f"demo-{log.stem}"))
