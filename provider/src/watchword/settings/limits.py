"""Settings of limits: how often a code may be asked for and guessed.

A limit is written `10/1h`: at most 10 in any hour, wherever it begins. Units are `s`, `m`, `h` and `d`; several windows
stand behind one another, separated by commas, and all of them hold.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

from watchword.settings.values import PREFIX, Lifetime, SettingsError

_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_WINDOW = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})([smhd])")
_LONGEST = timedelta(days=30)
_MOST_WINDOWS = 3
_MOST_IN_30_DAYS = 100  # NIST SP 800-63B-4 section 3.2.2
_MOST_LIKELY = 0.01


@dataclass(frozen=True, slots=True)
class Window:
    """At most `amount` in any window of length `period`."""

    amount: int
    period: timedelta

    def __str__(self) -> str:
        """Write it as an operator does: `10/1h`."""
        seconds = int(self.period.total_seconds())
        units = {name: length for name, length in _UNITS.items() if name != "d" or seconds > length}  # 24h, not 1d
        unit = next(name for name, length in units.items() if seconds % length == 0)
        return f"{self.amount}/{seconds // _UNITS[unit]}{unit}"

    @property
    def a_day(self) -> float:
        """How many a day it lets through in the long run."""
        return self.amount * (timedelta(days=1) / self.period)


Windows = tuple[Window, ...]


def parse_windows(text: object) -> object:
    """Read `10/1h,20/24h`; what is no text passes through.

    Raises:
        ValueError: it is written otherwise, or a window is longer than 30 days.
    """
    if not isinstance(text, str):
        return text
    windows = tuple(_parse_window(part.strip()) for part in text.split(",") if part.strip())
    if not 1 <= len(windows) <= _MOST_WINDOWS:
        raise ValueError(f"needs one to {_MOST_WINDOWS} windows such as 10/1h")
    return windows


def _parse_window(text: str) -> Window:
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise ValueError(f"holds {text!r}, which is not a window such as 10/1h")
    period = timedelta(seconds=int(found[2]) * _UNITS[found[3]])
    if period > _LONGEST:
        raise ValueError(f"holds {text!r}, and a window is 30 days at most")
    return Window(int(found[1]), period)


def _parse_waits(text: object) -> object:
    if not isinstance(text, str):
        return text
    if not re.fullmatch(r"[0-9]{1,5}(\s*,\s*[0-9]{1,5}){0,7}", text.strip()):
        raise ValueError("needs one to eight numbers of seconds, separated by commas")
    return tuple(timedelta(seconds=int(part)) for part in text.split(","))


def _check_waits(waits: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    if waits[0] < timedelta(seconds=10) or waits[-1] > timedelta(hours=1) or list(waits) != sorted(waits):
        raise ValueError("needs waits that do not get shorter, from 10 to 3600 seconds")
    return waits


_Windows = Annotated[Windows, NoDecode, BeforeValidator(parse_windows)]
_Waits = Annotated[tuple[timedelta, ...], NoDecode, BeforeValidator(_parse_waits), AfterValidator(_check_waits)]


def _windows(text: str) -> Windows:
    windows = parse_windows(text)
    assert isinstance(windows, tuple)
    return windows


class LimitSettings(BaseModel):
    """What bounds strangers."""

    cool_downs: _Waits = Field(
        default=tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300)),
        description="Seconds to wait before the second, third ... code to one email or number by one channel.",
    )
    sends_per_identifier: _Windows = Field(
        default=_windows("3/1m,5/1h,10/24h"), description="Codes sent to one email or number, by each channel."
    )
    sends_per_network: _Windows = Field(
        default=_windows("10/10m,30/1h,100/24h"),
        description="Codes sent for one IPv4 address or IPv6 /64, by each channel; a /56 has twice, a /48 four times "
        "as many. Browsers that an account signed in with before are not counted.",
    )
    sends_per_challenge: int = Field(default=3, ge=1, le=5, description="How often one code is sent.")
    live_challenges: int = Field(
        default=5, ge=1, le=10, description="Browsers that may wait for a code to one email or number at one time."
    )
    guesses_per_challenge: int = Field(default=5, ge=3, le=5, description="Wrong codes until a challenge is over.")
    failures_per_identifier: _Windows = Field(
        default=_windows("10/1h,20/24h,100/30d"),
        description="Wrong codes for one email or number from browsers it never signed in with, whatever their "
        "network, client and channel. 100 in 30 days is the most.",
    )
    failures_per_device: _Windows = Field(
        default=_windows("10/1h,40/24h,100/30d"),
        description="Wrong codes from a browser that the account signed in with before; counted apart. 100 in 30 days "
        "is the most.",
    )
    failures_per_network: _Windows = Field(
        default=_windows("30/10m,100/24h"),
        description="Wrong codes from one IPv4 address or IPv6 /64; a /56 has twice, a /48 four times as many.",
    )
    registrations_per_network: _Windows = Field(
        default=_windows("10/1h"),
        description="Clients registered over HTTP from one IPv4 address or IPv6 /64; a /56 has twice, a /48 four times "
        "as many.",
    )
    guard_identifier_after: int = Field(
        default=10,
        ge=1,
        le=50,
        description="Wrong codes for one email or number in 24 hours after which strangers get longer codes for it.",
    )
    guard_after: int = Field(
        default=200,
        ge=20,
        le=100_000,
        description="Wrong codes over all accounts in an hour after which everybody unknown gets longer codes; three "
        "times what is usual at that hour, where that is more.",
    )
    device_lifetime: Lifetime = Field(
        default=timedelta(days=60),
        ge=timedelta(days=1),
        le=timedelta(days=90),
        description="How long a browser that signed in is remembered.",
    )


def check_odds(setting: str, failures: Windows, length: int) -> None:
    """Refuse a budget of failures that makes guessing worth while.

    P(account, year) is at most 365 x guesses a day / number of codes. The guesses a day are those of the window that
    allows fewest in the long run.

    Raises:
        SettingsError: the probability is above 1 %, or more than 100 failures in 30 days are allowed.
    """
    name = PREFIX + setting.upper()
    tightest = min(failures, key=lambda window: window.a_day)
    odds = 365 * tightest.a_day / 10**length
    if odds > _MOST_LIKELY:
        arithmetic = f"365 days x {tightest.a_day:g} guesses a day ({tightest}) / 10^{length} codes = {odds:.3g}"
        raise SettingsError(name, f"{arithmetic}, a chance of more than 1 % a year", "Allow fewer failures.")
    if tightest.a_day * 30 > _MOST_IN_30_DAYS:
        raise SettingsError(name, f"{tightest} allows more than 100 in 30 days", "Add the window 100/30d.")
