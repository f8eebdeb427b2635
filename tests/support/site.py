"""A web site on loopback that answers as it is told, well or badly: `async with running_site() as site`.

It speaks HTTP by hand, so that it can also break every rule of it.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme


@dataclass(frozen=True, slots=True)
class Heard:
    """One request. `connection` numbers the connections, `server_name` is what TLS asked for."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    server_name: str | None
    tls: str | None


Reply = Callable[[Heard, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Site:
    """Where it listens, what it has heard, and how it answers (may be changed while it runs)."""

    port: int = 0
    scheme: str = "http"
    cafile: Path | None = None
    reply: Reply | None = None
    heard: list[Heard] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    connections: int = 0
    server_names: list[str | None] = field(default_factory=list)
    tasks: set[asyncio.Task[object]] = field(default_factory=set)

    def url(self, host: str = "127.0.0.1", path: str = "/document") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def answers(self, content: Any, **headers: str) -> None:
        """Let it answer with JSON from now on."""
        self.reply = sending(200, json.dumps(content).encode(), **({"content_type": "application/json"} | headers))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        # A reply that never comes is cancelled when the site closes.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            while True:
                heard = await self._hear(reader, writer)
                self.heard.append(heard)
                assert self.reply is not None
                await self.reply(heard, writer)
                if heard.headers.get("connection") == "close":
                    break
        self.open -= 1
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
            await writer.wait_closed()
        self.tasks.discard(task)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Heard:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        tls = writer.get_extra_info("ssl_object")
        name = self.server_names[-1] if self.server_names else None
        return Heard(method, target, headers, body, self.connections, name, None if tls is None else tls.version())


def sending(status: int, body: bytes = b"", **headers: str) -> Reply:
    """Return what answers with a status, headers (`content_type="..."`) and a body."""
    lines = [f"HTTP/1.1 {status} Answer", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]

    async def reply(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return reply


@contextlib.asynccontextmanager
async def running_site(
    *hosts: str, folder: Path | None = None, authority: trustme.CA | None = None, address: str = "127.0.0.1"
) -> AsyncIterator[Site]:
    """Serve on a free port; with a `folder` for its authority's certificate in TLS, as those hosts."""
    site = Site()
    site.answers({})
    context = None
    if folder is not None:
        authority = authority or trustme.CA()
        site.scheme, site.cafile = "https", folder / "authority.pem"
        authority.cert_pem.write_to_path(str(site.cafile))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*hosts).configure_cert(context)
        context.sni_callback = lambda _socket, name, _context: site.server_names.append(name)
    server = await asyncio.start_server(site.serve, address, 0, ssl=context)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        left = list(site.tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
