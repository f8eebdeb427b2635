"""What is particular to the store in Redis: its clock, its keys, its one connection, and what happens without it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import redis

from tests.support import valkey
from tests.support.provider import running_provider
from tests.support.valkey import Server
from watchword.ephemeral import Charge, EphemeralStore, Limit, StoreUnavailable, StoreUnfit, open_store
from watchword.ephemeral.redis.breaker import Breaker
from watchword.ephemeral.redis.fitness import check_information, forgets_on_restart
from watchword.prepare import prepare_store
from watchword.settings import Settings, SettingsError

MINUTE = timedelta(minutes=1)
HOURLY = Limit.at_most("hourly", 10, timedelta(hours=1))
LEAST_RIGHTS = "+evalsha +eval +get +set +del +time +ping +info"
CHARGE = Charge((HOURLY,), "key")


def wrong_clock() -> datetime:
    """The clock of a node decides nothing; this one is off by decades."""
    return datetime(1999, 12, 31, tzinfo=UTC)


def opened(url: str, offset: timedelta = timedelta(0)) -> EphemeralStore:
    return open_store(url, now=wrong_clock, offset=lambda: offset)


@pytest.fixture
def url() -> str:
    return valkey.empty(valkey.valkey_url())


@pytest.fixture
async def store(url: str) -> AsyncIterator[EphemeralStore]:
    store = opened(url)
    yield store
    await store.close()


@pytest.fixture
def outsider(url: str) -> Iterator[Any]:
    """Another client of the same server."""
    with contextlib.closing(redis.Redis.from_url(url)) as outsider:
        yield outsider


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, to be ill-treated."""
    with valkey.running(tmp_path) as server:
        yield server


def every_verb(store: EphemeralStore) -> list[Any]:
    return [
        store.put("key", b"value", MINUTE),
        store.add("key", b"value", MINUTE),
        store.get("key"),
        store.get_all(["key"]),
        store.take("key"),
        store.swap("key", b"value", b"other", MINUTE),
        store.increment("count", 1, MINUTE),
        store.delete("key"),
        store.charge([CHARGE]),
        store.refund([CHARGE]),
        store.identity(),
        store.ping(),
        store.check(),
    ]


async def assert_all_refused_within_a_second(store: EphemeralStore) -> None:
    for verb in every_verb(store):
        async with asyncio.timeout(1):
            with pytest.raises(StoreUnavailable) as refused:
                await verb
        assert not {"127.0.0.1", "key", "secret"} & set(str(refused.value).replace(":", " ").split())


async def back_again(store: EphemeralStore) -> None:
    """Wait until the store answers, which it does when its circuit breaker next lets one try."""
    async with asyncio.timeout(8):
        while True:
            with contextlib.suppress(StoreUnavailable):
                await store.ping()
                return
            await asyncio.sleep(0.05)


async def test_two_nodes_whose_clocks_differ_agree_on_expiry_and_rates(url: str) -> None:
    one = open_store(url, now=wrong_clock)
    other = open_store(url, now=lambda: datetime(2091, 1, 1, tzinfo=UTC))
    await one.put("key", b"value", MINUTE)
    assert await other.get("key") == b"value"
    assert await one.charge(5 * [CHARGE]) is None
    assert await other.charge([CHARGE]) is not None
    await one.close()
    await other.close()


async def test_every_key_has_our_prefix_and_goes_by_itself(store: EphemeralStore, outsider: Any) -> None:
    await store.put("put", b"value", MINUTE)
    await store.add("add", b"value", MINUTE)
    await store.increment("count", 1, MINUTE)
    await store.swap("put", b"value", b"other", MINUTE)
    await store.charge([CHARGE, Charge((HOURLY,), "other")])
    await store.refund([Charge((HOURLY,), "other")])
    await store.identity()
    lifetimes = {key: outsider.pttl(key) for key in outsider.keys("*")}
    assert lifetimes.keys() == {
        b"ww:value:put", b"ww:value:add", b"ww:value:count", b"ww:limit:{limits}:key", b"ww:identity",
    }  # fmt: skip
    assert all(lifetime > 0 for lifetime in lifetimes.values())
    assert 60_000 < lifetimes[b"ww:value:put"] <= 61_000  # a second longer than it lives: what decides is the expiry


async def test_a_refusal_writes_nothing(store: EphemeralStore, outsider: Any) -> None:
    assert await store.charge(5 * [CHARGE]) is None
    before = outsider.get("ww:limit:{limits}:key"), outsider.info("stats")["total_writes_processed"]
    assert await store.charge([CHARGE, Charge((HOURLY,), "untouched")]) is not None
    assert outsider.get("ww:limit:{limits}:key") == before[0]
    assert outsider.keys("*untouched*") == []


