"""A circuit breaker: where waiting has been in vain five times in a row, nobody waits for the next five seconds."""

ERRORS_IN_A_ROW = 5
PAUSE_SECONDS = 5.0


class Breaker:
    """Counts what fails in a row. Times are seconds of any clock that never goes back."""

    __slots__ = ("_failures", "_retry_at")

    def __init__(self) -> None:
        self._failures, self._retry_at = 0, 0.0

    def admits(self, now: float) -> bool:
        """Whether to try. After a pause one caller is told to, and the others are when that went well."""
        if self._failures < ERRORS_IN_A_ROW:
            return True
        if now < self._retry_at:
            return False
        self._retry_at = now + PAUSE_SECONDS
        return True

    def failed(self, now: float) -> None:
        """Count an error."""
        self._failures += 1
        self._retry_at = now + PAUSE_SECONDS

    def succeeded(self) -> None:
        """Forget the errors before."""
        self._failures = 0
