"""Redis Cluster, through redis-py, which knows the slots, follows redirections and finds primaries after a failover."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisClusterException, RedisError, ResponseError

from watchword.embedded import StoreUnavailable
from watchword.ephemeral.redis.address import Address
from watchword.ephemeral.redis.breaker import Breaker
from watchword.ephemeral.redis.dial import CONNECT_SECONDS
from watchword.ephemeral.redis.scripts import Script
from watchword.ephemeral.redis.wire import PATIENCE_SECONDS, Argument

_AT_ONCE = 64
"""How many verbs travel at once. The others queue: redis-py refuses when a node has no connection left of its 100."""
_TROUBLE = (RedisError, RedisClusterException, OSError, TimeoutError)


class Cluster:
    """All primaries of a cluster; belongs to one event loop."""

    one_slot = False

    def __init__(self, address: Address) -> None:
        self._address = address
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._breaker = Breaker()
        self._redis: RedisCluster | None = None
        self._closed = False

    async def run(self, script: Script, keys: Sequence[bytes], *arguments: Argument) -> Any:
        """Run a script where its keys are: one round trip; more the first time, and after slots or primaries moved."""
        async with self._turns:
            try:
                return await self._ask("EVALSHA", script.digest, len(keys), *keys, *arguments)
            except NoScriptError:
                return await self._ask("EVAL", script.source, len(keys), *keys, *arguments)

    async def ping(self) -> None:
        """Ask every primary for a sign of life, all at once."""
        await asyncio.gather(*(self._ask("PING", target_nodes=node) for node in await self._primaries()))

    async def information(self) -> list[Mapping[str, Any]]:
        """Ask every primary about itself, one after the other. What the servers save, a cluster is not asked."""
        return [await self._ask("INFO", target_nodes=node) for node in await self._primaries()]

    async def close(self) -> None:
        """Close every connection."""
        self._closed = True
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    async def _primaries(self) -> list[ClusterNode]:
        try:
            nodes: list[ClusterNode] = (await self._open().initialize()).get_primaries()
        except _TROUBLE as error:
            raise StoreUnavailable(f"Redis cannot be reached: {type(error).__name__}") from None
        return nodes

    def _open(self) -> RedisCluster:
        if self._closed:
            raise StoreUnavailable("the ephemeral store is closed")
        if self._redis is None:
            self._redis = RedisCluster(
                startup_nodes=[ClusterNode(host, port) for host, port in self._address.hosts],
                username=self._address.login.username or None,
                password=self._address.login.password or None,
                ssl=self._address.tls is not None,
                ssl_ca_certs=self._address.ca_certs,
                socket_timeout=PATIENCE_SECONDS,
                socket_connect_timeout=CONNECT_SECONDS,
                # A verb that was sent once is not sent again: who knows whether it was run?
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
        return self._redis

    async def _ask(self, *command: Argument, **options: Any) -> Any:
        redis, loop = self._open(), asyncio.get_running_loop()
        if not self._breaker.admits(loop.time()):
            raise StoreUnavailable("Redis did not answer five times in a row; it is asked again in a few seconds")
        try:
            answer = await redis.execute_command(*command, **options)
        except ResponseError as error:
            self._breaker.succeeded()
            if isinstance(error, NoScriptError):
                raise
            raise StoreUnavailable(f"Redis refused: {type(error).__name__}") from None
        except _TROUBLE as error:
            self._breaker.failed(loop.time())
            raise StoreUnavailable(f"Redis cannot be used: {type(error).__name__}") from None
        self._breaker.succeeded()
        return answer
