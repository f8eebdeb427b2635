"""Who runs the scripts: one server, found anew when its connection is lost. `cluster.py` has many of them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hiredis import ReplyError

from watchword.embedded import StoreUnavailable
from watchword.ephemeral.redis.address import Address
from watchword.ephemeral.redis.breaker import Breaker
from watchword.ephemeral.redis.dial import dial, reason
from watchword.ephemeral.redis.scripts import Script
from watchword.ephemeral.redis.wire import Argument, Wire, pack

_NOT_THE_PRIMARY = ("READONLY", "LOADING", "MASTERDOWN")


class Servers(Protocol):
    """Where scripts run. Every method may raise `StoreUnavailable`; nothing is ever sent twice after it was run."""

    one_slot: bool
    """Whether one script reaches all keys; else those of one slot, which equal braces in their names give them."""

    async def run(self, script: Script, keys: Sequence[bytes], *arguments: Argument) -> Any:
        """Run a script in one step."""

    async def ping(self) -> None:
        """Return if every server answers."""

    async def information(self) -> list[Mapping[str, Any]]:
        """Return what each server that takes writes says about itself (`INFO`), and `save` where it tells."""

    async def close(self) -> None:
        """Let the connections go; whatever comes later is refused."""


class OneServer:
    """A server, or the primary that Sentinels name: one connection for all callers, made anew after it is lost."""

    one_slot = True

    def __init__(self, address: Address) -> None:
        self._address = address
        self._wire: Wire | None = None
        self._greeted = 0
        self._dialing: asyncio.Task[Wire] | None = None
        self._breaker = Breaker()
        self._closed = False

    async def run(self, script: Script, keys: Sequence[bytes], *arguments: Argument) -> Any:
        """Run a script: one round trip; two the first time the server sees it."""
        try:
            return await self._ask(b"EVALSHA", script.digest, len(keys), *keys, *arguments)
        except ReplyError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise self._refusal(error) from None
        return await self._say(b"EVAL", script.source, len(keys), *keys, *arguments)

    async def ping(self) -> None:
        """Ask for a sign of life: one round trip."""
        await self._say(b"PING")

    async def information(self) -> list[Mapping[str, Any]]:
        """Ask the server about itself: two round trips."""
        lines = (await self._say(b"INFO")).decode().splitlines()
        information = dict(line.split(":", 1) for line in lines if ":" in line)
        try:
            answer = await self._ask(b"CONFIG", b"GET", b"save")
            information["save"] = answer[1].decode()
        except (ReplyError, LookupError):
            pass  # the server's access list may forbid it
        return [information]

    async def close(self) -> None:
        """Wait for what is under way, which takes no longer than its callers wait, then close."""
        self._closed = True
        if self._dialing is not None and not self._dialing.done():
            await asyncio.wait([self._dialing])
        if self._wire is not None:
            await self._wire.finish()

    async def _say(self, *command: Argument) -> Any:
        try:
            return await self._ask(*command)
        except ReplyError as error:
            raise self._refusal(error) from None

    async def _ask(self, *command: Argument) -> Any:
        wire = self._wire
        if wire is None or wire.lost or self._closed or wire.loop is not asyncio.get_running_loop():
            wire = await self._connected()
        try:
            return await wire.ask(pack(*command))
        except StoreUnavailable:
            self._count_failure(wire)
            raise

    async def _connected(self) -> Wire:
        """Dial, together with everyone else who needs the connection now."""
        if self._closed:
            raise StoreUnavailable("the ephemeral store is closed")
        loop = asyncio.get_running_loop()
        if not self._breaker.admits(loop.time()):
            raise StoreUnavailable("Redis did not answer five times in a row; it is asked again in a few seconds")
        if self._dialing is None or self._dialing.done() or self._dialing.get_loop() is not loop:
            self._dialing = loop.create_task(self._dial())
            self._dialing.add_done_callback(lambda dialing: dialing.cancelled() or dialing.exception())
        return await asyncio.shield(self._dialing)

    async def _dial(self) -> Wire:
        try:
            wire = self._wire = await dial(self._address)
        except StoreUnavailable:
            self._breaker.failed(asyncio.get_running_loop().time())
            raise
        self._greeted = wire.answered
        return wire

    def _count_failure(self, wire: Wire) -> None:
        """Count a lost connection once, however many waited on it; those that answered before were no failure."""
        if wire is not self._wire:
            return
        self._wire = None
        if wire.answered > self._greeted:
            self._breaker.succeeded()
        self._breaker.failed(wire.loop.time())

    def _refusal(self, error: ReplyError) -> StoreUnavailable:
        """Name a server's refusal by its code alone, and leave a server that cannot take writes any more."""
        if any(code in str(error) for code in _NOT_THE_PRIMARY) and self._wire is not None:
            self._wire.lose("Redis is not the primary any more")
        return StoreUnavailable(f"Redis refused: {reason(error)}")
