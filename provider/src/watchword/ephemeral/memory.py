"""The ephemeral store in this process's memory: for unit tests and a single worker.

No verb awaits anything, so each runs to its end before another task of the loop does: that is its atomicity. Threads
and other processes are not served.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

from watchword.clock import microseconds
from watchword.embedded import StoreUnavailable
from watchword.ephemeral.limits import State, decide, refund
from watchword.ephemeral.store import SWEEP_BATCH, Charge, Now, Offset, Refusal, reading


class MemoryStore:
    """`EphemeralStore` over two dictionaries; a new one is a new, empty store with an id of its own."""

    def __init__(self, *, now: Now) -> None:
        self._now = now
        self._entries: dict[str, tuple[bytes, int]] = {}
        self._rates: dict[str, State] = {}
        self._identity = secrets.token_hex(16)
        self._closed = False

    @classmethod
    def from_url(cls, url: str, now: Now, _offset: Offset) -> "MemoryStore":
        """Return a new store.

        Raises:
            ValueError: the URL says more than `memory://`, as if there were several such stores.
        """
        if url != "memory://":
            raise ValueError("the ephemeral store in memory has no name or options: write memory://")
        return cls(now=now)

    async def put(self, key: str, value: bytes, lifetime: timedelta) -> None:
        """Set the value: one dictionary write."""
        self._write(key, value, lifetime)

    async def add(self, key: str, value: bytes, lifetime: timedelta) -> bool:
        """Set the value unless a live one is there."""
        if self._live(key) is not None:
            return False
        self._write(key, value, lifetime)
        return True

    async def get(self, key: str) -> bytes | None:
        """Return the live value."""
        return self._live(key)

    async def get_all(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the live values."""
        return [self._live(key) for key in keys]

    async def take(self, key: str) -> bytes | None:
        """Return the live value and delete it."""
        value = self._live(key)
        self._entries.pop(key, None)
        return value

    async def swap(self, key: str, expected: bytes, value: bytes, lifetime: timedelta) -> bool:
        """Replace a live value equal to `expected`."""
        if self._live(key) != expected:
            return False
        self._write(key, value, lifetime)
        return True

    async def increment(self, key: str, by: int, lifetime: timedelta) -> int:
        """Add to a counter and renew its lifetime.

        Raises:
            ValueError: the key holds a live value that is no counter.
        """
        count = _count(self._live(key)) + by
        self._write(key, b"%d" % count, lifetime)
        return count

    async def delete(self, key: str) -> None:
        """Forget the value."""
        self._check_open()
        self._entries.pop(key, None)

    async def charge(self, charges: Sequence[Charge]) -> Refusal | None:
        """Count all charges or none."""
        self._check_open()
        decision = decide(charges, self._rates, reading(self._now))
        self._rates.update(decision.after)
        return decision.refusal

    async def refund(self, charges: Sequence[Charge]) -> None:
        """Give back what an admitted charge counted."""
        self._check_open()
        stored = {charge.key: self._rates[charge.key] for charge in charges if charge.key in self._rates}
        self._rates.update(refund(charges, stored, reading(self._now)))

    async def identity(self) -> str:
        """Return the id drawn when this object was made."""
        self._check_open()
        return self._identity

    async def ping(self) -> None:
        """Return, unless the store is closed."""
        self._check_open()

    async def check(self) -> None:
        """Return: nothing here is configured, and nothing lost before the process ends."""

    async def sweep(self) -> int:
        """Delete a batch of expired values and a batch of keys whose limits are all empty."""
        self._check_open()
        now = reading(self._now)
        expired = list(
            islice((key for key, (_, expires_at) in self._entries.items() if expires_at <= now), SWEEP_BATCH)
        )
        empty = list(
            islice((key for key, state in self._rates.items() if max(state.values(), default=0) <= now), SWEEP_BATCH)
        )
        for key in expired:
            del self._entries[key]
        for key in empty:
            del self._rates[key]
        return len(expired) + len(empty)

    async def close(self) -> None:
        """Forget everything."""
        self._closed = True
        self._entries.clear()
        self._rates.clear()

    def _live(self, key: str) -> bytes | None:
        self._check_open()
        value, expires_at = self._entries.get(key, (None, 0))
        return value if expires_at > reading(self._now) else None

    def _write(self, key: str, value: bytes, lifetime: timedelta) -> None:
        self._check_open()
        self._entries[key] = (value, reading(self._now) + microseconds(lifetime))

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the ephemeral store is closed")


def _count(value: bytes | None) -> int:
    """Read a counter; only the digits that `increment` itself would write are one."""
    try:
        count = int(value or b"0")
    except ValueError:
        count = 0
    if value is not None and value != b"%d" % count:
        raise ValueError("the key holds a value that is no counter")
    return count
