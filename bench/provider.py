"""Our provider as it ships: its environment, its commands, its one worker."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.contender import Registration
from bench.server import Failed, Server, running


def provider_environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a provider whose state lives in `folder`; what is not named stays as shipped.

    `settings` are named as in `WATCHWORD_<NAME>`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {
        "DATABASE_URL": f"sqlite:///{folder}/watchword.sqlite3",
        "EPHEMERAL_URL": f"sqlite:///{folder}/ephemeral.sqlite3",
        **settings,
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    return clean | {f"WATCHWORD_{name}": value for name, value in chosen.items()}


@contextlib.contextmanager
def running_provider(environment: Mapping[str, str], log: Path, *, ready: str = "/readyz") -> Iterator[Server]:
    """Run the provider with one worker.

    Raises:
        Failed: it did not become ready; the end of its log says why.
    """
    command = [sys.executable, "-m", "watchword", "serve", "--workers", "1"]
    with running(command, int(environment["WATCHWORD_PORT"]), environment, log, ready=ready) as server:
        yield server


def run_command(environment: Mapping[str, str], *arguments: str) -> str:
    """Run `watchword ...` on the stores of an environment and return what it printed.

    Raises:
        Failed: it failed, with what it said.
    """
    command = [sys.executable, "-m", "watchword", *arguments]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"watchword {' '.join(arguments[:2])}: {done.stderr.strip()}")
    return done.stdout


def register_client(environment: Mapping[str, str], folder: Path, **metadata: object) -> Registration:
    """Register a first-party client with RFC 7591 metadata."""
    document = folder / "client.json"
    document.write_text(json.dumps(metadata))
    printed = run_command(environment, "clients", "add", "--metadata", str(document), "--first-party", "--json")
    client = json.loads(printed)
    return Registration(client["client_id"], client["client_secret"])
