"""Where clients hear of a sign-out: a site of theirs that notes what is posted to it and what a browser loads."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from tests.support.secrecy import remember_secret

T = TypeVar("T")
HANG = 0
"""In place of a status: take the request and answer nothing before `release`."""


@dataclass(frozen=True, slots=True)
class Post:
    """A form that was posted."""

    path: str
    content_type: str
    fields: list[tuple[str, str]]


@dataclass
class Sink:
    """`answers` holds the status by path, 200 where none is. `loaded` are the targets of GET requests, in order."""

    port: int
    posts: list[Post] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    hanging: int = 0
    most_hanging: int = 0
    release: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def address(self, path: str, *, host: str = "127.0.0.1") -> str:
        """Where a client hears of it; each host is another one to the provider."""
        return f"http://{host}:{self.port}{path}"

    def tokens(self, path: str) -> list[str]:
        """The logout tokens that were posted there, oldest first."""
        found = [post for post in list(self.posts) if post.path == path]
        return [remember_secret(dict(post.fields)["logout_token"]) for post in found]

    async def has(self, path: str, count: int = 1) -> list[str]:
        """Wait until so many logout tokens were posted there."""
        await until(lambda: len(self.tokens(path)) >= count)
        return self.tokens(path)

    def take(self, post: Post) -> int:
        """Note a post; return the status to answer, after the time it hangs."""
        with self.lock:
            self.posts.append(post)
            status = self.answers.get(post.path, 200)
            if status != HANG:
                return status
            self.hanging += 1
            self.most_hanging = max(self.most_hanging, self.hanging)
        self.release.wait(30)
        with self.lock:
            self.hanging -= 1
        return 200


async def until(look: Callable[[], T]) -> T:
    """Look again and again until there is something to see; fifteen seconds at most."""
    async with asyncio.timeout(15):
        while True:
            seen = look()
            if seen:
                return seen
            await asyncio.sleep(0.02)


@contextmanager
def running_sink() -> Iterator[Sink]:
    """Listen on a free port of this machine until the block ends."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            fields = parse_qsl(body, keep_blank_values=True)
            self._answer(sink.take(Post(self.path, self.headers["content-type"], fields)))

        def do_GET(self) -> None:
            sink.loaded.append(self.path)
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("cache-control", "no-store")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: tests read what was noted."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    sink = Sink(int(server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        sink.release.set()
        server.shutdown()
        server.server_close()


def metadata(name: str, **members: Any) -> dict[str, Any]:
    """The registration of a client (RFC 7591)."""
    return {"client_name": name, "redirect_uris": ["http://127.0.0.1:8999/callback"], **members}
