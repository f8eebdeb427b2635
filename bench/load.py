"""A load client of the least cost: prepared request bytes on raw keep-alive connections, and nothing kept but times.

A usual HTTP library needs more CPU for a request than the provider does and would measure itself. This one reads
exactly what the measured servers write: HTTP/1.1 answers with a Content-Length.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from bench.server import Server

_HEAD_END = b"\r\n\r\n"
_ANSWER_SECONDS = 10


class UnexpectedAnswer(Exception):
    """The server answered with another status than the scenario expects, or not at all."""


class NothingLeft(Exception):
    """Raised by an operation that used up what was prepared for it: the round ends early, without an error."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `head` is lower-cased only where it is searched."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Return the value of the first header of that lower-case name; empty when there is none."""
        start = self.head.find(b"\r\n" + name + b": ")
        if start < 0:
            return b""
        start += len(name) + 4
        return self.head[start : self.head.find(b"\r\n", start)]


class Sender(Protocol):
    """What an operation sends its requests through."""

    async def fetch(self, request: bytes, status: int) -> Answer:
        """Send a request and return the answer, which must have that status."""
        ...


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""
        self._body_start = 0
        self._length = -1
        self._answer: asyncio.Future[Answer] | None = None
        self._loop = asyncio.get_running_loop()

    async def fetch(self, request: bytes, status: int) -> Answer:
        """Send a request and return the answer.

        Raises:
            UnexpectedAnswer: it has another status, or the connection closed.
        """
        assert self._transport is not None
        self._answer = self._loop.create_future()
        self._transport.write(request)
        answer = await self._answer
        if answer.status != status:
            first_line = request.partition(b"?")[0].partition(b"\r\n")[0].decode()
            raise UnexpectedAnswer(f"{first_line} answered {answer.status} in place of {status}")
        return answer

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(UnexpectedAnswer(f"the connection closed: {exc}"))

    def data_received(self, data: bytes) -> None:
        """Collect until the answer is whole."""
        self._received = self._received + data if self._received else data
        if self._length < 0 and not self._read_head():
            return
        if len(self._received) >= self._body_start + self._length:
            self._finish()

    def _read_head(self) -> bool:
        end = self._received.find(_HEAD_END)
        if end < 0:
            return False
        self._body_start = end + len(_HEAD_END)
        at = self._received.find(b"content-length: ", 0, end)
        self._length = int(self._received[at + 16 : self._received.find(b"\r\n", at)]) if at >= 0 else 0
        return True

    def _finish(self) -> None:
        received, split = self._received, self._body_start
        self._received, self._length = b"", -1
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(int(received[9:12]), received[:split], received[split:]))


Operation = Callable[[Sender], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Load:
    """What one round measured. Times in seconds; `client_share` is how much of its CPU the client used."""

    operations: int
    wall: float
    server_cpu: float
    client_share: float
    latencies: Sequence[float]


async def connect(server: Server) -> Connection:
    """Open a connection."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, "127.0.0.1", server.port)
    return connection


async def measure_load(server: Server, operations: Sequence[Operation], seconds: float) -> Load:
    """Repeat each operation on a connection of its own until the time is over; each runs at least once.

    Raises:
        UnexpectedAnswer: any operation failed.
        TimeoutError: the server stopped answering.
    """
    connections = [await connect(server) for _ in operations]
    latencies: list[float] = []
    server_cpu, client_cpu, started = server.cpu_seconds(), time.process_time(), time.perf_counter()
    try:
        async with asyncio.timeout(seconds + _ANSWER_SECONDS), asyncio.TaskGroup() as group:
            for operation, connection in zip(operations, connections, strict=True):
                group.create_task(_repeat(operation, connection, started + seconds, latencies))
        wall = time.perf_counter() - started
        client_share = (time.process_time() - client_cpu) / wall
        return Load(len(latencies), wall, server.cpu_seconds() - server_cpu, client_share, latencies)
    finally:
        for connection in connections:
            connection.close()


async def _repeat(operation: Operation, connection: Connection, until: float, latencies: list[float]) -> None:
    finished = 0.0
    while finished < until:
        started = time.perf_counter()
        try:
            await operation(connection)
        except NothingLeft:
            return
        finished = time.perf_counter()
        latencies.append(finished - started)
