"""A value that lives at the provider and is remembered here."""

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..errors import Unavailable
from .fetch import FetchFailed
from .flight import SingleFlight

logger = logging.getLogger("watchword_asgi")

T = TypeVar("T")
_FIRST_PAUSE = 0.5  # seconds between a failure and the next try; doubled with each failure
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Freshness:
    """For how long a remembered value is good, in seconds of its age.

    Attributes:
        fresh: until here it is used without a question.
        tolerated: until here it is used while a new one is fetched in the background; beyond, requests wait for the
            new one.
        stale: until here it still serves when the provider does not answer.
    """

    fresh: float
    tolerated: float
    stale: float


class Remembered(Generic[T]):
    """Fetches a value once for all who ask, refreshes it in the background, and survives outages on the old one."""

    def __init__(
        self,
        name: str,
        fetch: Callable[[], Coroutine[Any, Any, T]],
        *,
        freshness: Freshness,
        monotonic: Callable[[], float],
    ) -> None:
        self._name = name
        self._fetch = fetch
        self._freshness = freshness
        self._monotonic = monotonic
        self._flight: SingleFlight[T] = SingleFlight()
        self._value: T | None = None
        self._fetched_at = 0.0
        self._failures = 0
        self._rests_until = 0.0

    @property
    def is_being_fetched(self) -> bool:
        """Whether a fetch is on its way in this event loop."""
        return self._flight.is_running(None)

    @property
    def pause(self) -> float:
        """Seconds until the next try is due after a failure, 0 when nothing failed."""
        return max(0.0, self._rests_until - self._monotonic()) if self._failures else 0.0

    def peek(self) -> T | None:
        """The value if it can be used without waiting. Starts a background refresh when it is due."""
        if self._value is None:
            return None
        age = self._monotonic() - self._fetched_at
        if age < self._freshness.fresh:
            return self._value
        # Once the provider has failed to answer, nobody waits for its next try: the old value serves meanwhile.
        if age >= (self._freshness.stale if self._failures else self._freshness.tolerated):
            return None
        if self.pause == 0:
            self._flight.start(None, self._fetch_and_keep)
        return self._value

    async def get(self) -> T:
        """The value, fetched if need be.

        Raises:
            Unavailable: there is none and the provider does not answer.
        """
        value = self.peek()
        if value is not None:
            return value
        try:
            return await self.refresh()
        except Unavailable:
            if self._value is None or self._monotonic() - self._fetched_at >= self._freshness.stale:
                raise
            return self._value

    async def refresh(self) -> T:
        """Fetch anew, or join the fetch that runs. Within the pause after a failure nothing is sent.

        Raises:
            Unavailable: the provider does not answer, or did not a moment ago.
        """
        if not self.is_being_fetched and self.pause > 0:
            raise Unavailable(self.pause, f"{self._name} could not be fetched a moment ago")
        return await self._flight.run(None, self._fetch_and_keep)

    def expire(self) -> None:
        """Let the next request fetch anew, while the old value still serves through an outage."""
        self._fetched_at = min(self._fetched_at, self._monotonic() - self._freshness.tolerated)

    async def _fetch_and_keep(self) -> T:
        try:
            value = await self._fetch()
        except FetchFailed as error:
            detail = str(error)
        except Unavailable as error:
            detail = error.detail
        else:
            self._value, self._fetched_at, self._failures = value, self._monotonic(), 0
            return value
        wait = min(_FIRST_PAUSE * 2.0 ** min(self._failures, 10), _LONGEST_PAUSE)
        self._failures += 1
        self._rests_until = self._monotonic() + wait
        kept = "; the remembered one serves on" if self._value is not None else ""
        logger.warning("%s cannot be fetched: %s%s", self._name, detail, kept)
        raise Unavailable(wait, detail)