async def test_an_emptied_server_gets_a_fresh_identity(store: EphemeralStore, outsider: Any) -> None:
    identity = await store.identity()
    outsider.flushdb()
    assert await store.identity() != identity


async def test_a_lifetime_beyond_a_century_is_refused(store: EphemeralStore) -> None:
    with pytest.raises(OverflowError, match="a century"):
        await store.put("key", b"value", timedelta(days=36526))


async def test_200_verbs_at_once_share_one_connection(store: EphemeralStore, outsider: Any) -> None:
    before = outsider.info("clients")["connected_clients"]
    await asyncio.gather(*(store.put(f"key {number}", b"value", MINUTE) for number in range(200)))
    assert await asyncio.gather(*(store.take(f"key {number}") for number in range(200))) == 200 * [b"value"]
    assert outsider.info("clients")["connected_clients"] == before + 1


async def test_verbs_of_one_turn_of_the_loop_are_one_round_trip(store: EphemeralStore, outsider: Any) -> None:
    await store.get("key")
    before = reads(outsider)
    await asyncio.gather(*(store.get(f"key {number}") for number in range(60)))
    assert reads(outsider) <= before + 3  # one for them, and one or two for the outsider's own questions


def reads(outsider: Any) -> int:
    count: int = outsider.info("stats")["total_reads_processed"]
    return count


async def test_a_caller_who_gives_up_leaves_the_answers_of_the_others_in_order(store: EphemeralStore) -> None:
    for number in range(60):
        await store.put(f"key {number}", b"%d" % number, MINUTE)
    asked = [asyncio.create_task(store.get(f"key {number}")) for number in range(60)]
    await asyncio.sleep(0)
    for task in asked[::2]:
        task.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert answers[1::2] == [b"%d" % number for number in range(1, 60, 2)]
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])


async def test_scripts_that_the_server_forgot_are_sent_again(store: EphemeralStore, outsider: Any) -> None:
    await store.increment("count", 1, MINUTE)
    outsider.script_flush()
    counts = await asyncio.gather(*(store.increment("count", 1, MINUTE) for _ in range(60)))
    assert sorted(counts) == list(range(2, 62))


async def test_a_connection_that_the_server_closed_while_idle_is_made_again(
    store: EphemeralStore, outsider: Any
) -> None:
    await store.put("key", b"value", MINUTE)
    outsider.client_kill_filter(_type="normal", skipme=True)
    await asyncio.sleep(0)  # the loop is told
    async with asyncio.timeout(1):
        while True:
            with contextlib.suppress(StoreUnavailable):
                assert await store.get("key") == b"value"
                return


async def test_closing_waits_for_the_verbs_under_way(url: str) -> None:
    store = opened(url)
    await store.ping()
    write = asyncio.create_task(store.put("key", b"value", MINUTE))
    await asyncio.sleep(0)
    await store.close()
    await write
    other = opened(url)
    assert await other.get("key") == b"value"
    await other.close()


def test_a_store_serves_one_loop_after_the_other(url: str) -> None:
    store = opened(url)
    asyncio.run(store.put("key", b"value", MINUTE))
    assert asyncio.run(store.get("key")) == b"value"
    assert asyncio.run(store.take("key")) == b"value"
    asyncio.run(store.close())


async def test_a_server_that_is_killed_refuses_every_verb_and_serves_again_when_it_is_back(server: Server) -> None:
    store = opened(server.url)
    identity = await store.identity()
    server.kill()
    await assert_all_refused_within_a_second(store)
    server.start()
    await back_again(store)
    assert await store.identity() != identity
    await store.put("key", b"value", MINUTE)
    assert await store.take("key") == b"value"
    await store.close()


async def test_a_server_that_hangs_refuses_every_verb_while_the_loop_goes_on(server: Server) -> None:
    store = opened(server.url)
    await store.put("key", b"value", MINUTE)
    with server.paused():
        waiting = [asyncio.create_task(store.get("key")) for _ in range(60)]
        started = time.monotonic()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
        assert 0.2 < time.monotonic() - started < 1
        await assert_all_refused_within_a_second(store)
    await back_again(store)
    assert await store.get("key") == b"value"
    await store.close()


async def test_after_five_errors_nobody_waits_any_more(server: Server) -> None:
    store = opened(server.url)
    await store.ping()
    with server.paused():
        for _ in range(5):
            with pytest.raises(StoreUnavailable):
                await store.get("key")
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="five times in a row"):
            await store.get("key")
        assert time.monotonic() - started < 0.1
    await store.close()


