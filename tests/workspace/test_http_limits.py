"""What a peer may send around a request, and how long it may take, before any endpoint sees it. Raw sockets only."""

import asyncio
import contextlib
import gc
import json
import select
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest
import uvicorn
from starlette.types import ASGIApp

from tests.support.provider import RunningProvider, running_provider
from watchword.http_server import BoundedHttpProtocol
from watchword.services import Services
from watchword.web.answers import json_answer
from watchword.web.dispatch import Dispatch
from watchword.web.endpoint import Access, Endpoint
from watchword.web.exchange import Exchange, Renderer
from watchword.web.under_way import UnderWay
from watchword.web.wire import Answer

WAIT = 20  # seconds, for what takes a moment
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
FORM = b"POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n"


class HurriedProtocol(BoundedHttpProtocol):
    """The same, with limits a test can wait for."""

    head_seconds = 0.2
    linger_seconds = 0.1


@pytest.fixture(scope="module")
def running() -> Iterator[RunningProvider]:
    with running_provider() as provider:
        yield provider


def connect(provider: RunningProvider) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(provider.environment["WATCHWORD_PORT"])), timeout=WAIT)


def read_to_end(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionError):
        while chunk := connection.recv(65536):
            received += chunk
    return received


def exchange_bytes(provider: RunningProvider, sent: bytes) -> bytes:
    """Send until there is an answer to read, and return everything that comes until the end of the connection."""
    with connect(provider) as connection:
        while sent and not select.select([connection], [], [], 0)[0]:
            connection.sendall(sent[:65536])
            sent = sent[65536:]
        return read_to_end(connection)


def read_answer(connection: socket.socket, end: bytes = b'{"status":"alive"}') -> bytes:
    """Read as far as `end` and leave the connection open."""
    received = b""
    while not received.endswith(end):
        chunk = connection.recv(65536)
        assert chunk, received
        received += chunk
    return received


def is_well(provider: RunningProvider) -> bool:
    return b" 200 " in exchange_bytes(provider, REQUEST + b"Connection: close\r\n\r\n")


@pytest.mark.parametrize(
    "head",
    [
        REQUEST + b"X-Huge: " + b"a" * 20_000 + b"\r\n\r\n",
        REQUEST + b"X-Unfinished: " + b"a" * 20_000,
        REQUEST + b"X" * 20_000,
        REQUEST + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(20)) + b"\r\n",
        REQUEST + b"".join(b"X-%d: a\r\n" % n for n in range(64)) + b"\r\n",
        b"GET /healthz?" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /" + b"a" * 20_000,
    ],
    ids=["huge value", "unfinished value", "huge name", "large together", "65 fields", "huge URL", "unfinished URL"],
)
def test_a_head_beyond_its_limits_is_refused_and_the_connection_ends(running: RunningProvider, head: bytes) -> None:
    fields, _, body = exchange_bytes(running, head).partition(b"\r\n\r\n")
    assert fields.startswith(TOO_LARGE)
    assert b"\r\nconnection: close" in fields
    assert json.loads(body) == {
        "error": "invalid_request",
        "error_description": "Request Header Fields Too Large.",
    }
    assert is_well(running)


def test_a_head_within_its_limits_is_answered(running: RunningProvider) -> None:
    fields = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 200) for n in range(62))
    assert exchange_bytes(running, REQUEST + b"Connection: close\r\n" + fields + b"\r\n").startswith(b"HTTP/1.1 200 ")


def test_a_head_that_comes_byte_by_byte_is_answered(running: RunningProvider) -> None:
    with connect(running) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in REQUEST + b"\r\n":
            connection.sendall(bytes([byte]))
        assert read_answer(connection).startswith(b"HTTP/1.1 200 ")


