"""The conformance suite: what every ephemeral store does, whatever it is made of."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stores.ephemeral_kinds import KINDS, StoreClock, opened
from tests.stores.movable_clock import MovableClock
from watchword.ephemeral import Charge, EphemeralStore, Limit, Refusal, StoreUnavailable, open_store

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PER_IDENTIFIER = Limit.at_most("identifier", 4, HOUR)  # two at once, then one every 30 minutes
PER_ADDRESS = Limit.at_most("address", 20, HOUR)  # ten at once
SOMEONE = Charge((PER_IDENTIFIER,), "someone")


def here(cost: int = 1) -> Charge:
    return Charge((PER_ADDRESS,), "here", cost)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def clock(kind: str) -> StoreClock:
    return StoreClock(kind)


@pytest.fixture
async def store(kind: str, tmp_path: Path, clock: StoreClock) -> AsyncIterator[EphemeralStore]:
    store = opened(kind, tmp_path, clock)
    yield store
    await store.close()


def assert_refused(refusal: Refusal | None, charge: Charge, wait: timedelta, clock: StoreClock) -> None:
    """See who refuses and for how long: exactly, where the clock stands still."""
    assert refusal is not None
    assert (refusal.limit, refusal.key) == (charge.limits[0], charge.key)
    assert wait - clock.tick < refusal.retry_after <= wait


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


async def test_several_keys_are_read_at_once_in_their_order(store: EphemeralStore, clock: StoreClock) -> None:
    await store.put("dead", b"value", MINUTE)
    clock.advance(MINUTE)
    await store.put("one", b"1", MINUTE)
    await store.put("empty", b"", MINUTE)
    assert await store.get_all(["one", "absent", "empty", "dead", "one"]) == [b"1", None, b"", None, b"1"]
    assert await store.get_all([]) == []


async def test_put_replaces_the_value_and_its_lifetime(store: EphemeralStore, clock: StoreClock) -> None:
    await store.put("key", b"old", MINUTE)
    await store.put("key", b"new", 2 * MINUTE)
    clock.advance(MINUTE)
    assert await store.get("key") == b"new"


async def test_a_value_lives_until_the_last_microsecond_and_no_longer(store: EphemeralStore, clock: StoreClock) -> None:
    await store.put("read", b"value", MINUTE)
    await store.put("spent", b"value", MINUTE)
    await store.put("swapped", b"value", MINUTE)
    clock.advance(MINUTE - clock.tick)
    assert await store.get("read") == b"value"
    assert not await store.add("read", b"other", MINUTE)
    clock.advance(clock.tick)
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


async def test_add_leaves_a_live_value_and_its_lifetime_alone(store: EphemeralStore, clock: StoreClock) -> None:
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


async def test_swap_renews_the_lifetime(store: EphemeralStore, clock: StoreClock) -> None:
    await store.put("key", b"old", MINUTE)
    assert await store.swap("key", b"old", b"new", 2 * MINUTE)
    clock.advance(2 * MINUTE - clock.tick)
    assert await store.get("key") == b"new"
    clock.advance(clock.tick)
    assert await store.get("key") is None


async def test_increment_counts_from_nothing_in_both_directions(store: EphemeralStore) -> None:
    assert await store.increment("guesses", 1, MINUTE) == 1
    assert await store.increment("guesses", 5, MINUTE) == 6
    assert await store.increment("guesses", -8, MINUTE) == -2
    assert await store.increment("guesses", 0, MINUTE) == -2
    assert await store.increment("down", -1, MINUTE) == -1


async def test_every_increment_renews_the_lifetime(store: EphemeralStore, clock: StoreClock) -> None:
    await store.increment("guesses", 1, MINUTE)
    clock.advance(MINUTE - clock.tick)
    assert await store.increment("guesses", 1, MINUTE) == 2
    clock.advance(MINUTE - clock.tick)
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


async def test_an_expired_value_does_not_hinder_a_counter(store: EphemeralStore, clock: StoreClock) -> None:
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


async def test_a_counter_is_exact_up_to_fifteen_digits(store: EphemeralStore) -> None:
    assert await store.increment("count", 10**15 - 2, MINUTE) == 10**15 - 2
    assert await store.increment("count", 1, MINUTE) == 10**15 - 1
    assert await store.get("count") == b"9" * 15


async def test_charges_are_admitted_to_the_burst_and_then_one_an_interval(
    store: EphemeralStore, clock: StoreClock
) -> None:
    assert await store.charge([SOMEONE]) is None
    assert await store.charge([SOMEONE]) is None
    assert_refused(await store.charge([SOMEONE]), SOMEONE, timedelta(minutes=30), clock)
    clock.advance(timedelta(minutes=30) - clock.tick)
    assert_refused(await store.charge([SOMEONE]), SOMEONE, clock.tick, clock)
    clock.advance(clock.tick)
    assert await store.charge([SOMEONE]) is None
    assert await store.charge([Charge((PER_IDENTIFIER,), "someone else")]) is None


async def test_a_refusal_counts_nothing(store: EphemeralStore, clock: StoreClock) -> None:
    for _ in range(PER_IDENTIFIER.burst):
        assert await store.charge([here(), SOMEONE]) is None
    for _ in range(50):
        assert_refused(await store.charge([here(), SOMEONE]), SOMEONE, timedelta(minutes=30), clock)
    assert await store.charge([here(cost=PER_ADDRESS.burst - PER_IDENTIFIER.burst)]) is None
    assert await store.charge([here()]) is not None


async def test_a_key_has_several_limits_and_each_of_them_holds(store: EphemeralStore, clock: StoreClock) -> None:
    spaced = Limit.spaced("cool_down", 1, timedelta(minutes=2))
    daily = Limit.spaced("day", 3, timedelta(days=1))
    charge = Charge((spaced, daily), "someone")
    for _ in range(3):
        assert await store.charge([charge]) is None
        assert_refused(await store.charge([Charge((spaced,), "someone")]), charge, timedelta(minutes=2), clock)
        clock.advance(timedelta(minutes=2))
    refusal = await store.charge([charge])
    assert_refused(refusal, Charge((daily,), "someone"), timedelta(days=1, minutes=-6), clock)


async def test_the_refusal_names_the_limit_and_the_key_that_refuse_for_longest(
    store: EphemeralStore, clock: StoreClock
) -> None:
    per_day = Limit.at_most("day", 1, timedelta(days=1))
    charges = [here(), Charge((PER_IDENTIFIER, per_day), "someone"), Charge((PER_IDENTIFIER,), "someone else", cost=2)]
    assert await store.charge(charges) is None
    assert_refused(await store.charge(charges), Charge((per_day,), "someone"), timedelta(days=1), clock)
    elsewhere = Charge((PER_IDENTIFIER,), "someone else")
    assert_refused(await store.charge([here(), elsewhere]), elsewhere, timedelta(minutes=30), clock)


async def test_the_same_key_in_two_charges_counts_twice(store: EphemeralStore) -> None:
    assert await store.charge([SOMEONE, SOMEONE]) is None
    assert await store.charge([SOMEONE]) is not None


async def test_the_same_key_may_have_other_limits_in_another_charge(store: EphemeralStore, clock: StoreClock) -> None:
    other = Charge((Limit.spaced("other", 1, MINUTE),), "someone")
    assert await store.charge([SOMEONE, other]) is None
    assert await store.charge([SOMEONE]) is None
    assert_refused(await store.charge([other]), other, MINUTE, clock)
    assert_refused(await store.charge([SOMEONE]), SOMEONE, timedelta(minutes=30), clock)


async def test_rates_are_told_apart_by_key_and_from_values(store: EphemeralStore) -> None:
    once = Limit.spaced("once", 1, HOUR)
    for key in ("a", "b", "a b", "a ", "ä", "a=1", "", "{a}"):
        assert await store.charge([Charge((once,), key)]) is None
        assert await store.add(key, b"", MINUTE)
        assert await store.charge([Charge((once,), key)]) is not None


async def test_no_charges_are_admitted_and_refunded(store: EphemeralStore) -> None:
    assert await store.charge([]) is None
    await store.refund([])


async def test_a_refund_gives_back_what_was_charged(store: EphemeralStore) -> None:
    charges = [Charge((PER_IDENTIFIER,), "someone", cost=2), here(cost=10)]
    for _ in range(3):
        assert await store.charge(charges) is None
        assert await store.charge(charges) is not None
        await store.refund(charges)
    await store.refund([Charge((PER_IDENTIFIER,), "stranger")])
    assert await store.charge([Charge((PER_IDENTIFIER,), "stranger", cost=2)]) is None


async def test_a_refund_gives_back_to_the_limits_that_it_names_alone(store: EphemeralStore, clock: StoreClock) -> None:
    once = Limit.spaced("once", 1, HOUR)
    assert await store.charge([Charge((PER_IDENTIFIER, once), "someone", cost=1)]) is None
    await store.refund([Charge((once,), "someone")])
    assert await store.charge([Charge((PER_IDENTIFIER, once), "someone")]) is None
    await store.refund([Charge((once,), "someone")])
    assert_refused(await store.charge([SOMEONE]), SOMEONE, timedelta(minutes=30), clock)


async def test_a_refund_never_gives_more_than_the_burst(store: EphemeralStore, clock: StoreClock) -> None:
    assert await store.charge([SOMEONE]) is None
    for _ in range(5):
        await store.refund([SOMEONE])
    assert await store.charge([SOMEONE, SOMEONE]) is None
    assert_refused(await store.charge([SOMEONE]), SOMEONE, timedelta(minutes=30), clock)


async def test_a_clock_set_back_closes_no_key_for_longer_than_a_full_burst(
    store: EphemeralStore, clock: StoreClock
) -> None:
    assert await store.charge([SOMEONE]) is None
    clock.advance(timedelta(days=-7))
    assert_refused(await store.charge([SOMEONE]), SOMEONE, timedelta(minutes=30), clock)
    clock.advance(timedelta(minutes=30))
    assert await store.charge([SOMEONE]) is None


async def test_a_limit_made_smaller_closes_no_key_for_longer_than_it_could_itself(
    store: EphemeralStore, clock: StoreClock
) -> None:
    before, after = Limit.spaced("limit", 10, timedelta(days=1)), Limit.spaced("limit", 1, MINUTE)
    assert await store.charge([Charge((before,), "someone", cost=10)]) is None
    charge = Charge((after,), "someone")
    assert_refused(await store.charge([charge]), charge, MINUTE, clock)
    clock.advance(MINUTE)
    assert await store.charge([charge]) is None


async def test_limits_that_come_and_go_leave_the_others_of_their_key_alone(store: EphemeralStore) -> None:
    once = Limit.spaced("once", 1, HOUR)
    assert await store.charge([Charge((once,), "someone")]) is None
    assert await store.charge([Charge((PER_IDENTIFIER,), "someone")]) is None
    assert await store.charge([Charge((PER_IDENTIFIER, once), "someone")]) is not None
    assert await store.charge([Charge((PER_IDENTIFIER,), "someone")]) is None


async def test_the_identity_is_constant_and_says_nothing(store: EphemeralStore, clock: StoreClock) -> None:
    identity = await store.identity()
    await store.put("key", b"value", MINUTE)
    clock.advance(timedelta(days=365))
    await store.sweep()
    assert await store.identity() == identity
    assert len(identity) == 32


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_sweep_deletes_what_has_expired_and_nothing_else(store: EphemeralStore, clock: StoreClock) -> None:
    await store.put("dead", b"value", MINUTE)
    await store.put("live", b"value", MINUTE + clock.tick)
    short = Limit.spaced("short", 1, MINUTE)
    await store.charge([Charge((short,), "dead"), Charge((short, PER_IDENTIFIER), "live", cost=1)])
    clock.advance(MINUTE)
    assert await store.sweep() == 2
    assert await store.sweep() == 0
    assert await store.get("live") == b"value"
    assert await store.charge([Charge((PER_IDENTIFIER,), "live", cost=2)]) is not None


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_sweep_works_through_many_rows_in_bounded_batches(store: EphemeralStore, clock: StoreClock) -> None:
    await asyncio.gather(*(store.put(f"key {number}", b"", MINUTE) for number in range(1200)))
    clock.advance(MINUTE)
    assert [await store.sweep() for _ in range(4)] == [500, 500, 200, 0]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_sweep_finds_the_dead_among_many_that_live(store: EphemeralStore, clock: StoreClock) -> None:
    for number in range(1200):
        await store.put(f"key {number:04}", b"", MINUTE if number % 400 == 0 else 2 * MINUTE)
    clock.advance(MINUTE)
    assert await store.sweep() == 3
    clock.advance(MINUTE)
    assert sum([await store.sweep() for _ in range(4)]) == 1197


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_sweep_spares_what_is_renewed_at_the_same_moment(store: EphemeralStore, clock: StoreClock) -> None:
    await store.put("key", b"value", MINUTE)
    await store.charge([Charge((Limit.spaced("short", 1, MINUTE),), "key")])
    clock.advance(MINUTE)
    again = [Charge((Limit.spaced("short", 1, MINUTE),), "key")]
    await asyncio.gather(store.put("key", b"again", MINUTE), store.charge(again), store.sweep())
    assert await store.get("key") == b"again"
    assert await store.charge(again) is not None


async def test_a_closed_store_refuses_every_verb(store: EphemeralStore) -> None:
    await store.put("key", b"value", MINUTE)
    await store.ping()
    await store.close()
    await store.close()
    refused = [
        store.put("key", b"value", MINUTE),
        store.add("key", b"value", MINUTE),
        store.get("key"),
        store.get_all(["key"]),
        store.take("key"),
        store.swap("key", b"value", b"other", MINUTE),
        store.increment("count", 1, MINUTE),
        store.delete("key"),
        store.charge([here()]),
        store.refund([here()]),
        store.identity(),
        store.ping(),
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
