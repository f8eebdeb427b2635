"""What every ephemeral store does, and the values its verbs speak in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from watchword.clock import microseconds, to_microseconds

Now = Callable[[], datetime]
"""The time in aware UTC: the wall clock, plus whatever a test has added to it."""

SWEEP_BATCH = 500
"""The most rows of one kind that one `sweep` deletes, so that it never holds up a request for long."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` in any half-open window of length `period`.

    GCRA with a burst of the whole amount would let through almost twice as much in some window: a full burst, and
    everything that drains while the window lasts. So the burst is half the amount, rounded up, and the other half is
    spread over the period. A limit of 10 an hour takes 5 at once, then one every 12 minutes.

    Raises:
        ValueError: the amount is below 1, or the period is not positive.
    """

    name: str
    amount: int
    period: timedelta

    def __post_init__(self) -> None:
        if self.amount < 1 or self.period <= timedelta(0):
            raise ValueError(f"limit {self.name}: the amount and the period must be positive")

    @property
    def burst(self) -> int:
        """How much an idle key may spend at once."""
        return (self.amount + 1) // 2

    @property
    def interval(self) -> int:
        """Microseconds for one unit to drain, rounded up so that rounding never favours the caller."""
        return -(-microseconds(self.period) // max(self.amount // 2, 1))


@dataclass(frozen=True, slots=True)
class Charge:
    """`cost` units to be counted against `key` under `limit`.

    Stores keep the key as it is given, so whoever builds it passes a digest, not a person's identifier.

    Raises:
        ValueError: the cost is below 1, or above the limit's burst, which no amount of waiting would admit.
    """

    limit: Limit
    key: str = field(repr=False)
    cost: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.cost <= self.limit.burst:
            raise ValueError(f"limit {self.limit.name}: a charge costs from 1 to {self.limit.burst} units")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The limit that refuses for longest, and how long until the same charges would be admitted."""

    limit: Limit
    retry_after: timedelta


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
        """Count all charges, or none: a refusal writes nothing. None means that all were admitted."""

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
