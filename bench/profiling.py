"""`python -m bench.profiling`: where the time of an operation goes, and which statements it really runs.

The provider runs in this process under cProfile, asked through ASGI without a socket. Profiling makes calls dearer
than they are, so read shares, not times; what the HTTP server costs is not in them.
"""

import asyncio
import cProfile
import os
import pstats
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.browser import CodeLogin
from bench.contender import Contender, Name
from bench.load import Answer, Operation, UnexpectedAnswer
from bench.mailbox import open_mailbox
from bench.ours import prepare
from bench.people import People
from bench.requests import get
from bench.scenarios import OF_OURS
from bench.server import Server
from bench.walks import (
    Authorize,
    ExchangeCode,
    RotateRefreshToken,
    SameRequest,
    SignIn,
    authorization_target,
    exchange,
    token_request,
)
from watchword.app import create_app

_TIMES = 200
_SHOWN = 12
_ROOMS = {
    "cryptography": "OpenSSL and joserfc", "joserfc": "OpenSSL and joserfc", "sqlite3": "SQLite", "jinja2": "templates",
    "pages/templates": "templates", "starlette": "Starlette", "asyncio": "event loop", "select": "event loop",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class InProcess:
    """Sends prepared request bytes to an ASGI application without a socket."""

    application: Callable[..., Any]

    async def fetch(self, request: bytes, status: int) -> Answer:
        """Run one request.

        Raises:
            UnexpectedAnswer: it was answered with another status.
        """
        sent: list[dict[str, Any]] = []
        head, _, body = request.partition(b"\r\n\r\n")

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.application(_scope(head), receive, send)
        answer = Answer(sent[0]["status"], _head(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent[1:]))
        if answer.status != status:
            raise UnexpectedAnswer(f"{head.split()[1][:30]!r} answered {answer.status}")
        return answer


def _scope(head: bytes) -> dict[str, Any]:
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.split()
    path, _, query = target.partition(b"?")
    headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
    return {
        "type": "http", "method": method.decode(), "path": path.decode(), "raw_path": path, "query_string": query,
        "headers": headers, "client": ("127.0.0.1", 1), "scheme": "http", "root_path": "", "http_version": "1.1",
    }  # fmt: skip


def _head(headers: list[tuple[bytes, bytes]]) -> bytes:
    return b"HTTP/1.1\r\n" + b"".join(name + b": " + value + b"\r\n" for name, value in headers)


class Statements:
    """Counts the statements that run on every SQLite connection opened from now on."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        opened = sqlite3.connect

        def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = opened(*arguments, **options)
            connection.set_trace_callback(self._count)
            return connection

        sqlite3.connect = connect  # type: ignore[assignment]

    def _count(self, statement: str) -> None:
        verb = statement.split(None, 1)[0].upper()
        self.counts[verb] += 1


async def _main(folder: Path) -> None:
    prepared = await prepare(folder, _TIMES * 2)
    statements = Statements()
    os.environ.clear()
    os.environ.update(prepared.environment)
    application = create_app()
    done = asyncio.Event()
    ready = asyncio.Event()
    lifespan = asyncio.create_task(_live(application, ready, done))
    await ready.wait()
    try:
        async with open_mailbox(prepared.environment["WATCHWORD_EPHEMERAL_URL"]) as mailbox:
            server = Server(int(prepared.environment["WATCHWORD_PORT"]), os.getpid(), 0.0)
            walk = CodeLogin(f"localhost:{server.port}", People(prepared.people), mailbox)
            contender = Contender(Name.EMBEDDED, server, OF_OURS, prepared.clients, walk, opaque=prepared.opaque)
            await _show_all(InProcess(application), contender, statements)
    finally:
        done.set()
        await lifespan


async def _live(application: Callable[..., Any], ready: asyncio.Event, done: asyncio.Event) -> None:
    events = iter(("lifespan.startup", "lifespan.shutdown"))

    async def receive() -> dict[str, Any]:
        event = next(events)
        if event == "lifespan.shutdown":
            await done.wait()
        return {"type": event}

    async def send(_message: dict[str, Any]) -> None:
        ready.set()

    await application({"type": "lifespan"}, receive, send)


async def _show_all(sender: InProcess, contender: Contender, statements: Statements) -> None:
    client, host = contender.clients.rs256, contender.host
    signed_in = await contender.sign_in(sender, client)
    tokens = await exchange(sender, contender, client, signed_in.authorization_code)
    codes: list[str] = []
    asking = get(host, authorization_target("/authorize", client), cookie=signed_in.session)
    operations: dict[str, Operation] = {
        "discovery": SameRequest(get(host, contender.routes.discovery)),
        "client_credentials": SameRequest(token_request(contender, client, grant_type="client_credentials")),
        "userinfo": SameRequest(get(host, contender.routes.userinfo, bearer=tokens["access_token"])),
        "authorize, signed in": Authorize(asking, codes),
        "code exchange": ExchangeCode(contender, client, codes),
        "refresh": RotateRefreshToken(contender, client, tokens["refresh_token"]),
        "login": SignIn(contender, client),
    }
    for name, operation in operations.items():
        await _show(name, operation, sender, statements)


async def _show(name: str, operation: Operation, sender: InProcess, statements: Statements) -> None:
    """Print what an operation runs and where its time goes."""
    statements.counts.clear()
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(_TIMES):
        await operation(sender)
    profile.disable()
    counts = ", ".join(f"{verb} {count / _TIMES:.1f}" for verb, count in statements.counts.most_common())
    print(f"\n== {name}\nstatements: {counts or 'none'}")
    own = [(function, row[2]) for function, row in pstats.Stats(profile).stats.items()]  # type: ignore[attr-defined]
    total = sum(time for _, time in own)
    rooms: Counter[str] = Counter()
    for function, time in own:
        rooms[_room(function)] += time
    print("rooms: " + ", ".join(f"{room} {time / total:.0%}" for room, time in rooms.most_common(_SHOWN)))
    for (file, line, function), time in sorted(own, key=lambda each: -each[1])[:_SHOWN]:
        print(f"{time / total:6.1%} {time / _TIMES * 1e6:8.1f} us  {'/'.join(Path(file).parts[-2:])}:{line} {function}")


def _room(function: tuple[str, int, str]) -> str:
    file, _, name = function
    where = name if file == "~" else file
    found = next((room for mark, room in _ROOMS.items() if mark in where), None)
    if found is None and "/watchword/" in file:
        return "watchword/" + file.partition("/watchword/")[2].split("/")[0].removesuffix(".py")
    return found or "Python"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as temporary:
        asyncio.run(_main(Path(temporary)))
