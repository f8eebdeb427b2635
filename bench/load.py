"""A load client of the least cost: prepared request bytes on raw keep-alive connections, and nothing kept but times.

A usual HTTP library needs more CPU for a request than the provider does and would measure itself. This one reads
exactly what the measured servers write: HTTP/1.1 answers with a Content-Length, or without a body.
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
    """One HTTP answer."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Return the value of the first header of that lower-case name; empty when there is none."""
        return next(iter(self.headers(name)), b"")

    def headers(self, name: bytes) -> Sequence[bytes]:
        """Return the values of all headers of that lower-case name."""
        pairs = (line.partition(b": ") for line in self.head.split(b"\r\n"))
        return [value for given, _, value in pairs if given.lower() == name]


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
        head = self._received[: end + 2].lower()
        at = head.find(b"\r\ncontent-length: ")
        self._length = int(head[at + 18 : head.find(b"\r\n", at + 18)]) if at >= 0 else 0
        return True

    def _finish(self) -> None:
        received, split = self._received, self._body_start
        self._received, self._length = b"", -1
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(int(received[9:12]), received[:split], received[split:]))


Operation = Callable[[Sender], Awaitable[float]]
"""Does its work once, and returns the seconds it waited for what is not the server's answer: a message."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one round measured. Times in seconds; `client_share` is how much of its CPU the client used."""

    operations: int
    wall: float
    server_cpu: float
    client_share: float
    latencies: Sequence[float]
    errors: Sequence[str] = ()


async def connect(server: Server) -> Connection:
    """Open a connection."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, "127.0.0.1", server.port)
    return connection


async def measure_load(server: Server, operations: Sequence[Operation], seconds: float) -> Load:
    """Repeat each operation on a connection of its own until the time is over; each runs at least once.

    A connection stops at its first error, which is counted.

    Raises:
        TimeoutError: the server stopped answering.
    """
    connections = [await connect(server) for _ in operations]
    latencies: list[float] = []
    errors: list[str] = []
    server_cpu, client_cpu, started = server.cpu_seconds(), time.process_time(), time.perf_counter()
    try:
        async with asyncio.timeout(seconds + _ANSWER_SECONDS), asyncio.TaskGroup() as group:
            for operation, connection in zip(operations, connections, strict=True):
                group.create_task(_repeat(operation, connection, started + seconds, latencies, errors))
        wall = time.perf_counter() - started
        client_share = (time.process_time() - client_cpu) / wall
        return Load(len(latencies), wall, server.cpu_seconds() - server_cpu, client_share, latencies, errors)
    finally:
        for connection in connections:
            connection.close()


async def _repeat(
    operation: Operation, connection: Connection, until: float, latencies: list[float], errors: list[str]
) -> None:
    finished = 0.0
    while finished < until:
        started = time.perf_counter()
        try:
            waited = await operation(connection)
        except NothingLeft:
            return
        except UnexpectedAnswer as problem:
            errors.append(str(problem))
            return
        finished = time.perf_counter()
        latencies.append(finished - started - waited)
