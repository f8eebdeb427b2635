"""Locks: no code for an identifier in a browser whose guesses are spent, until the count of them is forgotten."""

from datetime import timedelta

from watchword.clock import from_microseconds, to_microseconds
from watchword.login.challenge import LONGEST_LIFE
from watchword.protocol.errors import ProtocolError
from watchword.services import Services


class Locked(ProtocolError):
    """Too many wrong codes; `retry_after` says when a new one may be asked for."""

    error = "otp_locked"
    status = 429

    def __init__(self, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__("Too many wrong codes. Wait before asking for another.")


async def lock(services: Services, challenge_id: str) -> None:
    """Note that a challenge's guesses are spent. One step of the ephemeral store."""
    until = to_microseconds(services.clock.now() + LONGEST_LIFE)
    await services.ephemeral.put(_key(challenge_id), str(until).encode(), LONGEST_LIFE)


async def lock_left(services: Services, challenge_id: str) -> timedelta | None:
    """Return how long a lock still holds; None when there is none. One step of the ephemeral store."""
    until = await services.ephemeral.get(_key(challenge_id))
    if until is None:
        return None
    return max(from_microseconds(int(until)) - services.clock.now(), timedelta(seconds=1))


def _key(challenge_id: str) -> str:
    return f"locked:{challenge_id}"
