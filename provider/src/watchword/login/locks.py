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
    await services.ephemeral.put(lock_key(challenge_id), str(until).encode(), LONGEST_LIFE)


def read_lock(services: Services, kept: bytes) -> Locked:
    """Return the refusal that a lock is."""
    return Locked(max(from_microseconds(int(kept)) - services.clock.now(), timedelta(seconds=1)))


def lock_key(challenge_id: str) -> str:
    """Return where the ephemeral store keeps the lock of a challenge."""
    return f"locked:{challenge_id}"
