"""Checking a typed code: counted before it is compared, taken before anything is made of it."""

import asyncio
from collections.abc import Sequence
from typing import NoReturn
from uuid import UUID

from watchword.accounts import Proof
from watchword.events import Caller, record_alone
from watchword.events.catalogue.codes import CodeExhausted, CodeExpired, CodeFailed, LimitExceeded
from watchword.login.budget import charge_guess
from watchword.login.challenge import LONGEST_LIFE, Challenge, challenge_key, read_challenge
from watchword.login.limits import Counted, RateLimited, arrived, charge, guessing, refund
from watchword.login.locks import Locked, lock, lock_key, read_lock
from watchword.login.one_time_code import derive_one_time_code, is_right, tidy
from watchword.protocol.errors import InvalidRequest, ProtocolError
from watchword.services import Services


class CodeMalformed(InvalidRequest):
    """Not a code at all: no guess was charged."""

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

    Four steps of the ephemeral store (read; count the guess against its challenge and its network, which travel
    together; take; forget both counts, and the waits between its sends); one transaction of two statements that counts
    it against the identifier, and one statement more when it fails. All are counted before the comparison. Once the
    guesses are spent the right code is refused like any other, in words that say so.

    Raises:
        CodeMalformed: not the shape of a code; it counts against the network alone.
        CodeIncorrect: wrong; one guess is gone for good.
        CodeGone: nothing live to check against.
        Locked: no guess is left.
        RateLimited: the network's or the identifier's failures are spent; nothing was compared.
        TemporarilyUnavailable: codes are not checked at the moment.
    """
    services.condition.check_codes_allowed()
    challenge = await _live(services, challenge_id, client_id, caller)
    counted = guessing(services, device=challenge.device, address=caller.address)
    try:
        code = tidy(typed, challenge.length, challenge.alphabet)
        if code is None:
            await charge(services, counted)
            raise CodeMalformed(f"Type the {challenge.length} characters of the code.")
        used = await _count(services, challenge, counted, caller)
        guess_id = await _charge_budget(services, challenge, counted)
    except RateLimited as refused:
        await _record_refusal(services, challenge, refused, caller)
        raise
    if not is_right(expected_code(services, challenge), code):
        await _refuse_wrong_guess(services, challenge, used, caller)
    proof = await _take(services, challenge, guess_id, caller)
    given_back = (*counted, *_arrived(services, challenge))
    await asyncio.gather(services.ephemeral.delete(_guesses_key(challenge_id)), refund(services, given_back))
    return proof


def _arrived(services: Services, challenge: Challenge) -> tuple[Counted, ...]:
    return arrived(services, challenge.identifier, challenge.channel, device=challenge.device, sends=challenge.sends)


async def _live(services: Services, challenge_id: str, client_id: str, caller: Caller) -> Challenge:
    """Read the challenge; whoever cannot name one spends nobody's guesses."""
    found, locked = await services.ephemeral.get_all([challenge_key(challenge_id), lock_key(challenge_id)])
    if found is not None:
        return read_challenge(found)
    await record_alone(services.database, CodeExpired(client_id=client_id), caller)
    raise CodeGone if locked is None else read_lock(services, locked)


async def _count(services: Services, challenge: Challenge, counted: Sequence[Counted], caller: Caller) -> int:
    """Count a guess against its network and its challenge; returns how many the challenge has had.

    What the network refuses is given back to the challenge: it is not compared, so no more than the allowed number ever
    are.
    """
    most, key = services.settings.guesses_per_challenge, _guesses_key(challenge.id)
    used, refused = await asyncio.gather(
        services.ephemeral.increment(key, 1, LONGEST_LIFE), charge(services, counted), return_exceptions=True
    )
    if isinstance(used, BaseException):
        if refused is None:
            await refund(services, counted)
        raise used
    if refused is not None:
        await services.ephemeral.increment(key, -1, LONGEST_LIFE)
        raise refused
    if used > most:
        await record_alone(services.database, CodeExpired(client_id=challenge.client_id), caller)
        kept = await services.ephemeral.get(lock_key(challenge.id))
        raise Locked(LONGEST_LIFE) if kept is None else read_lock(services, kept)
    return used


async def _charge_budget(services: Services, challenge: Challenge, counted: Sequence[Counted]) -> UUID:
    """Count a guess against the identifier, for good; a refusal gives the network its share back."""
    try:
        return await charge_guess(services, challenge)
    except RateLimited:
        await refund(services, counted)
        raise


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
    left = services.settings.guesses_per_challenge - used
    masked = challenge.identifier.masked
    if left > 0:
        failed = CodeFailed(client_id=challenge.client_id, identifier=masked, guesses_left=left)
        await record_alone(services.database, failed, caller)
        raise CodeIncorrect(left)
    await lock(services, challenge.id)
    await services.ephemeral.delete(challenge.key)
    await record_alone(services.database, CodeExhausted(client_id=challenge.client_id, identifier=masked), caller)
    raise Locked(LONGEST_LIFE)


async def _record_refusal(services: Services, challenge: Challenge, refused: RateLimited, caller: Caller) -> None:
    event = LimitExceeded(
        client_id=challenge.client_id,
        limit=refused.limit,
        scope=refused.scope.value,
        identifier=challenge.identifier.masked,
    )
    await record_alone(services.database, event, caller)


async def _take(services: Services, challenge: Challenge, guess_id: UUID, caller: Caller) -> Proof:
    """Spend the challenge: of any number of right answers exactly one gets here with it in hand."""
    taken = await services.ephemeral.take(challenge.key)
    if taken is None or read_challenge(taken).seed != challenge.seed:
        await record_alone(services.database, CodeExpired(client_id=challenge.client_id), caller)
        raise CodeGone
    return Proof(challenge.identifier, challenge.channel, challenge.origin, guess_id)
