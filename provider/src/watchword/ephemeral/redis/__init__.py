"""The ephemeral store in Redis or Valkey: right for several machines.

Every verb is one script, one round trip and one atomic step by the server's clock. Verbs that are asked for in the same
turn of the event loop travel together. A verb that failed is never repeated, for nobody knows whether it was run.

Keys: `ww:value:` and the caller's key; `ww:limit:{limits}:` and the caller's key; `ww:identity`. The braces put all
limits into one slot of a cluster, for one charge touches several keys: on a cluster one primary counts all rates.
"""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from watchword.clock import microseconds
from watchword.ephemeral.redis import scripts
from watchword.ephemeral.redis.address import Kind, parse_address
from watchword.ephemeral.redis.fitness import check_information, forgets_on_restart
from watchword.ephemeral.redis.scripts import Script
from watchword.ephemeral.redis.servers import OneServer, Servers
from watchword.ephemeral.redis.wire import Argument
from watchword.ephemeral.store import Charge, Now, Offset, Refusal
from watchword.telemetry import get_logger

log = get_logger(__name__)

_VALUE, _LIMIT, _IDENTITY = b"ww:value:", b"ww:limit:{limits}:", b"ww:identity"
_IDENTITY_LIFETIME = timedelta(days=90)
_LONGEST_LIFETIME = microseconds(timedelta(days=36525))


class RedisStore:
    """`EphemeralStore` over Redis or Valkey, alone, behind Sentinels or in a cluster."""

    def __init__(self, servers: Servers, *, offset: Offset) -> None:
        self._servers, self._offset = servers, offset

    @classmethod
    def from_url(cls, url: str, _now: Now, offset: Offset) -> "RedisStore":
        """Return the store of a URL that `parse_address` reads. Connects with the first verb.

        Raises:
            ValueError: the URL is written in another way.
        """
        address = parse_address(url)
        if address.kind is not Kind.CLUSTER:
            return cls(OneServer(address), offset=offset)
        from watchword.ephemeral.redis.cluster import Cluster  # noqa: PLC0415 - takes 80 ms, and few have one

        return cls(Cluster(address), offset=offset)

    async def put(self, key: str, value: bytes, lifetime: timedelta) -> None:
        """Set the value."""
        await self._run(scripts.PUT, key, value, _lifetime(lifetime))

    async def add(self, key: str, value: bytes, lifetime: timedelta) -> bool:
        """Set the value unless a live one is there."""
        return bool(await self._run(scripts.ADD, key, value, _lifetime(lifetime)))

    async def get(self, key: str) -> bytes | None:
        """Return the live value."""
        value: bytes | None = await self._run(scripts.GET, key)
        return value

    async def get_all(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the live values: one step, on a cluster one for each, all at once."""
        if not self._servers.one_slot:
            return await asyncio.gather(*(self.get(key) for key in keys))
        names = [_VALUE + key.encode() for key in keys]
        values: list[bytes | None] = await self._servers.run(scripts.GET_ALL, names, self._clock())
        return values

    async def take(self, key: str) -> bytes | None:
        """Return the live value and delete it."""
        value: bytes | None = await self._run(scripts.TAKE, key)
        return value

    async def swap(self, key: str, expected: bytes, value: bytes, lifetime: timedelta) -> bool:
        """Replace a live value equal to `expected`."""
        return bool(await self._run(scripts.SWAP, key, expected, value, _lifetime(lifetime)))

    async def increment(self, key: str, by: int, lifetime: timedelta) -> int:
        """Add to a counter and renew its lifetime.

        Raises:
            ValueError: the key holds a live value that is no counter.
        """
        count: int | None = await self._run(scripts.INCREMENT, key, by, _lifetime(lifetime))
        if count is None:
            raise ValueError("the key holds a value that is no counter")
        return count

    async def delete(self, key: str) -> None:
        """Forget the value."""
        await self._run(scripts.DELETE, key)

    async def charge(self, charges: Sequence[Charge]) -> Refusal | None:
        """Count all charges or none."""
        refusal = await self._count(scripts.CHARGE, charges)
        if refusal is None:
            return None
        charge = charges[refusal[0]]
        return Refusal(charge.limits[refusal[1]], charge.key, timedelta(microseconds=refusal[2]))

    async def refund(self, charges: Sequence[Charge]) -> None:
        """Give back what an admitted charge counted."""
        await self._count(scripts.REFUND, charges)

    async def identity(self) -> str:
        """Return the id, made by whoever asks first; it lives as long as someone asks every 90 days."""
        lifetime = _IDENTITY_LIFETIME // timedelta(milliseconds=1)
        identity = await self._servers.run(scripts.IDENTITY, [_IDENTITY], 0, secrets.token_hex(16), lifetime)
        return str(identity, "ascii")

    async def ping(self) -> None:
        """Ask the servers for a sign of life."""
        await self._servers.ping()

    async def check(self) -> None:
        """See that no server evicts keys or is older than Redis 6.2, and warn of one that forgets all by a restart.

        Raises:
            StoreUnfit: with what to set.
        """
        servers = await self._servers.information()
        for information in servers:
            check_information(information)
        if any(map(forgets_on_restart, servers)):
            log.warning("the ephemeral store is lost by a restart of Redis", remedy="set appendonly yes")

    async def sweep(self) -> int:
        """Do nothing: Redis deletes what has expired by itself. No step."""
        return 0

    async def close(self) -> None:
        """Wait for what is under way, then close the connection: no step."""
        await self._servers.close()

    async def _run(self, script: Script, key: str, *arguments: Argument) -> Any:
        return await self._servers.run(script, [_VALUE + key.encode()], self._clock(), *arguments)

    async def _count(self, script: Script, charges: Sequence[Charge]) -> Any:
        if not charges:
            return None
        arguments: list[Argument] = []
        for charge in charges:
            arguments += (charge.cost, len(charge.limits))
            for limit in charge.limits:
                arguments += (limit.name, limit.burst, limit.interval)
        keys = [_LIMIT + charge.key.encode() for charge in charges]
        return await self._servers.run(script, keys, self._clock(), *arguments)

    def _clock(self) -> int:
        return microseconds(self._offset())


def _lifetime(lifetime: timedelta) -> int:
    """Return a lifetime in microseconds.

    Raises:
        OverflowError: it is longer than a century, which is more than scripts compute with exactly.
    """
    duration = microseconds(lifetime)
    if duration > _LONGEST_LIFETIME:
        raise OverflowError("a lifetime is at most a century")
    return duration
