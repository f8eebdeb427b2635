"""The provider's clock: one place that says what time it is.

The pure core never reads it; `now` is an argument there. The offset is zero outside test mode, where `POST /dev/clock`
moves it for every worker through one durable row.
"""

import time
from datetime import UTC, datetime, timedelta

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Wall clock plus an offset."""

    __slots__ = ("offset",)

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC) + self.offset if self.offset else datetime.now(UTC)

    def microseconds(self) -> int:
        """Return the current time in microseconds since 1970: the form in which the stores compare times."""
        return time.time_ns() // 1000 + microseconds(self.offset)


def microseconds(duration: timedelta) -> int:
    """Return a duration in whole microseconds, exactly."""
    return duration // _MICROSECOND


def to_microseconds(moment: datetime) -> int:
    """Turn an aware time into microseconds since 1970.

    Raises:
        TypeError: the time is naive.
    """
    return microseconds(moment - _EPOCH)


def from_microseconds(value: int) -> datetime:
    """Turn microseconds since 1970 into an aware time in UTC."""
    return _EPOCH + timedelta(microseconds=value)
