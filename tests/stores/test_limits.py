"""Rates, by property: whoever asks, and whenever, a limit is never exceeded in any window."""

from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.clock import microseconds
from watchword.ephemeral.limits import Decision, State, decide, mark_of, read_state, refund, write_state
from watchword.ephemeral.store import Charge, Limit, Refusal

NOW = 1_790_000_000_000_000
HOUR = timedelta(hours=1)

amounts = st.integers(1, 25)
periods = st.timedeltas(timedelta(microseconds=1), timedelta(days=2))


def mark(name: str) -> int:
    """What a limit of that name is known by in a state."""
    return mark_of(Limit(name, 1, 1))


LIMIT = mark("limit")
marks = st.sampled_from([mark("per_minute"), mark("per_hour"), mark("per_day")])


def limits(name: str = "limit") -> st.SearchStrategy[Limit]:
    return st.builds(Limit.at_most, st.just(name), amounts, periods)


# A caller waits for a part of the period, or exactly as long as it was told: the greediest one there is.
waits = st.lists(st.floats(0, 0.7) | st.just("as told"), max_size=80)


def full(limit: Limit) -> int:
    """Microseconds for a full burst to drain."""
    return limit.interval * limit.burst


def admitted(limit: Limit, period: timedelta, waits: list[float | Literal["as told"]], cost: int) -> list[int]:
    """Return the times at which one caller's charges are admitted."""
    stored: dict[str, State] = {}
    now, told, times = NOW, timedelta(0), []
    for wait in waits:
        now += microseconds(told if wait == "as told" else period * wait)
        decision = decide([Charge((limit,), "key", cost)], stored, now)
        stored |= decision.after
        told = decision.refusal.retry_after if decision.refusal else timedelta(0)
        times += [] if decision.refusal else [now]
    return times


@given(amounts, periods, waits, st.data())
def test_no_window_admits_more_than_the_amount(
    amount: int, period: timedelta, waits: list[float | Literal["as told"]], data: st.DataObject
) -> None:
    limit = Limit.at_most("limit", amount, period)
    cost = data.draw(st.integers(1, limit.burst))
    times = admitted(limit, period, waits, cost)
    for start in times:
        assert cost * sum(start <= time < start + microseconds(period) for time in times) <= amount


@given(limits(), st.data())
def test_whoever_waits_as_told_is_admitted_and_not_a_microsecond_before(limit: Limit, data: st.DataObject) -> None:
    charge = Charge((limit,), "key", data.draw(st.integers(1, limit.burst)))
    stored = {"key": {LIMIT: NOW + data.draw(st.integers(-10, full(limit)))}}
    if refusal := decide([charge], stored, NOW).refusal:
        later = NOW + microseconds(refusal.retry_after)
        assert decide([charge], stored, later - 1) == Decision(Refusal(limit, "key", timedelta(microseconds=1)), {})
        assert decide([charge], stored, later).refusal is None


@given(st.integers(1, 25), st.timedeltas(timedelta(microseconds=1), timedelta(days=2)))
def test_an_idle_key_gets_its_burst_at_once_and_then_one_each_interval(burst: int, interval: timedelta) -> None:
    limit = Limit.spaced("limit", burst, interval)
    assert len(admitted(limit, interval, ["as told"], limit.burst)) == 1
    assert len(admitted(limit, interval, [0.0] * 30, cost=1)) == limit.burst
    times = admitted(limit, interval, ["as told"] * (2 * burst + 4), cost=1)
    assert {later - earlier for earlier, later in zip(times[burst - 1 :], times[burst:], strict=False)} == {
        microseconds(interval)
    }


