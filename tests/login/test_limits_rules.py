"""The rules of the limits by themselves: whose share an address uses, when a wait is over, what odds are refused."""

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.login.examples import ASHA, NOW, PEPPER, challenge
from watchword.accounts import Identifier
from watchword.ephemeral import Charge, Limit, MemoryStore
from watchword.login.breaker import most_failures
from watchword.login.budget import lifts_in
from watchword.login.challenge import CONSONANTS
from watchword.login.limits import at_most, cool_downs
from watchword.login.networks import networks_of
from watchword.login.one_time_code import derive_one_time_code, tidy
from watchword.login.tags import mailbox_of, tag
from watchword.settings import SettingsError
from watchword.settings.limits import Window, check_odds, parse_windows

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DEFAULT = (Window(10, HOUR), Window(20, DAY), Window(100, timedelta(days=30)))


def admitted(limits: tuple[Limit, ...], times: Sequence[int]) -> list[int]:
    """Which of these moments (in seconds) the limits let through."""
    now = NOW

    async def ask() -> list[int]:
        nonlocal now
        store, through = MemoryStore(now=lambda: now), []
        for second in times:
            now = NOW + timedelta(seconds=second)
            if await store.charge([Charge(limits, "key")]) is None:
                through.append(second)
        return through

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("203.0.113.7", [("203.0.113.7/32", 1)]),
        ("::ffff:203.0.113.7", [("203.0.113.7/32", 1)]),
        ("2001:db8:1:2ff::1", [("2001:db8:1:2ff::/64", 1), ("2001:db8:1:200::/56", 2), ("2001:db8:1::/48", 4)]),
        ("fe80::1%eth0", [("fe80::/64", 1), ("fe80::/56", 2), ("fe80::/48", 4)]),
        ("", [("none", 1)]),
        ("unix", [("none", 1)]),
        ("1.2.3.4:80", [("none", 1)]),
        ("1" * 10_000, [("none", 1)]),
    ],
)
def test_an_address_counts_for_its_network_and_nothing_counts_for_none(
    address: str, networks: list[tuple[str, int]]
) -> None:
    """B-11, C-09."""
    assert list(networks_of(address)) == networks


def test_cool_downs_admit_exactly_when_the_growing_waits_are_over() -> None:
    """C-01: asked again every second, sends leave after 30, 60, 120 and 300 seconds."""
    waits = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300))
    sends = admitted(cool_downs(waits), range(600))
    assert [later - earlier for earlier, later in pairwise(sends)] == [30, 60, 120, 300]


@given(st.lists(st.integers(10, 600), min_size=1, max_size=5).map(sorted), st.lists(st.integers(0, 900), max_size=40))
def test_no_send_comes_before_the_waits_before_it_are_over(waits: list[int], gaps: list[int]) -> None:
    """C-01: from the first send of a quiet identifier, the k-th never leaves before the first k-1 waits are over."""
    sends = admitted(cool_downs(tuple(timedelta(seconds=wait) for wait in waits)), list(accumulate(gaps)))
    due = [0, *accumulate(waits)]
    for earliest, sent in zip(due, sends, strict=False):
        assert sent - sends[0] >= earliest
    assert all(later - earlier >= waits[0] for earlier, later in pairwise(sends))


@given(
    st.integers(1, 30),
    st.integers(1, 7200),
    st.lists(st.integers(0, 1200), max_size=120).map(lambda gaps: list(accumulate(gaps))),
)
def test_no_window_ever_admits_more_than_its_amount(amount: int, seconds: int, times: list[int]) -> None:
    """B-13."""
    window = Window(amount, timedelta(seconds=seconds))
    through = admitted(at_most("some", (window,)), times)
    for first in through:
        assert sum(1 for at in through if first <= at < first + seconds) <= amount


@pytest.mark.parametrize(("share", "divisor", "burst"), [(1, 1, 5), (4, 1, 20), (1, 4, 1), (4, 4, 5), (1, 100, 1)])
def test_wider_networks_have_more_and_guarded_mode_leaves_a_quarter(share: int, divisor: int, burst: int) -> None:
    [limit] = at_most("some", (Window(10, HOUR),), share=share, divisor=divisor)
    assert limit.burst == burst


@pytest.mark.parametrize(
    ("value", "mailbox"),
    [
        ("asha@example.com", "asha@example.com"),
        ("a.s.h.a@example.com", "asha@example.com"),
        ("asha+shop+2@example.com", "asha@example.com"),
        ("asha@mail.example.com", "asha@mail.example.com"),
        ("+shop@example.com", "+shop@example.com"),
    ],
)
def test_spellings_of_one_mailbox_share_a_rate(value: str, mailbox: str) -> None:
    assert mailbox_of(Identifier("email", value, value)) == mailbox


