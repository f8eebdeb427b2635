"""What every ephemeral store does, and the values its verbs speak in."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from watchword.clock import microseconds, to_microseconds

Now = Callable[[], datetime]
"""The time in aware UTC: the wall clock, plus whatever a test has added to it."""

Offset = Callable[[], timedelta]
"""What a test has added to the time; zero otherwise. A store with a clock of its own adds it to that."""

SWEEP_BATCH = 500
"""The most rows of one kind that one transaction of a `sweep` deletes, so that it holds up no request for long."""


_LONGEST_DRAIN = timedelta(days=36525)
"""A century: with it, no time that a limit is about leaves the integers that every store computes with exactly."""
_NAME = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Limit:
    """One rate: `burst` units at once, then one for every `interval` microseconds (GCRA).

    Raises:
        ValueError: the name is not of a-z, 0-9 and _, the burst or the interval is below 1, or a full burst takes more
            than a century to drain.
    """

    name: str
    burst: int
    interval: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a limit's name is written with a-z, 0-9 and _")
        if not (self.burst >= 1 and 1 <= self.interval <= microseconds(_LONGEST_DRAIN) // self.burst):
            raise ValueError(f"limit {self.name}: burst and interval must be positive, and drain within a century")

    @classmethod
    def at_most(cls, name: str, amount: int, period: timedelta) -> "Limit":
        """Return the limit that never admits more than `amount` in any half-open window of length `period`.

        GCRA with a burst of the whole amount would let through almost twice as much in some window: a full burst, and
        everything that drains while the window lasts. So the burst is half the amount, rounded up, and the other half
        is spread over the period, rounded so that it never favours the caller. A limit of 10 an hour takes 5 at once,
        then one every 12 minutes.

        Raises:
            ValueError: as the class does; the amount is the burst's, the period the interval's.
        """
        return cls(name, (amount + 1) // 2, -(-microseconds(period) // max(amount // 2, 1)))

    @classmethod
    def spaced(cls, name: str, burst: int, interval: timedelta) -> "Limit":
        """Return the limit that admits `burst` at once, then one for every `interval`.

        Raises:
            ValueError: as the class does.
        """
        return cls(name, burst, microseconds(interval))


@dataclass(frozen=True, slots=True)
class Charge:
    """`cost` units to be counted against `key` under each of `limits`.

    Stores keep the key as it is given, so whoever builds it passes a digest, not a person's identifier, and lets what
    the key is for go into it: all limits of one key are one row.

    Raises:
        ValueError: two limits share a name, or the cost is below 1, or above some burst, which no amount of waiting
            would admit.
    """

    limits: tuple[Limit, ...]
    key: str = field(repr=False)
    cost: int = 1

    def __post_init__(self) -> None:
        if len({limit.name for limit in self.limits}) < len(self.limits):
            raise ValueError("the limits of a charge have names of their own")
        for limit in self.limits:
            if not 1 <= self.cost <= limit.burst:
                raise ValueError(f"limit {limit.name}: a charge costs from 1 to {limit.burst} units")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The limit and the key that refuse for longest, and how long until the same charges would be admitted."""

    limit: Limit
    key: str = field(repr=False)
    retry_after: timedelta


class StoreUnfit(ValueError):
    """A store that answers, but would lose what it is told to keep. The text says what to set, and holds no secret."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}: {remedy}")
        self.problem, self.remedy = problem, remedy


class EphemeralStore(Protocol):
    """Atomic verbs over values that expire.

    Every verb is one atomic step, seen by all processes that share the store: never read, decide and write with two
    verbs what one verb can do. A value whose lifetime has passed is absent, to the microsecond, by the store's own
    clock; a lifetime of zero or less stores what is absent at once. Every verb may raise `StoreUnavailable`.
    """

    async def put(self, key: str, value: bytes, lifetime: timedelta) -> None:
        """Set the value, whatever was there."""

    async def add(self, key: str, value: bytes, lifetime: timedelta) -> bool:
        """Set the value unless a live one is there; False means that it is, unchanged."""

    async def get(self, key: str) -> bytes | None:
        """Return the live value. What is spent by being read is read with `take`."""

    async def get_all(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the live value of each key, in order: one round trip.

        Each value is read atomically, all of them not: others may write between two of them.
        """

    async def take(self, key: str) -> bytes | None:
        """Return the live value and delete it in the same step: of many callers one gets it, the others None."""

    async def swap(self, key: str, expected: bytes, value: bytes, lifetime: timedelta) -> bool:
        """Replace a live value equal to `expected`; False means that it is absent or another one, unchanged."""

    async def increment(self, key: str, by: int, lifetime: timedelta) -> int:
        """Add `by` (which may be negative) to a counter, renew its lifetime and return the new count.

        An absent counter counts as 0. A counter's value is its decimal digits; the count is a signed 64-bit integer,
        and overflow is not checked.

        Raises:
            ValueError: the key holds a live value that is no counter; it is unchanged.
        """

    async def delete(self, key: str) -> None:
        """Forget the value; an absent one is no error."""

    async def charge(self, charges: Sequence[Charge]) -> Refusal | None:
        """Count all charges, or none: a refusal counts nothing. None means that all were admitted.

        One round trip, however many. The same key may stand in several charges. What is stored is matched with a limit
        by its name, and trusted only as far as this limit could have written it: a limit made smaller, or a clock set
        back, never closes a key for longer than the limit could itself.
        """

    async def refund(self, charges: Sequence[Charge]) -> None:
        """Give back what an admitted `charge` counted.

        Meant for the moments after the charge, when a later step refuses. That they were charged is not checked, nor
        how long ago; a unit that had drained by itself is given back a second time, but a key never gets more than
        its burst.
        """

    async def identity(self) -> str:
        """Return the store's id: made when the store was empty, and the same for everyone who shares it.

        It is not a secret. Two replicas that see two ids are on two stores, where single use means nothing.
        """

    async def ping(self) -> None:
        """Return if the store answers.

        Raises:
            StoreUnavailable: it does not.
        """

    async def check(self) -> None:
        """See that the store keeps what it is told until it expires; to be asked once, before workers start.

        Raises:
            StoreUnfit: it does not; the text says what to set.
            StoreUnavailable: it does not answer.
        """

    async def sweep(self) -> int:
        """Delete a bounded batch of expired rows and return how many; only garbage collection, never a decision."""

    async def close(self) -> None:
        """Finish what was asked and let the store go; a second time does nothing."""


def reading(now: Now) -> int:
    """Return a clock's time in microseconds since 1970.

    Raises:
        TypeError: the clock gave a naive datetime.
    """
    return to_microseconds(now())
