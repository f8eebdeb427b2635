"""Redis on several machines: each verb behind Sentinels and in a cluster, and after the primary was lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support import valkey
from watchword.ephemeral import Charge, EphemeralStore, Limit, StoreUnavailable, open_store

pytestmark = pytest.mark.races
MINUTE = timedelta(minutes=1)
HOURLY = Limit.at_most("hourly", 4, timedelta(hours=1))
BOTH = [Charge((HOURLY,), "one"), Charge((HOURLY,), "other")]


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[EphemeralStore]:
    store = open_store(url, now=lambda: datetime.now(UTC))
    try:
        yield store
    finally:
        await store.close()


async def assert_every_verb_works(store: EphemeralStore) -> None:
    await store.check()
    await store.ping()
    assert await store.identity() == await store.identity()
    keys = [f"key {number}" for number in range(30)]
    await asyncio.gather(*(store.put(key, key.encode(), MINUTE) for key in keys))
    assert await store.get_all(keys) == [key.encode() for key in keys]
    assert sum(value is not None for value in await asyncio.gather(*(store.take("key 1") for _ in range(60)))) == 1
    assert await store.add("key 1", b"1", MINUTE)
    assert await store.increment("key 1", 1, MINUTE) == 2
    assert await store.swap("key 1", b"2", b"3", MINUTE)
    assert await store.get("key 1") == b"3"
    await store.delete("key 1")
    assert await store.get("key 1") is None
    outcomes = await asyncio.gather(*(store.charge(BOTH) for _ in range(60)))
    assert outcomes.count(None) == HOURLY.burst
    await store.refund(BOTH)
    assert await store.charge(BOTH) is None


def clients_of(server: valkey.Server) -> list[str]:
    listed = server.ask("CLIENT", "LIST")
    return [str(client) for client in listed] if isinstance(listed, list) else str(listed).split("\\n")


async def back_again(store: EphemeralStore, key: str) -> None:
    async with asyncio.timeout(15):
        while True:
            with contextlib.suppress(StoreUnavailable):
                await store.put(key, b"value", MINUTE)
                return
            await asyncio.sleep(0.05)


async def test_behind_sentinels_a_replica_takes_over(tmp_path: Path) -> None:
    with valkey.running_behind_sentinel(tmp_path) as (primary, replica, sentinel):
        url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel.port}/watchword"
        async with opened(url) as store, opened(url.replace("/watchword", "/unknown")) as unknown:
            await assert_every_verb_works(store)
            identity = await store.identity()
            with pytest.raises(StoreUnavailable, match="no Sentinel knows"):
                await unknown.ping()
            primary.kill()
            with pytest.raises(StoreUnavailable):
                await store.ping()
            await back_again(store, "key")
            assert replica.ask("ROLE")[0] in {b"master", "master"}
            assert await store.take("key") == b"value"
            assert await store.identity() == identity


async def test_a_primary_that_was_made_a_replica_is_left(tmp_path: Path) -> None:
    with valkey.running(tmp_path) as server:
        async with opened(server.url) as store:
            await store.put("key", b"value", MINUTE)
            server.ask("REPLICAOF", "127.0.0.1", "1")
            with pytest.raises(StoreUnavailable, match="READONLY"):
                await store.put("key", b"other", MINUTE)
            await asyncio.sleep(0)  # the connection is gone: behind Sentinels they would now be asked for another
            valkey.wait_until(lambda: not any("evalsha" in str(client) for client in clients_of(server)))
            server.ask("REPLICAOF", "NO", "ONE")
            await back_again(store, "key")


async def test_in_a_cluster_a_replica_takes_over(tmp_path: Path) -> None:
    with valkey.running_cluster(tmp_path) as servers:
        url = "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
        async with opened(url) as store:
            await assert_every_verb_works(store)
            assert all(server.ask("DBSIZE") for server in servers[:3])  # values are spread over all primaries
            servers[0].kill()
            await asyncio.gather(*(back_again(store, f"key {number}") for number in range(30)))
            assert await store.take("key 2") == b"value"
