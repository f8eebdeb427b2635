"""A static site on its own origin: one page, its module, and the packages that the module imports."""

import contextlib
import http.server
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Notes</title>
<script type="importmap">
{"imports": {"oidc-client-ts": "/packages/oidc-client-ts/dist/esm/oidc-client-ts.js",
             "jwt-decode": "/packages/jwt-decode/build/esm/index.js"}}
</script>
<script type="module">
import * as app from '/app.mjs'
window.app = app
window.user = await app.currentUser()
document.body.dataset.ready = 'yes'
</script>
<body><h1>Notes</h1></body>
</html>
"""


class _Files(http.server.BaseHTTPRequestHandler):
    """Serves the page at every address that is no file."""

    def __init__(self, *arguments: Any, packages: Path, texts: Mapping[str, str], **named: Any) -> None:
        self._packages, self._texts = packages, texts
        super().__init__(*arguments, **named)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        kind = "text/javascript" if path.endswith(("js", ".mjs")) else "text/html"
        if path.startswith("/packages/"):
            text = (self._packages / path.removeprefix("/packages/")).read_text()
        else:
            text = self._texts.get(path, PAGE)
        body = text.encode()
        self.send_response(200)
        self.send_header("content-type", f"{kind}; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name it has there
        """Say nothing."""


@contextlib.contextmanager
def served_site(port: int, packages: Path, app: str) -> Iterator[str]:
    """Serve the page on a port of 127.0.0.1, with `app` as its module; yields the origin."""
    handler = partial(_Files, packages=packages, texts={"/app.mjs": app})
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{port}"
        server.shutdown()