def test_endless_trailers_are_refused_too(running: RunningProvider) -> None:
    with connect(running) as connection:
        connection.sendall(FORM.replace(b"/form", b"/healthz") + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n")
        assert read_answer(connection, b'{"error":"method_not_allowed"}').startswith(b"HTTP/1.1 405 ")
        connection.sendall(b"X-Trailer: " + b"a" * 20_000)
        assert read_to_end(connection).startswith(TOO_LARGE)
    assert is_well(running)


def test_a_body_larger_than_the_head_may_be_is_not_taken_for_a_head(running: RunningProvider) -> None:
    body = b"a" * 300_000
    posted = FORM.replace(b"/form", b"/healthz") + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with connect(running) as connection:
        connection.sendall(posted + REQUEST + b"\r\n")
        received = read_answer(connection)
    assert received.startswith(b"HTTP/1.1 405 ")
    assert b"HTTP/1.1 200 " in received


def test_a_header_of_20_megabytes_does_not_grow_the_process(running: RunningProvider) -> None:
    process = psutil.Process(running.process.pid)
    assert is_well(running)
    before = process.memory_info().rss
    for _ in range(3):
        assert exchange_bytes(running, REQUEST + b"X-Huge: " + b"a" * 20_000_000).startswith(TOO_LARGE)
    assert process.memory_info().rss - before < 5_000_000


def test_requests_follow_one_another_on_a_connection(running: RunningProvider) -> None:
    with connect(running) as connection:
        for _ in range(50):
            connection.sendall(REQUEST + b"\r\n")
            assert read_answer(connection).startswith(b"HTTP/1.1 200 ")


def test_pipelined_requests_are_all_answered(running: RunningProvider) -> None:
    received = exchange_bytes(running, (REQUEST + b"\r\n") * 20 + REQUEST + b"Connection: close\r\n\r\n")
    assert received.count(b"HTTP/1.1 200 ") == 21


def test_a_large_pipelined_head_is_never_answered_in_place_of_an_earlier_request(running: RunningProvider) -> None:
    received = exchange_bytes(running, REQUEST + b"\r\n" + REQUEST + b"X-Huge: " + b"a" * 200_000 + b"\r\n\r\n")
    assert not received.startswith(TOO_LARGE)
    assert is_well(running)


def test_a_large_head_of_a_later_request_is_refused(running: RunningProvider) -> None:
    huge = REQUEST + b"X-Huge: " + b"a" * 20_000 + b"\r\n\r\n"
    with connect(running) as connection:
        connection.sendall(REQUEST + b"\r\n")
        assert read_answer(connection).startswith(b"HTTP/1.1 200 ")
        connection.sendall(huge)
        assert read_to_end(connection).startswith(TOO_LARGE)


async def read_form(exchange: Exchange) -> Answer:
    await exchange.form()
    return json_answer({"status": "read"})


async def ignore_form(_exchange: Exchange) -> Answer:
    return json_answer({"status": "ignored"})


def application() -> ASGIApp:
    settings: Any = SimpleNamespace(
        issuer="http://localhost", secure=False, development=False, test_limits="on", trusted_proxies=()
    )
    services = cast("Services", SimpleNamespace(settings=settings))
    problem_page: Any = None
    renderer = cast("Renderer", None)
    endpoints = [
        Endpoint("/form", {"POST": read_form}, Access.PUBLIC),
        Endpoint("/ignored", {"POST": ignore_form}, Access.PUBLIC),
    ]
    return Dispatch(
        endpoints,
        settings=settings,
        base_path="",
        renderer=renderer,
        locales=("en",),
        problem_page=problem_page,
        services=lambda: services,
    )


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def hurried_connection(keep_alive: int = 5) -> AsyncIterator[Streams]:
    """A connection to a server in this process whose limits are fractions of a second, but for the keep-alive time."""
    config = uvicorn.Config(
        application(),
        http=HurriedProtocol,
        log_config=None,
        lifespan="off",
        ws="none",
        timeout_keep_alive=keep_alive,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening, server.capture_signals():
        serving = asyncio.create_task(server._serve([listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        try:
            async with asyncio.timeout(WAIT):
                yield reader, writer
        finally:
            writer.close()
            server.should_exit = True
            await serving


async def drip(writer: asyncio.StreamWriter, closed: asyncio.Task[bytes]) -> None:
    """Send a byte now and then for as long as the other side listens."""
    while not closed.done():
        writer.write(b"a")
        await asyncio.wait([closed], timeout=0.02)


async def test_a_connection_that_sends_nothing_is_closed() -> None:
    async with hurried_connection() as (reader, _):
        assert await reader.read() == b""


@pytest.mark.parametrize("begun", [REQUEST + b"X-Slow: ", b"GET /"])
async def test_a_head_that_drips_is_answered_408_and_the_connection_ends(begun: bytes) -> None:
    async with hurried_connection() as (reader, writer):
        writer.write(begun)
        closed = asyncio.create_task(reader.read())
        await drip(writer, closed)
        received = closed.result()
    assert received.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"\r\nconnection: close\r\n" in received


@pytest.mark.parametrize("second", [REQUEST, b"\r\n"], ids=["a head", "an empty line"])
async def test_the_limit_holds_for_later_requests_of_a_connection(second: bytes) -> None:
    async with hurried_connection() as (reader, writer):
        writer.write(REQUEST + b"\r\n")
        await reader.readuntil(b'{"error":"not_found"}')
        writer.write(second)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")


async def test_a_pipelined_head_that_drips_is_answered_408() -> None:
    async with hurried_connection() as (reader, writer):
        writer.write(REQUEST + b"\r\n" + REQUEST + b"X-Slow: ")
        await reader.readuntil(b'{"error":"not_found"}')
        closed = asyncio.create_task(reader.read())
        await drip(writer, closed)
        assert closed.result().startswith(b"HTTP/1.1 408 ")


async def test_between_requests_the_keep_alive_time_holds() -> None:
    async with hurried_connection() as (reader, writer):
        writer.write(REQUEST + b"\r\n")
        await reader.readuntil(b'{"error":"not_found"}')
        with pytest.raises(TimeoutError):  # three times as long as a head may take
            await asyncio.wait_for(reader.read(1), 3 * HurriedProtocol.head_seconds)
        writer.write(REQUEST + b"\r\n")
        assert (await reader.readuntil(b'{"error":"not_found"}')).startswith(b"HTTP/1.1 404 ")


async def test_after_the_keep_alive_time_an_unused_connection_ends() -> None:
    loop, answered = asyncio.get_running_loop(), 0.0
    async with hurried_connection(keep_alive=1) as (reader, writer):
        for _ in range(2):  # the second begins while the time of the first runs
            writer.write(REQUEST + b"\r\n")
            await reader.readuntil(b'{"error":"not_found"}')
            answered = loop.time()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.6)
        assert await reader.read() == b""
        assert 0.9 < loop.time() - answered < WAIT


async def test_a_request_leaves_nothing_for_the_garbage_collector() -> None:
    async with hurried_connection() as (reader, writer):
        gc.collect()
        gc.disable()
        try:
            for _ in range(50):
                writer.write(REQUEST + b"\r\n")
                await reader.readuntil(b'{"error":"not_found"}')
            assert gc.collect() < 50
        finally:
            gc.enable()


async def test_a_body_that_drips_is_answered_408_and_the_connection_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnderWay, "body_seconds", 0.3)
    monkeypatch.setattr(UnderWay, "look_seconds", 0.05)
    async with hurried_connection() as (reader, writer):
        writer.write(FORM + b"Content-Length: 30000\r\n\r\n")
        closed = asyncio.create_task(reader.read())
        await drip(writer, closed)
        fields, _, body = closed.result().partition(b"\r\n\r\n")
    assert fields.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nconnection: close" in fields
    assert json.loads(body)["error"] == "invalid_request"


async def test_a_body_may_take_longer_than_a_head() -> None:
    async with hurried_connection() as (reader, writer):
        writer.write(FORM + b"Content-Length: 3\r\n\r\na")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 3 * HurriedProtocol.head_seconds)
        writer.write(b"=b")
        assert (await reader.readuntil(b'{"status":"read"}')).startswith(b"HTTP/1.1 200 ")


async def test_a_body_nobody_reads_may_not_drip_on_after_the_answer() -> None:
    async with hurried_connection() as (reader, writer):
        writer.write(FORM.replace(b"/form", b"/ignored") + b"Content-Length: 30000\r\n\r\n")
        await reader.readuntil(b'{"status":"ignored"}')
        closed = asyncio.create_task(reader.read())
        await drip(writer, closed)
        assert closed.result() == b""
