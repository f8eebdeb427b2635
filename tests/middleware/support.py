"""Doors for the middleware's tests: an app to protect, a clock to turn, an issuer to slow down."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import uvicorn

from watchword_asgi import Watchword
from watchword_asgi.clock import Clock
from watchword_asgi.testing import LocalIssuer


class TurnableClock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.time = datetime(2030, 1, 1, tzinfo=UTC)
        self.clock = Clock(now=self.now, monotonic=self.monotonic)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def turn(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class GatedTransport(httpx2.AsyncBaseTransport):
    """An issuer that answers when the test lets it."""

    def __init__(self, issuer: LocalIssuer) -> None:
        self._issuer = issuer
        self.gate = asyncio.Event()
        self.arrived = asyncio.Event()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.arrived.set()
        await self.gate.wait()
        await request.aread()
        return await self._issuer.respond(request)


async def echo_app(scope: Any, receive: Any, send: Any) -> None:
    """Tells who asks, as JSON."""
    identity = scope["watchword"]
    body = {
        "subject": identity.subject if identity else None,
        "path": scope["path"],
        "access_token": bool(identity and identity.access_token),
        "scopes": sorted(identity.scopes) if identity else [],
    }
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def protect(local: LocalIssuer, app: Any = echo_app, **options: Any) -> Watchword:
    defaults = {"issuer": local.issuer, "audience": local.audience, "http": local.transport}
    return Watchword(app, **{**defaults, **options})


def browser(app: Any, base_url: str = "https://api.test") -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=base_url)


async def get(app: Any, path: str = "/", headers: Mapping[str, str] | None = None, method: str = "GET") -> Any:
    async with browser(app) as client:
        return await client.request(method, path, headers=headers)


def fetches(issuer: LocalIssuer, path: str = "/jwks") -> int:
    return sum(1 for _, each in issuer.requests if each == path)


async def settle() -> None:
    """Let tasks that are ready run until none is."""
    while others := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
        await asyncio.gather(*others, return_exceptions=True)


@contextlib.asynccontextmanager
async def served(app: Any, scheme: str = "http", host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Serve an app on a real socket; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="auto", ws="websockets-sansio"))
    running = asyncio.create_task(server.serve([listening]))
    try:
        yield f"{scheme}://{host}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listening.close()
