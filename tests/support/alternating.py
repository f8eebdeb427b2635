"""What stands before several replicas: each request goes to the next one, over a connection of its own."""

import asyncio
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def alternating(port: int, *replicas: int) -> Iterator[None]:
    """Listen on a port and send requests to those on the ports of the replicas, in turn."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    turns = itertools.cycle(replicas)

    async def serve() -> asyncio.Server:
        return await asyncio.start_server(lambda reader, writer: _pass_on(reader, writer, turns), "127.0.0.1", port)

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turns: Iterator[int]) -> None:
    """Pass one request on and its answer back; both sides are told that the connection ends with it."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        head = await reader.readuntil(b"\r\n\r\n")
        above, below = await asyncio.open_connection("127.0.0.1", next(turns))
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        below.write(b"\r\n".join([lines[0], b"connection: close", *lines[1:]]))
        length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
        below.write(await reader.readexactly(length))
        while chunk := await above.read(65536):
            writer.write(chunk)
        below.close()
    writer.close()
    with suppress(ConnectionError, socket.error):
        await writer.wait_closed()
