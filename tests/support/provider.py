"""A real provider for tests: `watchword serve` in processes of its own, on a free port, with stores of its own."""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.support import postgres
from tests.support.certificates import Certificate
from tests.support.event_matrix import note_events
from tests.support.pairs import EMBEDDED, settings_of
from tests.support.secrecy import log_file, remember_secret
from watchword.database import Statement

COMMAND = (sys.executable, "-m", "watchword")
_START_SECONDS = 30


# One for all clients: making it reads every certificate of the system, and loopback uses none of them.
_TLS = ssl.create_default_context()


def http_client(**options: Any) -> httpx2.AsyncClient:
    """Return a client with patience for a loaded machine."""
    return httpx2.AsyncClient(verify=_TLS, timeout=30, **options)


def free_port() -> int:
    """Return a port nobody listens on, below those the kernel hands to outgoing connections and to `bind(0)`."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class RunningProvider:
    """A provider that answers at `issuer`; `environment` is what its command line tools need to find its stores."""

    issuer: str
    environment: dict[str, str] = field(repr=False)
    process: subprocess.Popen[bytes]
    folder: Path
    log: Path

    @property
    def own_address(self) -> str:
        """Where this one answers, though its issuer may be what stands before several."""
        parts, port = urlsplit(self.issuer), self.environment["WATCHWORD_PORT"]
        return self.issuer if str(parts.port) == port else f"http://localhost:{port}{parts.path}"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `watchword ...` against the same stores."""
        return subprocess.run(
            [*COMMAND, *arguments], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Read rows of the durable store, as another process would; values stand as `:name`."""
        url = self.environment["WATCHWORD_DATABASE_URL"]
        if url.startswith("postgresql:"):
            statement = Statement(query)
            return postgres.query(url, statement.postgresql, *statement.bind(values, 0))
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=5)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def add_client(self, *arguments: str) -> dict[str, Any]:
        """Register a client and return what the command answered."""
        done = self.command("clients", "add", *arguments, "--json")
        assert done.returncode == 0, done.stderr
        client: dict[str, Any] = json.loads(done.stdout)
        if "client_secret" in client:
            remember_secret(client["client_secret"])
        return client

    def add_resource(self, audience: str, *scopes: str, client: str | None = None) -> None:
        """Register a protected resource, and the client that may introspect for it."""
        options = [argument for scope in scopes for argument in ("--scope", scope)]
        options += [] if client is None else ["--client", client]
        done = self.command("resources", "add", "--audience", audience, *options)
        assert done.returncode == 0, done.stderr

    def advance(self, seconds: int) -> None:
        """Move the stores' clock."""
        answer = httpx2.post(f"{self.issuer}/dev/clock", json={"advance": seconds}, verify=_TLS)
        assert answer.status_code == 200, answer.text

    async def newest_message(self, to: str, *, after: str | None = None) -> dict[str, Any]:
        """Wait for a message in the development mailbox that is newer than the one named `after`."""
        async with http_client() as http:
            async with asyncio.timeout(10):
                while True:
                    answer = await http.get(f"{self.issuer}/dev/mailbox.json", params={"to": to})
                    messages = answer.json()["messages"]
                    if messages and messages[0]["id"] != after:
                        remember_secret(messages[0]["one_time_code"])
                        newest: dict[str, Any] = messages[0]
                        return newest
                    await asyncio.sleep(0.02)


@contextlib.contextmanager
def running_provider(
    *,
    workers: int = 1,
    port: int | None = None,
    pair: str = EMBEDDED,
    stores: Mapping[str, str] | None = None,
    certificate: Certificate | None = None,
    **settings: str,
) -> Iterator[RunningProvider]:
    """Start a provider in test mode and stop it afterwards; `settings` are named as in `WATCHWORD_<NAME>`.

    Its stores are empty ones of a pair, or `stores`, which were there before. With a certificate it serves HTTPS.
    """
    port = port or free_port()
    if certificate is not None:
        settings = {"issuer": f"https://localhost:{port}"} | settings
    with tempfile.TemporaryDirectory(prefix="watchword-") as name, contextlib.ExitStack() as until_then:
        folder = Path(name)
        stores = stores or until_then.enter_context(settings_of(pair))
        environment = provider_environment(folder, port, **(dict(stores) | settings))
        log = log_file(f"provider-{port}")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*COMMAND, "serve", "--workers", str(workers), *_https(certificate)],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        provider = RunningProvider(environment["WATCHWORD_ISSUER"], environment, process, folder, log)
        try:
            _wait_until_ready(provider)
            yield provider
        finally:
            stop(process)
            note_events(provider.rows)


def provider_environment(folder: Path, port: int, **settings: str) -> dict[str, str]:
    """Return the environment of a provider whose state lives in `folder`."""
    defaults = {
        "ENV": "test",
        "ISSUER": f"http://localhost:{port}",
        "PORT": str(port),
        "DATABASE_URL": f"sqlite:///{folder}/watchword.sqlite3",
        "EPHEMERAL_URL": f"sqlite:///{folder}/ephemeral.sqlite3",
        "REGISTRATION": "open",
        "REGISTRATIONS_PER_NETWORK": "100000/1h",  # every test comes from this machine
        "PHONE_REGIONS": "IN,US",
        "TRUSTED_PROXIES": "127.0.0.0/8",
        "LOG_LEVEL": "debug",
        "RSA_BITS": "2048",  # hundreds of providers start, and none lives long
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    chosen = {name.upper(): value for name, value in settings.items()}
    return clean | {f"WATCHWORD_{name}": value for name, value in (defaults | chosen).items()}


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and the group it leads."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _https(certificate: Certificate | None) -> list[str]:
    """Return the options that serve HTTPS, and trust the authority from now on."""
    if certificate is None:
        return []
    _TLS.load_verify_locations(certificate.authority)
    return ["--ssl-certfile", str(certificate.chain), "--ssl-keyfile", str(certificate.key)]


def _wait_until_ready(provider: RunningProvider) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if provider.process.poll() is not None:
            raise AssertionError(f"the provider stopped at its start:\n{provider.log.read_text()[-3000:]}")
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"{provider.own_address}/readyz", verify=_TLS).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"the provider did not become ready:\n{provider.log.read_text()[-3000:]}")
