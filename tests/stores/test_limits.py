"""Rates, by property: whoever asks, and whenever, a limit is never exceeded in any window."""

from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.clock import microseconds
from watchword.ephemeral.limits import Bucket, bucket_of, decide, refunded
from watchword.ephemeral.store import Charge, Limit, Refusal

NOW = 1_790_000_000_000_000

limits = st.builds(
    Limit,
    name=st.just("limit"),
    amount=st.integers(1, 25),
    period=st.timedeltas(timedelta(microseconds=1), timedelta(days=2)),
)
# A caller waits for a part of the period, or exactly as long as it was told: the greediest one there is.
waits = st.lists(st.floats(0, 0.7) | st.just("as told"), max_size=80)


def admitted(limit: Limit, waits: list[float | Literal["as told"]], cost: int) -> list[int]:
    """Return the times at which one caller's charges are admitted."""
    state: dict[Bucket, int] = {}
    now, told, times = NOW, timedelta(0), []
    for wait in waits:
        now += microseconds(told if wait == "as told" else limit.period * wait)
        decision = decide([Charge(limit, "key", cost)], state, now)
        if isinstance(decision, Refusal):
            told = decision.retry_after
        else:
            told = timedelta(0)
            state |= decision
            times.append(now)
    return times


@given(limits, waits, st.data())
def test_no_window_admits_more_than_the_amount(
    limit: Limit, waits: list[float | Literal["as told"]], data: st.DataObject
) -> None:
    cost = data.draw(st.integers(1, limit.burst))
    times = admitted(limit, waits, cost)
    period = microseconds(limit.period)
    for start in times:
        assert cost * sum(start <= time < start + period for time in times) <= limit.amount


@given(limits, st.data())
def test_whoever_waits_as_told_is_admitted_and_not_a_microsecond_before(limit: Limit, data: st.DataObject) -> None:
    charge = Charge(limit, "key", data.draw(st.integers(1, limit.burst)))
    state = {bucket_of(charge): NOW + data.draw(st.integers(-10, limit.interval * limit.burst))}
    decision = decide([charge], state, NOW)
    if isinstance(decision, Refusal):
        later = NOW + microseconds(decision.retry_after)
        assert decide([charge], state, later - 1) == Refusal(limit, timedelta(microseconds=1))
        assert isinstance(decide([charge], state, later), dict)


@given(limits)
def test_an_idle_key_gets_its_burst_at_once_and_no_more(limit: Limit) -> None:
    assert len(admitted(limit, ["as told"], limit.burst)) == 1
    assert len(admitted(limit, [0.0] * 30, cost=1)) == limit.burst


@given(limits, limits, st.floats(0, 1), st.floats(0, 1))
def test_charges_together_are_admitted_if_each_alone_would_be(
    one: Limit, other: Limit, fullness: float, other_fullness: float
) -> None:
    charges = [Charge(one, "one"), Charge(other, "other")]
    state = {
        bucket_of(charge): NOW + int(charge.limit.interval * charge.limit.burst * full)
        for charge, full in zip(charges, (fullness, other_fullness), strict=True)
    }
    alone = [decide([charge], state, NOW) for charge in charges]
    refusals = [decision for decision in alone if isinstance(decision, Refusal)]
    together = decide(charges, state, NOW)
    if refusals:
        assert together == max(refusals, key=lambda refusal: refusal.retry_after)
    else:
        assert isinstance(together, dict)
        assert together.keys() == state.keys()


@given(limits, st.integers(0, 12), st.data())
def test_a_refund_undoes_its_charge(limit: Limit, before: int, data: st.DataObject) -> None:
    charge = Charge(limit, "key", data.draw(st.integers(1, limit.burst)))
    state = {bucket_of(charge): NOW + limit.interval * min(before, limit.burst - charge.cost)}
    decision = decide([charge], state, NOW)
    assert isinstance(decision, dict)
    assert refunded(charge, decision[bucket_of(charge)]) == state[bucket_of(charge)]


def test_decide_leaves_the_state_that_it_was_given_alone() -> None:
    charge = Charge(Limit("limit", 3, timedelta(hours=1)), "key")
    state: dict[Bucket, int] = {}
    decide([charge], state, NOW)
    assert state == {}


@pytest.mark.parametrize(
    ("amount", "burst", "interval"),
    [(1, 1, 3600), (2, 1, 3600), (3, 2, 3600), (4, 2, 1800), (5, 3, 1800), (10, 5, 720), (20, 10, 360)],
)
def test_half_the_amount_is_the_burst_and_the_other_half_is_spread(amount: int, burst: int, interval: int) -> None:
    limit = Limit("limit", amount, timedelta(hours=1))
    assert (limit.burst, limit.interval) == (burst, interval * 1_000_000)


@pytest.mark.parametrize(("amount", "period"), [(0, timedelta(1)), (-1, timedelta(1)), (1, timedelta(0))])
def test_a_limit_without_an_amount_or_a_period_is_refused(amount: int, period: timedelta) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Limit("limit", amount, period)


@pytest.mark.parametrize("cost", [-1, 0, 4])
def test_a_charge_that_could_never_be_admitted_or_costs_nothing_is_refused(cost: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 3 units"):
        Charge(Limit("limit", 5, timedelta(hours=1)), "key", cost)


def test_a_charge_does_not_show_its_key() -> None:
    assert "secret" not in repr(Charge(Limit("limit", 5, timedelta(hours=1)), "secret"))
