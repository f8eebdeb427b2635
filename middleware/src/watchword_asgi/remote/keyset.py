"""The issuer's keys, remembered; and what a key nobody knows may cost."""

from collections.abc import Callable, Coroutine
from typing import Any

from ..errors import Reason, Refused, Unavailable
from ..tokens.jwk import VerificationKey
from .remembered import Freshness, Remembered

FRESHNESS = Freshness(fresh=300.0, tolerated=600.0, stale=86400.0)
_BURST = 3  # fetches that unknown kids may cause at once ...
_SECONDS_PER_FETCH = 30.0  # ... and how long one more takes to earn
_MOST_UNKNOWN = 256
_FIRST_WAIT = 2.0  # a key may need a moment to reach every replica of the provider
_LONGEST_WAIT = 30.0

Keys = tuple[VerificationKey, ...]


class FetchAllowance:
    """A token bucket: a few fetches at once, then one per half minute, whatever strangers send."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left = float(_BURST)
        self._counted_at = monotonic()

    def take(self) -> bool:
        """Spend one fetch if there is one to spend."""
        now = self._monotonic()
        self._left = min(float(_BURST), self._left + (now - self._counted_at) / _SECONDS_PER_FETCH)
        self._counted_at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class UnknownKids:
    """Kids that the issuer did not have when it was asked. Each is asked for again later, and later still."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._waits: dict[str, tuple[float, float]] = {}

    def is_waiting(self, kid: str) -> bool:
        """Whether the kid was asked for a moment ago."""
        until, _ = self._waits.get(kid, (0.0, 0.0))
        return self._monotonic() < until

    def add(self, kid: str) -> None:
        """Note that the issuer does not have it; the wait doubles each time, up to half a minute."""
        _, last = self._waits.pop(kid, (0.0, _FIRST_WAIT / 2))
        wait = min(last * 2, _LONGEST_WAIT)
        while len(self._waits) >= _MOST_UNKNOWN:
            del self._waits[next(iter(self._waits))]
        self._waits[kid] = (self._monotonic() + wait, wait)


class Keyset:
    """The keys of one issuer.

    A fetch costs one request however many wait for it. Keys five minutes old are refreshed in the background; a known
    key serves for a day while the issuer is down; an unknown `kid` may cause a fetch, within the allowance. A wrong
    signature under a known `kid` never does.
    """

    def __init__(
        self,
        fetch: Callable[[], Coroutine[Any, Any, Keys]],
        *,
        monotonic: Callable[[], float],
        on_withdrawn: Callable[[frozenset[VerificationKey]], None],
    ) -> None:
        self._fetch = fetch
        self._on_withdrawn = on_withdrawn
        self._keys: Keys = ()
        self._remembered = Remembered(
            "the issuer's key set", self._fetch_and_compare, freshness=FRESHNESS, monotonic=monotonic
        )
        self._allowance = FetchAllowance(monotonic)
        self._unknown = UnknownKids(monotonic)

    def is_current(self) -> bool:
        """Whether the keys in memory may be relied on without waiting; starts a refresh in the background when due."""
        return self._remembered.peek() is not None

    async def find(self, kid: str | None) -> Keys:
        """The keys to try for a token: those of this kid, or all when the token names none.

        Raises:
            Refused: the issuer has no such key.
            Unavailable: the issuer cannot be asked.
        """
        keys = self._remembered.peek() or await self._remembered.get()
        if kid is None:
            return keys
        found = _named(keys, kid)
        return found or await self._find_new(kid)

    async def _find_new(self, kid: str) -> Keys:
        if not self._remembered.is_being_fetched:
            if self._unknown.is_waiting(kid):
                raise Refused(Reason.UNKNOWN_KEY)
            if self._remembered.pause > 0:
                raise Unavailable(self._remembered.pause, "an unknown key, and the issuer cannot be asked")
            if not self._allowance.take():
                raise Refused(Reason.UNKNOWN_KEY)
        found = _named(await self._remembered.refresh(), kid)
        if not found:
            self._unknown.add(kid)
            raise Refused(Reason.UNKNOWN_KEY)
        return found

    async def _fetch_and_compare(self) -> Keys:
        # A key whose published form did not change stays the same object, and what was verified with it stays good.
        before = {key.fingerprint: key for key in self._keys}
        keys = tuple(before.get(key.fingerprint, key) for key in await self._fetch())
        withdrawn = frozenset(self._keys) - frozenset(keys)
        self._keys = keys
        if withdrawn:
            self._on_withdrawn(withdrawn)
        return keys


def _named(keys: Keys, kid: str) -> Keys:
    return tuple(key for key in keys if key.kid == kid)