async def test_a_password_is_asked_for_and_never_repeated(server: Server) -> None:
    server.ask("ACL", "SETUSER", "watchword", "on", ">s:ecret", "~ww:*", "+@all")
    right = opened(server.url.replace("//", "//watchword:s%3Aecret@") + "/3")
    await right.put("key", b"value", MINUTE)
    await right.check()
    await right.close()
    assert server.ask("DBSIZE") == 0  # it is in number 3
    wrong = opened(server.url.replace("//", "//watchword:secret@"))
    with pytest.raises(StoreUnavailable, match="WRONGPASS") as refused:
        await wrong.get("key")
    assert "secret" not in str(refused.value)
    await wrong.close()


async def test_the_least_rights_are_enough(server: Server) -> None:
    """Those that the operator's guide names."""
    server.ask("ACL", "SETUSER", "watchword", "on", ">secret", "~ww:*", *LEAST_RIGHTS.split())
    store = opened(server.url.replace("//", "//watchword:secret@"))
    for verb in every_verb(store):
        await verb
    await store.close()


async def test_a_full_server_refuses_writes_and_still_answers_reads(server: Server) -> None:
    store = opened(server.url)
    await store.put("key", b"value", MINUTE)
    server.ask("CONFIG", "SET", "maxmemory", "1")
    for _ in range(10):
        with pytest.raises(StoreUnavailable, match="OOM"):
            await store.put("other", b"value", MINUTE)
    assert await store.get("key") == b"value"
    await store.close()


def test_a_provider_on_redis_is_ready(server: Server) -> None:
    """It runs on the loop of the real server, uvloop."""
    with running_provider(ephemeral_url=server.url) as provider:
        with urlopen(f"{provider.issuer}/readyz") as ready:
            assert ready.status == 200
        assert server.ask("KEYS", "ww:identity")


def test_a_provider_does_not_start_on_a_server_that_evicts(server: Server) -> None:
    server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    with pytest.raises(SettingsError, match="noeviction"):
        asyncio.run(prepare_store(Settings(issuer="http://localhost:9000", env="test", ephemeral_url=server.url)))


async def test_a_server_that_evicts_is_unfit(server: Server) -> None:
    store = opened(server.url)
    await store.check()
    server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    with pytest.raises(StoreUnfit, match="Set maxmemory-policy noeviction"):
        await store.check()
    await store.close()


async def test_a_server_that_keeps_nothing_on_disk_is_warned_of(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    store = opened(server.url)
    await store.check()
    assert "lost by a restart" in capsys.readouterr().out
    server.ask("CONFIG", "SET", "appendonly", "yes")
    await store.check()
    assert "lost by a restart" not in capsys.readouterr().out
    await store.close()


@pytest.mark.parametrize("version", ["6.0.16", "5.0.7", "2.8", "", "six"])
def test_a_server_older_than_6_2_is_unfit(version: str) -> None:
    with pytest.raises(StoreUnfit, match=r"Run Redis 6\.2, Valkey 7\.2 or newer"):
        check_information({"redis_version": version, "maxmemory_policy": "noeviction"})


@pytest.mark.parametrize("version", ["6.2.14", "7.2.4", "10.0.1"])
def test_a_server_since_6_2_is_fit(version: str) -> None:
    check_information({"redis_version": version, "maxmemory_policy": "noeviction"})


@pytest.mark.parametrize(
    ("information", "forgets"),
    [
        ({"aof_enabled": "0", "save": ""}, True),
        ({"aof_enabled": "0", "save": "3600 1"}, False),
        ({"aof_enabled": "1", "save": ""}, False),
        ({"aof_enabled": "0"}, False),  # the server does not tell whether it saves
    ],
)
def test_a_server_without_log_or_snapshots_forgets_on_restart(information: dict[str, str], forgets: bool) -> None:
    assert forgets_on_restart(information) is forgets


def test_the_breaker_opens_after_five_errors_in_a_row_and_lets_one_try_every_five_seconds() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(100.0)
    assert breaker.admits(100.0)
    breaker.succeeded()
    for _ in range(5):
        assert breaker.admits(100.0)
        breaker.failed(100.0)
    assert not breaker.admits(104.9)
    assert breaker.admits(105.0)
    assert not breaker.admits(105.0)
    breaker.failed(105.2)
    assert not breaker.admits(110.1)
    assert breaker.admits(110.2)
    breaker.succeeded()
    assert breaker.admits(110.3)
    assert breaker.admits(110.3)