def test_a_number_is_its_own_mailbox() -> None:
    assert mailbox_of(Identifier("phone", "+919876543210", "")) == "+919876543210"


@pytest.mark.parametrize("changed", [("x", "email", "a"), ("guesses", "phone", "a"), ("guesses", "email", "b")])
def test_a_tag_belongs_to_its_purpose_kind_and_value(changed: tuple[str, str, str]) -> None:
    assert len(tag(PEPPER, "guesses", "email", "a")) == 16
    assert tag(PEPPER, *changed) != tag(PEPPER, "guesses", "email", "a")
    assert tag(bytes(32), "guesses", "email", "a") != tag(PEPPER, "guesses", "email", "a")
    assert ASHA.value.encode() not in tag(PEPPER, "guesses", ASHA.kind, ASHA.value)


@pytest.mark.parametrize(
    ("ages", "wait"),
    [
        ([], None),
        ([timedelta(minutes=1)] * 9, None),
        ([timedelta(minutes=1)] * 10, timedelta(minutes=59)),
        ([timedelta(minutes=1)] * 5 + [timedelta(minutes=30)] * 5, timedelta(minutes=30)),
        ([HOUR] * 10, None),
        ([timedelta(hours=2)] * 20, timedelta(hours=22)),
        ([timedelta(days=10)] * 100, timedelta(days=20)),
        ([timedelta(minutes=1)] * 10 + [timedelta(days=2)] * 90, timedelta(days=28)),
    ],
)
def test_a_budget_lifts_when_its_last_full_window_opens(ages: list[timedelta], wait: timedelta | None) -> None:
    """B-03."""
    assert lifts_in(ages, DEFAULT) == wait


@pytest.mark.parametrize(("usual", "most"), [(0, 200), (66.6, 200), (67, 201), (1000, 3000)])
def test_the_breaker_trips_above_its_setting_or_thrice_what_is_usual(usual: float, most: int) -> None:
    """B-08."""
    assert most_failures(200, usual) == most


def test_codes_of_letters_have_no_vowels_and_are_typed_large_or_small() -> None:
    """B-09: 20 letters and 8 places are 34.6 bits."""
    codes = {
        derive_one_time_code(
            PEPPER, challenge(alphabet=CONSONANTS, length=8, seed=number.to_bytes(16, "big")), issuer=""
        )
        for number in range(500)
    }
    assert len(codes) == 500
    assert all(re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{8}", code) for code in codes)
    assert set("".join(codes)) == set(CONSONANTS)
    code = codes.pop()
    assert tidy(f" {code[:4].lower()}-{code[4:]}", 8, CONSONANTS) == code
    assert tidy("BCDFGHJ\u017f", 8, CONSONANTS) is None  # long s, which becomes S when it is made large
    assert tidy("BCDFGHJA", 8, CONSONANTS) is None
    assert tidy("12345678", 8, CONSONANTS) is None


def test_windows_are_read_and_written_as_operators_write_them() -> None:
    windows: Any = parse_windows("10/1h, 20/24h ,100/30d")
    assert windows == DEFAULT
    assert [str(window) for window in windows] == ["10/1h", "20/24h", "100/30d"]
    assert str(Window(3, timedelta(seconds=90))) == "3/90s"


@pytest.mark.parametrize("text", ["", "10", "10/h", "0/1h", "10/0h", "-1/1h", "10/1w", "10/31d", "1/1h,2/2h,3/3h,4/4h"])
def test_nothing_else_is_a_list_of_windows(text: str) -> None:
    with pytest.raises(ValueError, match="window"):
        parse_windows(text)


def test_odds_above_one_percent_a_year_are_refused_with_their_arithmetic() -> None:
    """B-10."""
    with pytest.raises(SettingsError) as refused:
        check_odds("failures_per_identifier", (Window(30, DAY),), 6)
    assert str(refused.value) == (
        "WATCHWORD_FAILURES_PER_IDENTIFIER: 365 days x 30 guesses a day (30/24h) / 10^6 codes = 0.0109, "
        "a chance of more than 1 % a year. Allow fewer failures."
    )
    check_odds("failures_per_identifier", DEFAULT, 6)


def test_more_than_a_hundred_failures_in_thirty_days_are_refused_however_long_the_codes() -> None:
    """B-03: NIST SP 800-63B-4 section 3.2.2."""
    for windows in ((Window(101, timedelta(days=30)),), (Window(4, DAY),)):
        with pytest.raises(SettingsError, match="more than 100 in 30 days"):
            check_odds("failures_per_identifier", windows, 10)
