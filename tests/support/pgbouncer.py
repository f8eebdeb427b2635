"""A real PgBouncer in transaction mode before the tests' PostgreSQL: nothing lasts from one transaction to the next."""

import atexit
import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import trustme

from tests.support.absence import do_without
from tests.support.postgres import postgres_url, query

_CONFIGURATION = """
[databases]
* = host={server} user=postgres
[pgbouncer]
pool_mode = transaction
unix_socket_dir = {folder}
auth_type = any
default_pool_size = 8
server_round_robin = 1
max_client_conn = 500
listen_port = {port}
"""
_TLS = """
listen_addr = 127.0.0.1
client_tls_sslmode = require
client_tls_cert_file = {folder}/certificate.pem
client_tls_key_file = {folder}/key.pem
"""


def through_pgbouncer(url: str) -> str:
    """The same database, by way of PgBouncer. Skips the test without one, or fails it where REQUIRE_ALL=1."""
    return f"postgresql://postgres@/{urlsplit(url).path.strip('/')}?host={_shared().folder}&port=6432&pgbouncer=true"


@contextlib.contextmanager
def running_pgbouncer(port: int, certificate: trustme.LeafCert) -> Iterator[int]:
    """One that speaks TLS alone, on a port of loopback."""
    pgbouncer = _PgBouncer(port, certificate)
    try:
        yield pgbouncer.port
    finally:
        pgbouncer.remove()


class _PgBouncer:
    def __init__(self, port: int, certificate: trustme.LeafCert | None = None) -> None:
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            do_without("no PgBouncer on this machine")
        self.port, self.folder = port, Path(tempfile.mkdtemp(prefix="ww-pgbouncer-"))
        self._configure(certificate)
        user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root
        if user is not None:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, pwd.getpwnam(user).pw_uid, -1)
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, "pgbouncer.ini"], cwd=self.folder, user=user, stdout=log, stderr=log
            )
        self._wait_until_ready(f"postgresql://postgres@/postgres?host={self.folder}&port={port}")

    def remove(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configure(self, certificate: trustme.LeafCert | None) -> None:
        parts = urlsplit(postgres_url())
        [server] = parse_qs(parts.query).get("host", [parts.hostname or "localhost"])
        text = _CONFIGURATION.format(server=server, folder=self.folder, port=self.port)
        if certificate is not None:
            certificate.cert_chain_pems[0].write_to_path(self.folder / "certificate.pem")
            certificate.private_key_pem.write_to_path(self.folder / "key.pem")
            text += _TLS.format(folder=self.folder)
        (self.folder / "pgbouncer.ini").write_text(text)

    def _wait_until_ready(self, url: str) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                query(url, "SELECT 1")
            except (OSError, asyncpg.PostgresError):
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)
            else:
                return


@cache
def _shared() -> _PgBouncer:
    pgbouncer = _PgBouncer(6432)
    atexit.register(pgbouncer.remove)
    return pgbouncer
