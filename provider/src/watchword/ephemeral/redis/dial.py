"""Opening a connection: to the server itself, or to the one that Sentinels say is the primary."""

import asyncio
import ssl
from dataclasses import dataclass

from hiredis import ReplyError

from watchword.embedded import StoreUnavailable
from watchword.ephemeral.redis.address import Address, Kind, Login
from watchword.ephemeral.redis.wire import Argument, Wire, pack

CONNECT_SECONDS = 0.25
"""How long one server may take to be connected and to greet us."""


async def dial(address: Address) -> Wire:
    """Return an open connection to the server that takes writes. One or two round trips, and one for each Sentinel.

    Raises:
        StoreUnavailable: none is reached in 250 ms, refuses our login, or no Sentinel knows a primary.
    """
    if address.kind is Kind.SINGLE:
        return await _open(_Server(*address.hosts[0], address.login, address.number, address.tls))
    host, port = await _primary(address)
    wire = await _open(_Server(host, port, address.login, address.number, address.tls))
    # A primary that was just deposed still answers, and may be asked before its Sentinel knows.
    role = await _say(wire, pack("ROLE"))
    if role[0] != b"master":
        wire.lose("Sentinel named a replica")
        raise StoreUnavailable("Redis has no primary at the moment")
    return wire


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    port: int
    login: Login
    number: int
    tls: ssl.SSLContext | None


async def _primary(address: Address) -> tuple[str, int]:
    """Ask one Sentinel after the other for the primary of the service."""
    question = pack("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.service)
    for host, port in address.hosts:
        try:
            sentinel = await _open(_Server(host, port, address.sentinel_login, 0, address.tls))
            answer = await _say(sentinel, question)
        except StoreUnavailable:
            continue
        sentinel.lose("asked")
        if answer is not None:
            return answer[0].decode(), int(answer[1])
    raise StoreUnavailable("no Sentinel knows where Redis is")


async def _open(server: _Server) -> Wire:
    """Connect and greet. A server that accepts but does not answer is not connected: the ping is there to see it."""
    wire = None
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            loop = asyncio.get_running_loop()
            _, wire = await loop.create_connection(Wire, server.host, server.port, ssl=server.tls)
            await asyncio.gather(*(wire.ask(command) for command in _greeting(server)))
    except BaseException as error:
        if wire is not None:
            wire.lose("the connection to Redis was not made")
        if isinstance(error, (OSError, TimeoutError, ReplyError, StoreUnavailable)):
            raise StoreUnavailable(f"Redis cannot be reached: {reason(error)}") from None
        raise
    return wire


def _greeting(server: _Server) -> list[bytes]:
    commands: list[tuple[Argument, ...]] = []
    if server.login.password:
        commands.append(("AUTH", *filter(None, (server.login.username,)), server.login.password))
    if server.number:
        commands.append(("SELECT", server.number))
    return [pack(*command) for command in (*commands, ("PING",))]


async def _say(wire: Wire, command: bytes) -> list[bytes]:
    try:
        answer: list[bytes] = await wire.ask(command)
    except ReplyError as error:
        wire.lose("refused")
        raise StoreUnavailable(f"Redis refused: {reason(error)}") from None
    return answer


def reason(error: Exception) -> str:
    """Return what went wrong without whatever the error quotes: its kind, or the code of the server's refusal."""
    return str(error).partition(" ")[0] if isinstance(error, ReplyError) else type(error).__name__
