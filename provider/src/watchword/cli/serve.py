"""`watchword serve` and `watchword demo`."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from watchword.cli.running import fail
from watchword.metrics import FOLDER_VARIABLE
from watchword.prepare import check_pairing, check_settings, prepare_store, upgrade_schema
from watchword.settings import Settings, load_settings
from watchword.telemetry import configure_logging

# TLS 1.2 with forward secrecy and authenticated encryption alone (RFC 9325 section 4.2); TLS 1.3 has nothing else.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
_GRACE = 10  # seconds for requests to finish after a signal


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    ssl_certfile: Annotated[Path | None, typer.Option(help="Certificate chain (PEM), to serve HTTPS.")] = None,
    ssl_keyfile: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
) -> None:
    """Run the provider."""
    for name, value in (("HOST", host), ("PORT", port), ("WORKERS", workers)):
        if value is not None:
            os.environ[f"WATCHWORD_{name}"] = str(value)  # workers read their settings anew
    run_provider(load_settings(), certificate=ssl_certfile, key=ssl_keyfile)


def demo(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 9000,
    folder: Annotated[Path, typer.Option(help="Where the state is kept.")] = Path(".demo"),
) -> None:
    """Run the provider alone, on this machine, with a development mailbox and open registration."""
    folder.mkdir(parents=True, exist_ok=True)
    defaults = {
        "ENV": "development",
        "ISSUER": f"http://localhost:{port}",
        "PORT": str(port),
        "DATABASE_URL": f"sqlite:///{folder}/watchword.sqlite3",
        "EPHEMERAL_URL": f"sqlite:///{folder}/ephemeral.sqlite3",
        "REGISTRATION": "open",
        "PHONE_REGIONS": "IN,US,GB,DE,FR,ES,IT,BR,ZA,SG,AE,AU,CA",
        # Everybody who tries it comes from this machine, often as the same person.
        "SENDS_PER_NETWORK": "1000/10m",
        "SENDS_PER_IDENTIFIER": "1000/10m",
        "REGISTRATIONS_PER_NETWORK": "1000/10m",
    }
    for name, value in defaults.items():
        os.environ.setdefault(f"WATCHWORD_{name}", value)
    settings = load_settings()
    typer.echo(f"provider  {settings.issuer}\nmailbox   {settings.issuer}/dev/mailbox")
    run_provider(settings)


def run_provider(settings: Settings, *, certificate: Path | None = None, key: Path | None = None) -> None:
    """Prepare the stores in this process, then serve until a signal."""
    import uvicorn  # noqa: PLC0415 - other commands start faster without it

    configure_logging(settings.log_level)
    signal.signal(signal.SIGTERM, _stop)
    _check_certificate(certificate, key)
    check_settings(settings)
    _check_port(settings)
    upgrade_schema(settings, on_request=False)
    asyncio.run(prepare_store(settings))
    asyncio.run(check_pairing(settings))
    with _room_for_counts(settings):
        uvicorn.run(
            "watchword.app:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            loop="uvloop",
            http="watchword.http_server:BoundedHttpProtocol",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            ssl_ciphers=_CIPHERS,
            ssl_context_factory=None if certificate is None else tls_context,
        )


def tls_context(_config: Any, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return how HTTPS is spoken: by BCP 195 (RFC 9325), whatever the machine's own OpenSSL configuration allows.

    TLS 1.3, or 1.2 with `_CIPHERS`; no compression (section 3.3) and no renegotiation (section 3.5). No tickets: their
    key would live as long as the process (section 3.4); sessions are resumed from this process's memory.
    """
    context = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    return context


@contextlib.contextmanager
def _room_for_counts(settings: Settings) -> Iterator[None]:
    """Make the private folder where workers count for the metrics, and remove it after them."""
    if settings.metrics == "off":
        os.environ.pop(FOLDER_VARIABLE, None)
        yield
        return
    with tempfile.TemporaryDirectory(prefix="watchword-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ[FOLDER_VARIABLE] = folder
        yield


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """End well: uvicorn raises the signal once more when everything is shut down in order."""
    sys.exit(0)


def _check_certificate(certificate: Path | None, key: Path | None) -> None:
    """Say in one line that certificate and key cannot be used. Whether clients will trust them is not checked."""
    if certificate is None and key is None:
        return
    if certificate is None or key is None:
        fail("--ssl-certfile and --ssl-keyfile belong together. Give both.")
    for option, path in (("--ssl-certfile", certificate), ("--ssl-keyfile", key)):
        try:
            path.read_bytes()
        except OSError as problem:
            fail(f"{option}: cannot read {path}: {problem.strerror}.")
    try:
        # No password, or OpenSSL would ask the terminal for that of an encrypted key.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except ssl.SSLError as problem:
        reason = (problem.reason or "no PEM").replace("_", " ").lower()
        fail(f"--ssl-certfile {certificate} and --ssl-keyfile {key} cannot be used: {reason}.")


def _check_port(settings: Settings) -> None:
    """Say in one line that a port is taken, instead of a traceback from every worker."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as problem:
            fail(f"cannot listen on {settings.host}:{settings.port}: {problem.strerror}. Choose another --port.")