@given(limits("one"), limits("other"), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_charges_together_are_admitted_if_each_alone_would_be(
    one: Limit, other: Limit, fullness: float, other_fullness: float, same_key: bool
) -> None:
    charges = [Charge((one,), "key"), Charge((other,), "key" if same_key else "other key")]
    stored: dict[str, State] = {charge.key: {} for charge in charges}
    stored[charges[0].key][mark("one")] = NOW + int(full(one) * fullness)
    stored[charges[1].key][mark("other")] = NOW + int(full(other) * other_fullness)
    refusals = [alone for charge in charges if (alone := decide([charge], stored, NOW).refusal)]
    together = decide(charges, stored, NOW)
    if refusals:
        assert together == Decision(max(refusals, key=lambda refusal: refusal.retry_after), {})
    else:
        assert together.refusal is None
        assert together.after.keys() == stored.keys()


@given(limits("one"), limits("other"))
def test_limits_of_one_charge_decide_like_a_charge_of_each(one: Limit, other: Limit) -> None:
    together = decide([Charge((one, other), "key")], {}, NOW)
    assert together == decide([Charge((one,), "key"), Charge((other,), "key")], {}, NOW)


@given(limits(), st.integers(0, 12), st.data())
def test_a_refund_undoes_its_charge(limit: Limit, before: int, data: st.DataObject) -> None:
    charge = Charge((limit,), "key", data.draw(st.integers(1, limit.burst)))
    used = limit.interval * min(before, limit.burst - charge.cost)
    decision = decide([charge], {"key": {LIMIT: NOW + used}}, NOW)
    assert decision.refusal is None
    assert refund([charge], decision.after, NOW) == {"key": {LIMIT: NOW + used} if used else {}}


@given(st.dictionaries(marks, st.integers(0, 2 * NOW)), limits("per_hour"))
def test_whatever_is_stored_a_key_is_closed_no_longer_than_a_full_burst(state: State, limit: Limit) -> None:
    charge, stored = Charge((limit,), "key", limit.burst), {"key": state}
    decision = decide([charge], stored, NOW)
    if decision.refusal:
        assert microseconds(decision.refusal.retry_after) <= full(limit)
        stored |= decision.after
        assert decide([charge], stored, NOW + microseconds(decision.refusal.retry_after)).refusal is None


def test_a_limit_that_is_not_charged_any_more_is_kept_until_it_has_drained() -> None:
    stored = {"key": {mark("removed"): NOW + 10, mark("drained"): NOW}}
    limit = Limit("limit", 1, 5)
    assert decide([Charge((limit,), "key")], stored, NOW).after == {"key": {mark("removed"): NOW + 10, LIMIT: NOW + 5}}
    assert decide([Charge((limit,), "key")], stored, NOW + 10).after == {"key": {LIMIT: NOW + 15}}


def test_the_same_limit_and_key_in_two_charges_counts_twice() -> None:
    charges = 2 * [Charge((Limit.spaced("limit", 3, HOUR),), "key")]
    once = decide(charges, {}, NOW)
    assert once.refusal is None
    assert decide(charges, once.after, NOW).refusal == Refusal(charges[0].limits[0], "key", HOUR)


@given(st.dictionaries(marks, st.integers(0, 2 * NOW)))
def test_a_state_is_read_as_it_was_written(state: State) -> None:
    assert read_state(write_state(state)) == state


def test_decide_leaves_the_state_that_it_was_given_alone() -> None:
    limit = Limit.spaced("limit", 3, HOUR)
    stored: dict[str, State] = {"key": {LIMIT: NOW + 1}}
    decision = decide([Charge((limit,), "key")], stored, NOW)
    refund([Charge((limit,), "key")], decision.after, NOW)
    assert stored == {"key": {LIMIT: NOW + 1}}
    assert decision.after == {"key": {LIMIT: NOW + 1 + limit.interval}}


@pytest.mark.parametrize(
    ("amount", "burst", "interval"),
    [(1, 1, 3600), (2, 1, 3600), (3, 2, 3600), (4, 2, 1800), (5, 3, 1800), (10, 5, 720), (20, 10, 360)],
)
def test_half_the_amount_is_the_burst_and_the_other_half_is_spread(amount: int, burst: int, interval: int) -> None:
    assert Limit.at_most("limit", amount, HOUR) == Limit("limit", burst, interval * 1_000_000)


def test_a_spaced_limit_is_what_it_says() -> None:
    assert Limit.spaced("limit", 3, timedelta(seconds=30)) == Limit("limit", 3, 30_000_000)


@pytest.mark.parametrize(
    ("amount", "period"), [(0, HOUR), (-1, HOUR), (1, timedelta(0)), (1, -HOUR), (1, timedelta(days=36526))]
)
def test_a_limit_without_an_amount_or_a_period_or_beyond_a_century_is_refused(amount: int, period: timedelta) -> None:
    with pytest.raises(ValueError, match="must be positive, and drain within a century"):
        Limit.at_most("limit", amount, period)
    with pytest.raises(ValueError, match="must be positive, and drain within a century"):
        Limit.spaced("limit", amount, period)


@pytest.mark.parametrize("name", ["", "two words", "a=1", "a:b", "Größe", "UPPER"])
def test_a_limit_with_a_name_that_its_stored_form_could_not_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a-z"):
        Limit.spaced(name, 1, HOUR)


@pytest.mark.parametrize("cost", [-1, 0, 4])
def test_a_charge_that_could_never_be_admitted_or_costs_nothing_is_refused(cost: int) -> None:
    with pytest.raises(ValueError, match=r"a charge costs from 1 to [39] units"):
        Charge((Limit.spaced("large", 9, HOUR), Limit.spaced("small", 3, HOUR)), "key", cost)


def test_limits_of_one_charge_have_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="names of their own"):
        Charge((Limit.spaced("limit", 1, HOUR), Limit.spaced("limit", 2, HOUR)), "key")


def test_neither_a_charge_nor_a_refusal_shows_its_key() -> None:
    limit = Limit.spaced("limit", 1, HOUR)
    assert "secret" not in repr(Charge((limit,), "secret"))
    assert "secret" not in repr(Refusal(limit, "secret", HOUR))
