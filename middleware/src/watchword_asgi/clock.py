"""Two clocks: the wall clock for claims, the monotonic one for caches."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the time comes from; tests bring their own.

    Attributes:
        now: the wall clock, aware UTC. Claims are compared with it.
        monotonic: seconds that never jump. Ages of caches and waits are measured with it.
    """

    now: Callable[[], datetime] = _utc_now
    monotonic: Callable[[], float] = time.monotonic


SYSTEM_CLOCK = Clock()
