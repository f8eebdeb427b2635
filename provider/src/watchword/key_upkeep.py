"""The upkeep of signing keys: what workers and an operator's command do about them, and that it is recorded."""

from collections.abc import Sequence
from datetime import timedelta

from watchword.database import Transaction
from watchword.database import keys as stored
from watchword.database.keys import KeyAge
from watchword.events import Caller, record
from watchword.events.catalogue.operation import KeyMade, KeyRetired, KeyRotated
from watchword.keys import UndecipherableKey, WeakKey, rotation
from watchword.keys.keyring import KEY_ALGORITHMS
from watchword.keys.making import new_signing_keys
from watchword.keys.rotation import AHEAD, Awaited, KeyRefused, Rotated, Schedule, Turn, is_awaited, without_next
from watchword.protocol.vocabulary import SigningAlgorithm
from watchword.services import Services
from watchword.telemetry import get_logger

log = get_logger(__name__)


async def rotate_keys(services: Services) -> None:
    """Publish the next signing keys where they are missing, rotate those that are due, withdraw what is over.

    One statement when there is nothing to do.
    """
    keys = await stored.ages(services.database)
    schedule = Schedule(services.settings.key_lifetime)
    if missing := without_next(keys):
        await _publish_next(services, missing)
    if due := [key for key in keys if schedule.is_due(key, keys)]:
        await _rotate(services, due, used=schedule.lifetime, published=schedule.ahead)
    elif due := [key for key in keys if is_awaited(key, keys)]:
        await _rotate(services, due, used=timedelta(0), published=AHEAD)
    if any(schedule.is_over(key) for key in keys):
        await services.database.transaction(lambda transaction: _withdraw(transaction, schedule))


async def _publish_next(services: Services, algorithms: Sequence[SigningAlgorithm]) -> None:
    fresh = await new_signing_keys(algorithms, services.roots, rsa_bits=services.settings.rsa_bits)

    async def work(transaction: Transaction) -> None:
        for key in await rotation.publish_next(transaction, fresh):
            await record(transaction, KeyMade(kid=key.kid, algorithm=key.algorithm, state=key.state), Caller())

    await services.database.transaction(work)


async def _rotate(services: Services, due: Sequence[KeyAge], *, used: timedelta, published: timedelta) -> None:
    algorithms = [name for name in KEY_ALGORITHMS if name in {key.algorithm for key in due}]
    fresh = await new_signing_keys(algorithms, services.roots, rsa_bits=services.settings.rsa_bits)
    following = {key.algorithm: key for key in fresh}
    turns = [Turn(key, following[key.algorithm]) for key in due]
    try:
        rotated = await services.database.transaction(
            lambda transaction: rotate_and_tell(transaction, turns, used=used, published=published, caller=Caller())
        )
    except KeyRefused as refused:  # an operator was faster
        log.info("keys were not rotated", problem=str(refused))
        return
    for turn in rotated:
        log.info("a signing key was rotated", algorithm=turn.algorithm, kid=turn.kid)


async def rotate_and_tell(
    transaction: Transaction, turns: Sequence[Turn], *, used: timedelta, published: timedelta, caller: Caller
) -> Sequence[Rotated]:
    """Rotate keys (`keys.rotation.rotate`) and record it.

    Raises:
        KeyRefused: one of them cannot be rotated; nothing was.
    """
    rotated = await rotation.rotate(transaction, turns, used=used, published=published)
    await tell_rotation(transaction, rotated, caller)
    return rotated


async def tell_rotation(transaction: Transaction, turns: Sequence[Rotated | Awaited], caller: Caller) -> None:
    """Record rotations, those that were, and keys that were made for them. Two statements for each at most."""
    for turn in turns:
        if turn.made is not None:
            made = KeyMade(kid=turn.made.kid, algorithm=turn.algorithm, state=turn.made.state)
            await record(transaction, made, caller)
        if isinstance(turn, Rotated):
            happened = KeyRotated(kid=turn.kid, algorithm=turn.algorithm, retiring=turn.retiring)
            await record(transaction, happened, caller)


async def _withdraw(transaction: Transaction, schedule: Schedule) -> None:
    for kid, algorithm in await rotation.withdraw(transaction, schedule):
        await record(transaction, KeyRetired(kid=kid, algorithm=algorithm), Caller())


async def follow_keys(services: Services) -> None:
    """Notice that signing keys changed. One statement; a change that cannot be followed leaves the keys as they are."""
    try:
        if await services.keys.follow(services.database, services.roots):
            log.info("the signing keys changed", revision=services.keyring.revision)
    except (UndecipherableKey, WeakKey) as problem:
        log.warning("the signing keys changed, and this worker goes on with those it has", problem=str(problem))
