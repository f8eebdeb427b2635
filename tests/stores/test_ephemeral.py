"""The conformance suite: what every ephemeral store does, whatever it is made of."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stores.movable_clock import START, TICK, MovableClock
from watchword.ephemeral import STORES, Charge, EphemeralStore, Limit, Refusal, StoreUnavailable, open_store

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PER_IDENTIFIER = Limit("identifier", 4, HOUR)  # two at once, then one every 30 minutes
PER_ADDRESS = Limit("address", 20, HOUR)  # ten at once


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(params=sorted(STORES))
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: MovableClock) -> AsyncIterator[EphemeralStore]:
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/ephemeral.sqlite3"}
    store = open_store(urls[request.param], now=clock)
    yield store
    await store.close()


async def test_what_was_put_is_read_as_it_was(store: EphemeralStore) -> None:
    for value in (b"", b"\x00\xff", b"0017", "naïve".encode(), b"x" * 100_000):
        await store.put("key", value, MINUTE)
        assert await store.get("key") == value


async def test_an_unknown_key_is_absent(store: EphemeralStore) -> None:
    assert await store.get("key") is None
    assert await store.take("key") is None
    await store.delete("key")


async def test_keys_are_told_apart_by_every_character(store: EphemeralStore) -> None:
    keys = ["a", "A", "a ", "a\x00b", "a\x00c", "ä", "a:b", "'", "%", ""]
    for number, key in enumerate(keys):
        await store.put(key, b"%d" % number, MINUTE)
    assert [await store.get(key) for key in keys] == [b"%d" % number for number in range(len(keys))]


async def test_put_replaces_the_value_and_its_lifetime(store: EphemeralStore, clock: MovableClock) -> None:
    await store.put("key", b"old", MINUTE)
    await store.put("key", b"new", 2 * MINUTE)
    clock.advance(MINUTE)
    assert await store.get("key") == b"new"


async def test_a_value_lives_until_the_last_microsecond_and_no_longer(
    store: EphemeralStore, clock: MovableClock
) -> None:
    await store.put("read", b"value", MINUTE)
    await store.put("spent", b"value", MINUTE)
    await store.put("swapped", b"value", MINUTE)
    clock.at = START + MINUTE - TICK
    assert await store.get("read") == b"value"
    assert not await store.add("read", b"other", MINUTE)
    clock.at = START + MINUTE
    assert await store.get("read") is None
    assert await store.take("spent") is None
    assert not await store.swap("swapped", b"value", b"other", MINUTE)
    assert await store.add("read", b"other", MINUTE)


@pytest.mark.parametrize("lifetime", [timedelta(0), -MINUTE])
async def test_a_value_with_no_lifetime_is_absent_at_once(store: EphemeralStore, lifetime: timedelta) -> None:
    await store.put("key", b"old", MINUTE)
    await store.put("key", b"new", lifetime)
    assert await store.get("key") is None
    assert await store.add("key", b"newer", lifetime)
    assert await store.take("key") is None


async def test_add_leaves_a_live_value_and_its_lifetime_alone(store: EphemeralStore, clock: MovableClock) -> None:
    assert await store.add("key", b"first", MINUTE)
    assert not await store.add("key", b"second", HOUR)
    assert await store.get("key") == b"first"
    clock.advance(MINUTE)
    assert await store.get("key") is None


async def test_a_value_is_taken_once(store: EphemeralStore) -> None:
    await store.put("key", b"value", MINUTE)
    assert await store.take("key") == b"value"
    assert await store.take("key") is None
    assert await store.get("key") is None
    assert await store.add("key", b"again", MINUTE)


async def test_swap_wants_the_expected_value(store: EphemeralStore) -> None:
    assert not await store.swap("key", b"", b"new", MINUTE)
    await store.put("key", b"old", MINUTE)
    assert not await store.swap("key", b"ol", b"new", MINUTE)
    assert await store.get("key") == b"old"
    assert await store.swap("key", b"old", b"new", MINUTE)
    assert await store.get("key") == b"new"


async def test_swap_renews_the_lifetime(store: EphemeralStore, clock: MovableClock) -> None:
    await store.put("key", b"old", MINUTE)
    assert await store.swap("key", b"old", b"new", 2 * MINUTE)
    clock.advance(2 * MINUTE - TICK)
    assert await store.get("key") == b"new"
    clock.advance(TICK)
    assert await store.get("key") is None


async def test_increment_counts_from_nothing_in_both_directions(store: EphemeralStore) -> None:
    assert await store.increment("guesses", 1, MINUTE) == 1
    assert await store.increment("guesses", 5, MINUTE) == 6
    assert await store.increment("guesses", -8, MINUTE) == -2
    assert await store.increment("guesses", 0, MINUTE) == -2
    assert await store.increment("down", -1, MINUTE) == -1


async def test_every_increment_renews_the_lifetime(store: EphemeralStore, clock: MovableClock) -> None:
    await store.increment("guesses", 1, MINUTE)
    clock.advance(MINUTE - TICK)
    assert await store.increment("guesses", 1, MINUTE) == 2
    clock.advance(MINUTE - TICK)
    assert await store.increment("guesses", 1, MINUTE) == 3
    clock.advance(MINUTE)
    assert await store.increment("guesses", 1, MINUTE) == 1


async def test_a_counter_is_its_decimal_digits(store: EphemeralStore) -> None:
    await store.put("guesses", b"5", MINUTE)
    assert await store.increment("guesses", -1, MINUTE) == 4
    assert await store.get("guesses") == b"4"
    assert await store.swap("guesses", b"4", b"-10", MINUTE)
    assert await store.increment("guesses", 1, MINUTE) == -9


@pytest.mark.parametrize("value", [b"", b"value", b"7 ", b"07", b"+7", b"7.0", b"\xff", b"1_0"])
async def test_a_value_that_is_no_counter_is_not_counted(store: EphemeralStore, value: bytes) -> None:
    await store.put("key", value, MINUTE)
    with pytest.raises(ValueError, match="no counter"):
        await store.increment("key", 1, HOUR)
    assert await store.get("key") == value


async def test_an_expired_value_does_not_hinder_a_counter(store: EphemeralStore, clock: MovableClock) -> None:
    await store.put("key", b"value", MINUTE)
    clock.advance(MINUTE)
    assert await store.increment("key", 3, MINUTE) == 3


async def test_delete_forgets(store: EphemeralStore) -> None:
    await store.put("key", b"value", MINUTE)
    await store.delete("key")
    assert await store.get("key") is None


async def test_a_failing_verb_leaves_the_others_of_its_turn_alone(store: EphemeralStore) -> None:
    await store.put("value", b"value", MINUTE)
    outcomes = await asyncio.gather(
        store.increment("before", 1, MINUTE),
        store.increment("value", 1, MINUTE),
        store.put("unwritable \ud800", b"", timedelta.max),
        store.increment("after", 1, MINUTE),
        return_exceptions=True,
    )
    assert outcomes[0] == outcomes[3] == 1
    assert isinstance(outcomes[1], ValueError)
    assert await store.get("before") == await store.get("after") == b"1"


async def test_charges_are_admitted_to_the_burst_and_then_one_an_interval(
    store: EphemeralStore, clock: MovableClock
) -> None:
    charges = [Charge(PER_IDENTIFIER, "someone")]
    assert await store.charge(charges) is None
    assert await store.charge(charges) is None
    assert await store.charge(charges) == Refusal(PER_IDENTIFIER, timedelta(minutes=30))
    clock.advance(timedelta(minutes=30) - TICK)
    assert await store.charge(charges) == Refusal(PER_IDENTIFIER, TICK)
    clock.advance(TICK)
    assert await store.charge(charges) is None
    assert await store.charge([Charge(PER_IDENTIFIER, "someone else")]) is None


async def test_a_refusal_writes_nothing(store: EphemeralStore) -> None:
    both = [Charge(PER_ADDRESS, "here"), Charge(PER_IDENTIFIER, "someone")]
    for _ in range(PER_IDENTIFIER.burst):
        assert await store.charge(both) is None
    for _ in range(50):
        assert await store.charge(both) == Refusal(PER_IDENTIFIER, timedelta(minutes=30))
    left = PER_ADDRESS.burst - PER_IDENTIFIER.burst
    assert await store.charge([Charge(PER_ADDRESS, "here", cost=left)]) is None
    assert await store.charge([Charge(PER_ADDRESS, "here")]) is not None


async def test_the_refusal_names_the_limit_that_refuses_for_longest(store: EphemeralStore) -> None:
    per_day = Limit("day", 1, timedelta(days=1))
    charges = [Charge(PER_IDENTIFIER, "someone", cost=2), Charge(per_day, "someone"), Charge(PER_ADDRESS, "here")]
    assert await store.charge(charges) is None
    assert await store.charge(charges) == Refusal(per_day, timedelta(days=1))


async def test_the_same_bucket_twice_in_one_charge_counts_twice(store: EphemeralStore) -> None:
    assert await store.charge([Charge(PER_IDENTIFIER, "someone"), Charge(PER_IDENTIFIER, "someone")]) is None
    assert await store.charge([Charge(PER_IDENTIFIER, "someone")]) is not None


async def test_buckets_are_told_apart_by_limit_and_by_key(store: EphemeralStore) -> None:
    for name, key in (("a", "b:c"), ("a:b", "c"), ("a", "b"), ("b", "a")):
        assert await store.charge([Charge(Limit(name, 1, HOUR), key)]) is None


async def test_no_charges_are_admitted_and_refunded(store: EphemeralStore) -> None:
    assert await store.charge([]) is None
    await store.refund([])


async def test_a_refund_gives_back_what_was_charged(store: EphemeralStore) -> None:
    charges = [Charge(PER_IDENTIFIER, "someone", cost=2), Charge(PER_ADDRESS, "here", cost=10)]
    for _ in range(3):
        assert await store.charge(charges) is None
        assert await store.charge(charges) is not None
        await store.refund(charges)
    await store.refund([Charge(PER_IDENTIFIER, "stranger")])
    assert await store.charge([Charge(PER_IDENTIFIER, "stranger", cost=2)]) is None


async def test_a_refund_never_gives_more_than_the_burst(store: EphemeralStore) -> None:
    charges = [Charge(PER_IDENTIFIER, "someone")]
    assert await store.charge(charges) is None
    for _ in range(5):
        await store.refund(charges)
    assert await store.charge(2 * charges) is None
    assert await store.charge(charges) == Refusal(PER_IDENTIFIER, timedelta(minutes=30))


async def test_a_clock_set_back_closes_no_bucket_for_longer_than_a_full_one(
    store: EphemeralStore, clock: MovableClock
) -> None:
    charges = [Charge(PER_IDENTIFIER, "someone")]
    assert await store.charge(charges) is None
    clock.advance(timedelta(days=-7))
    assert await store.charge(charges) == Refusal(PER_IDENTIFIER, timedelta(minutes=30))


async def test_the_identity_is_constant_and_says_nothing(store: EphemeralStore, clock: MovableClock) -> None:
    identity = await store.identity()
    await store.put("key", b"value", MINUTE)
    clock.advance(timedelta(days=365))
    await store.sweep()
    assert await store.identity() == identity
    assert len(identity) == 32


async def test_sweep_deletes_what_has_expired_and_nothing_else(store: EphemeralStore, clock: MovableClock) -> None:
    await store.put("dead", b"value", MINUTE)
    await store.put("live", b"value", MINUTE + TICK)
    await store.charge([Charge(Limit("short", 1, MINUTE), "dead"), Charge(PER_IDENTIFIER, "live", cost=2)])
    clock.advance(MINUTE)
    assert await store.sweep() == 2
    assert await store.sweep() == 0
    assert await store.get("live") == b"value"
    assert await store.charge([Charge(PER_IDENTIFIER, "live")]) is not None


async def test_sweep_works_through_many_rows_in_bounded_batches(store: EphemeralStore, clock: MovableClock) -> None:
    await asyncio.gather(*(store.put(f"key {number}", b"", MINUTE) for number in range(1200)))
    clock.advance(MINUTE)
    assert [await store.sweep() for _ in range(4)] == [500, 500, 200, 0]


async def test_a_closed_store_refuses_every_verb(store: EphemeralStore) -> None:
    await store.put("key", b"value", MINUTE)
    await store.ping()
    await store.close()
    await store.close()
    refused = [
        store.put("key", b"value", MINUTE),
        store.add("key", b"value", MINUTE),
        store.get("key"),
        store.take("key"),
        store.swap("key", b"value", b"other", MINUTE),
        store.increment("count", 1, MINUTE),
        store.delete("key"),
        store.charge([Charge(PER_ADDRESS, "here")]),
        store.refund([Charge(PER_ADDRESS, "here")]),
        store.identity(),
        store.ping(),
        store.sweep(),
    ]
    outcomes = await asyncio.gather(*refused, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * len(refused)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "memory",
        "redis:secret@host",
        "mysql://user:secret@host/name",
        "MEMORY://",
        "memory://name",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://host/secret.sqlite3",
        "sqlite:///secret.sqlite3?mode=ro",
    ],
)
def test_a_url_that_names_no_store_is_refused_in_one_line_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(ValueError, match="ephemeral store") as refused:
        open_store(url, now=MovableClock())
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
