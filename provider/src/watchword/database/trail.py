"""How one worker writes the audit trail: its clock, the key that marks events, and how many refusals it takes."""

from collections import Counter
from collections.abc import Callable, Mapping

from watchword.database.chain import event_mac

REFUSALS_AT_ONCE = 200
REFUSALS_PER_SECOND = 20
_INTERVAL = 1_000_000 // REFUSALS_PER_SECOND  # microseconds


class Allowance:
    """Bounds what strangers can make a worker write: a burst, then so many a second; the rest is only counted.

    Each kind of event has a share of its own, so that nobody hides one kind behind a flood of another.
    """

    __slots__ = ("_dropped", "_full_at", "_now")

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._full_at = dict[str, int]()
        self._dropped = Counter[str]()

    def admit(self, name: str) -> bool:
        """Say whether one more may be written; what may not is counted under its name."""
        now, most = self._now(), REFUSALS_AT_ONCE * _INTERVAL
        full_at = max(min(self._full_at.get(name, now), now + most), now)  # a clock may go back
        admitted = full_at + _INTERVAL <= now + most
        if not admitted:
            self._dropped[name] += 1
        self._full_at[name] = full_at + _INTERVAL if admitted else full_at
        return admitted

    def take_dropped(self) -> Mapping[str, int]:
        """Return how many were dropped since the last time, by name."""
        dropped, self._dropped = self._dropped, Counter()
        return dropped


class Trail:
    """What a worker's events have in common. `now` is the provider's clock in microseconds since 1970."""

    __slots__ = ("_secret", "allowance", "kid", "now")

    def __init__(self, kid: str, secret: bytes, now: Callable[[], int]) -> None:
        self.kid, self._secret, self.now = kid, secret, now
        self.allowance = Allowance(now)

    def mark(self, *fields: str | None) -> tuple[int, bytes]:
        """Return the time of an event that happens now, and its MAC over that time, the key's id and its fields."""
        at = self.now()
        return at, event_mac(self._secret, (str(at), self.kid, *fields))
