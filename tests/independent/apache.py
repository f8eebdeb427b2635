"""A real Apache with mod_auth_openidc before an app that shows which headers reach it. All its state is temporary."""

import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.absence import do_without
from tests.support.provider import free_port, stop

MODULES = Path(os.environ.get("APACHEMODULES", "/usr/lib/apache2/modules"))
_LOADED = ("mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", "auth_openidc")
_RUNS_AS = "User www-data\nGroup www-data"
_START_SECONDS = 20


@contextlib.contextmanager
def running_apache(port: int, directives: str, authority: Path) -> Iterator[Path]:
    """Run Apache on a port of 127.0.0.1 with a recipe's directives; yields its error log. Skips without Apache."""
    program = shutil.which("apache2", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None or not (MODULES / "mod_auth_openidc.so").exists():
        do_without("no Apache with mod_auth_openidc on this machine")
    with tempfile.TemporaryDirectory(prefix="watchword-apache-") as name, _app() as behind:
        folder = Path(name)
        folder.chmod(0o755)  # a root's Apache serves as somebody else
        shutil.copyfile(authority, folder / "authority.pem")
        configuration = folder / "apache.conf"
        configuration.write_text(_configuration(folder, port, behind, directives))
        process = subprocess.Popen(
            [program, "-d", folder, "-f", configuration, "-D", "FOREGROUND"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        log = folder / "error.log"
        try:
            _wait_until_listening(port, process, log)
            yield log
        finally:
            stop(process)


def _configuration(folder: Path, port: int, behind: int, directives: str) -> str:
    modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in _LOADED)
    return f"""
{modules}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/error.log
LogLevel warn auth_openidc:info
{_RUNS_AS if os.geteuid() == 0 else ""}
StartServers 1
ServerLimit 2
ThreadsPerChild 8
MaxRequestWorkers 16
OIDCCABundlePath {folder}/authority.pem
ProxyPass /callback !
ProxyPass / http://127.0.0.1:{behind}/
{directives}
"""


class _Shows(http.server.BaseHTTPRequestHandler):
    """Answers every request with its headers."""

    def do_GET(self) -> None:
        body = json.dumps(dict(self.headers.items())).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name it has there
        """Say nothing."""


@contextlib.contextmanager
def _app() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), _Shows) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _wait_until_listening(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"Apache stopped at its start: {log.read_text() if log.exists() else 'no log'}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(f"Apache did not start: {log.read_text()}")
