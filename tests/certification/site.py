"""The relying party's own https site: documents it serves, and what is posted to it."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any
from urllib.parse import parse_qs


@dataclass
class Site:
    """`documents` are served as JSON by their path; `posts` holds path and form of each POST, in order.

    `versions` holds by which version of TLS each of them came.
    """

    origin: str
    documents: dict[str, Any] = field(default_factory=dict)
    posts: "Queue[tuple[str, dict[str, list[str]], str]]" = field(default_factory=Queue)
    read: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)

    def publish(self, path: str, document: Any) -> str:
        """Serve a document, and return its address."""
        self.documents[path] = document
        return self.origin + path


@contextmanager
def running_site(context: ssl.SSLContext) -> Iterator[Site]:
    """Serve on a free port of this machine until the block ends."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            site.read.append(self.path)
            found = site.documents.get(path)
            self._answer(404 if found is None else 200, json.dumps(found).encode())

        def do_POST(self) -> None:
            site.versions.append(str(self.connection.version()))
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            site.posts.put((self.path, parse_qs(body), self.headers["content-type"]))
            self._answer(200, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the suite reads `posts`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    site = Site(f"https://localhost:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
