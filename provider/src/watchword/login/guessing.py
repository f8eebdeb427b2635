"""Checking a typed code: charged before it is compared, taken before anything is made of it."""

from typing import NoReturn

from watchword.accounts import Proof
from watchword.events import Caller, record_alone
from watchword.events.catalogue import CodeExhausted, CodeExpired, CodeFailed
from watchword.login.challenge import LONGEST_LIFE, MOST_GUESSES, Challenge, challenge_key, read_challenge
from watchword.login.locks import Locked, lock, lock_left
from watchword.login.one_time_code import derive_one_time_code, is_right, tidy
from watchword.protocol.errors import InvalidRequest, ProtocolError
from watchword.services import Services


class CodeMalformed(InvalidRequest):
    """Not a code at all: nothing was charged."""

    error = "otp_malformed"


class CodeIncorrect(ProtocolError):
    """A wrong code. `guesses_left` remain."""

    error = "otp_incorrect"

    def __init__(self, guesses_left: int) -> None:
        self.guesses_left = guesses_left
        super().__init__("That code is not right.")


class CodeGone(ProtocolError):
    """The challenge is expired, spent, or another browser's: the three are told apart to nobody."""

    error = "otp_expired"

    def __init__(self) -> None:
        super().__init__("That code has expired. Ask for a new one.")


async def verify_code(services: Services, challenge_id: str, typed: str, *, client_id: str, caller: Caller) -> Proof:
    """Turn a typed code into a proof. `challenge_id` could only be computed with the browser's binding.

    Four steps of the ephemeral store (read, charge, take, and forget the count); one statement more when it fails.
    Once the guesses are spent the right code is refused like any other, in words that say so.

    Raises:
        CodeMalformed: not the shape of a code; no guess is charged.
        CodeIncorrect: wrong; one guess is gone for good.
        CodeGone: nothing live to check against.
        Locked: no guess is left.
    """
    stored = await services.ephemeral.get(challenge_key(challenge_id))
    if stored is None:
        await record_alone(services.database, CodeExpired(client_id=client_id), caller)
        left = await lock_left(services, challenge_id)
        raise CodeGone if left is None else Locked(left)
    challenge = read_challenge(stored)
    digits = tidy(typed, challenge.length)
    if digits is None:
        raise CodeMalformed(f"Type the {challenge.length} digits of the code.")
    used = await services.ephemeral.increment(_guesses_key(challenge_id), 1, LONGEST_LIFE)
    if used > MOST_GUESSES:
        await record_alone(services.database, CodeExpired(client_id=client_id), caller)
        raise Locked(await lock_left(services, challenge_id) or LONGEST_LIFE)
    if not is_right(expected_code(services, challenge), digits):
        await _refuse_wrong_guess(services, challenge, used, caller)
    return await _take(services, challenge, caller)


def expected_code(services: Services, challenge: Challenge) -> str:
    """Return the code of a challenge: derived, or fixed for a test identifier (test mode only)."""
    fixed = services.settings.test_identifiers.get(challenge.identifier.value)
    if fixed is not None:
        return fixed
    root = services.roots.by_kid(challenge.pepper_kid)
    if root is None:
        raise CodeGone  # the secret key rotated twice while the code lived
    return derive_one_time_code(root.pepper, challenge, issuer=services.issuer)


def _guesses_key(challenge_id: str) -> str:
    """Return where the store counts the guesses of a challenge, over all its seeds."""
    return f"guesses:{challenge_id}"


async def _refuse_wrong_guess(services: Services, challenge: Challenge, used: int, caller: Caller) -> NoReturn:
    left = MOST_GUESSES - used
    masked = challenge.identifier.masked
    if left > 0:
        failed = CodeFailed(client_id=challenge.client_id, identifier=masked, guesses_left=left)
        await record_alone(services.database, failed, caller)
        raise CodeIncorrect(left)
    await lock(services, challenge.id)
    await services.ephemeral.delete(challenge.key)
    await record_alone(services.database, CodeExhausted(client_id=challenge.client_id, identifier=masked), caller)
    raise Locked(LONGEST_LIFE)


async def _take(services: Services, challenge: Challenge, caller: Caller) -> Proof:
    """Spend the challenge: of any number of right answers exactly one gets here with it in hand."""
    taken = await services.ephemeral.take(challenge.key)
    if taken is None or read_challenge(taken).seed != challenge.seed:
        await record_alone(services.database, CodeExpired(client_id=challenge.client_id), caller)
        raise CodeGone
    await services.ephemeral.delete(_guesses_key(challenge.id))
    return Proof(challenge.identifier, challenge.channel, challenge.origin)
