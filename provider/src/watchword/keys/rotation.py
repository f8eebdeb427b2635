"""Rotation: `next` becomes `active`, `active` becomes `retiring`, and in the end `retired`; or a key is revoked.

A key is published before it signs, so whoever keeps our key set for as long as it may has it by then. Each function
that takes a transaction begins with the store's turn for keys, so one of them runs at a time; their conditions stand
inside their statements nevertheless. Ages are those of the store's clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from watchword.database import Transaction
from watchword.database import keys as stored
from watchword.database.keys import KeyAge, StoredSigningKey
from watchword.keys.keyring import ACTIVE, KEY_ALGORITHMS, NEXT, RETIRING
from watchword.protocol.vocabulary import SigningAlgorithm

CACHED = timedelta(minutes=5)
"""How long anybody may keep our key set: what `/jwks` says."""
NOTICED = timedelta(seconds=5)
"""Within this every worker publishes a new key."""
AHEAD = CACHED + NOTICED
"""How long a key is published before a rotation by hand: everybody who asks has it then."""
_LONGEST_TOKEN = timedelta(hours=1)  # the most that settings allow
_DAY = timedelta(days=1)


class KeyRefused(Exception):
    """Something asked for with a key cannot be done. `str()` says why in one line."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long keys stay in each state when each signs for `lifetime`.

    A day of margin on both sides, and less where keys live less than two days: so no more than four keys of an
    algorithm are published at a time, which leaves those who read no more than twenty room enough.
    """

    lifetime: timedelta

    @property
    def ahead(self) -> timedelta:
        """How long a key is published before it signs."""
        return min(_DAY, self.lifetime / 2)

    @property
    def after(self) -> timedelta:
        """How long a key is published after it signed last: until no token of its lives, and that margin."""
        return _LONGEST_TOKEN + min(_DAY, self.lifetime / 2)

    def is_due(self, key: KeyAge, keys: Iterable[KeyAge]) -> bool:
        """Say whether a key has signed for long enough and its successor is known everywhere."""
        following = _following(key, keys)
        return following is not None and key.age >= self.lifetime and following.age >= self.ahead

    def is_over(self, key: KeyAge) -> bool:
        """Say whether a key need not be published any more."""
        return key.state == RETIRING and key.age >= self.after


def is_awaited(key: KeyAge, keys: Iterable[KeyAge]) -> bool:
    """Say whether an operator wants the successor of a key, and everybody knows it by now."""
    following = _following(key, keys)
    return following is not None and following.wanted and following.age >= AHEAD


def _following(key: KeyAge, keys: Iterable[KeyAge]) -> KeyAge | None:
    if key.state != ACTIVE:
        return None
    return next((each for each in keys if each.algorithm == key.algorithm and each.state == NEXT), None)


@dataclass(frozen=True, slots=True)
class Turn:
    """One rotation to be: the key that signs, and a new one that will be published for the rotation after."""

    active: KeyAge
    fresh: StoredSigningKey


@dataclass(frozen=True, slots=True)
class Rotated:
    """One rotation that was: which key signs, which one did, and the new one if it found a place."""

    algorithm: str
    kid: str
    retiring: str
    made: StoredSigningKey | None


@dataclass(frozen=True, slots=True)
class Awaited:
    """A rotation that will be, once everybody knows the key: which one will sign, and the longest it takes."""

    algorithm: str
    kid: str
    wait: timedelta
    made: StoredSigningKey | None


@dataclass(frozen=True, slots=True)
class Revoked:
    """A revocation: which key signs in place of the revoked one, if that signed; whether the new key was published."""

    algorithm: str
    successor: str | None
    published: bool


def without_next(keys: Iterable[KeyAge]) -> list[SigningAlgorithm]:
    """Return the algorithms whose next key is not published."""
    present = {key.algorithm for key in keys if key.state == NEXT}
    return [name for name in KEY_ALGORITHMS if name not in present]


async def rotate(
    transaction: Transaction, turns: Sequence[Turn], *, used: timedelta, published: timedelta
) -> list[Rotated]:
    """Rotate keys, all of them or none. Four statements for each, and one.

    Args:
        transaction: is undone by a refusal.
        turns: which keys, as they were seen before. One that signs no more was rotated by somebody else.
        used: how long each has signed at least.
        published: how long its successor has been published at least; zero takes the new key where there is none.

    Raises:
        KeyRefused: saying which key cannot be rotated, and why.
    """
    await stored.take_turn(transaction)
    return [await _rotate(transaction, turn, used, published) for turn in turns]


async def _rotate(transaction: Transaction, turn: Turn, used: timedelta, published: timedelta) -> Rotated:
    key = turn.active
    at_once = not published and await stored.add_signing_key(transaction, turn.fresh)
    if not await stored.retire(transaction, key.kid, used=used, published=published):
        raise KeyRefused(await _why_not(transaction, key, published))
    successor = await stored.promote(transaction, key.algorithm)
    if successor is None:
        raise KeyRefused(f"{key.algorithm} has no key to follow {key.kid}.")
    added = at_once or await stored.add_signing_key(transaction, turn.fresh)
    return Rotated(key.algorithm, successor, key.kid, turn.fresh if added else None)


async def rotate_when_known(transaction: Transaction, turns: Sequence[Turn]) -> list[Rotated | Awaited]:
    """Rotate keys whose successors everybody knows; the others rotate as soon as that is so. Five statements for each.

    Raises:
        KeyRefused: a key was rotated by somebody else just now.
    """
    await stored.take_turn(transaction)
    return [await _rotate_when_known(transaction, turn) for turn in turns]


async def _rotate_when_known(transaction: Transaction, turn: Turn) -> Rotated | Awaited:
    key = turn.active
    if await stored.retire(transaction, key.kid, used=timedelta(0), published=AHEAD):
        successor = await stored.promote(transaction, key.algorithm)
        assert successor is not None  # it stands in the condition above, and the turn is ours
        added = await stored.add_signing_key(transaction, turn.fresh)
        return Rotated(key.algorithm, successor, key.kid, turn.fresh if added else None)
    added = await stored.add_signing_key(transaction, turn.fresh)  # where there was none
    wanted = await stored.want(transaction, key.algorithm, active=key.kid)
    if wanted is None:
        raise KeyRefused(await _why_not(transaction, key, AHEAD))
    return Awaited(key.algorithm, wanted.kid, AHEAD - wanted.age, turn.fresh if added else None)


async def _why_not(transaction: Transaction, key: KeyAge, published: timedelta) -> str:
    keys = await stored.ages(transaction)
    if not any(each.kid == key.kid and each.state == ACTIVE for each in keys):
        return f"the key {key.kid} of {key.algorithm} was rotated by somebody else just now."
    following = [each for each in keys if each.algorithm == key.algorithm and each.state == NEXT]
    if not following:
        return f"{key.algorithm} has no next key yet. A running provider publishes one within seconds."
    seconds = (published - following[0].age).total_seconds()
    return (
        f"the next key of {key.algorithm} is published for {following[0].age.total_seconds():.0f} s, and some who keep "
        f"the key set may not know it yet. Wait {max(seconds, 1):.0f} s, or rotate with --now all the same."
    )


async def publish_next(transaction: Transaction, keys: Iterable[StoredSigningKey]) -> list[StoredSigningKey]:
    """Publish keys for the algorithms that have no next one; returns those. One statement for each, and one."""
    await stored.take_turn(transaction)
    return [key for key in keys if await stored.add_signing_key(transaction, key)]


async def withdraw(transaction: Transaction, schedule: Schedule) -> list[tuple[str, str]]:
    """Publish no more what need not be; returns kids and algorithms. Two statements."""
    await stored.take_turn(transaction)
    return await stored.withdraw(transaction, kept=schedule.after)


async def revoke(transaction: Transaction, kid: str, fresh: StoredSigningKey) -> Revoked:
    """Let a key verify nothing any more, at once; if it signed, its successor does. Five statements.

    `fresh` is a new key of its algorithm, which takes the place that becomes free.

    Raises:
        KeyRefused: there is no such key, or it is revoked.
    """
    await stored.take_turn(transaction)
    algorithm = await stored.revoke(transaction, kid)
    if algorithm is None:
        raise KeyRefused(f"there is no key {kid} that is not revoked. `watchword keys list` shows them.")
    before = await stored.add_signing_key(transaction, fresh)
    successor = await stored.promote(transaction, algorithm)
    after = await stored.add_signing_key(transaction, fresh)
    return Revoked(algorithm, successor, before or after)


async def take_in(transaction: Transaction, key: StoredSigningKey) -> None:
    """Keep a key that was made elsewhere: as the next of its algorithm, in place of ours, or to verify alone.

    The next key of ours that makes room has signed nothing. Four statements.

    Raises:
        KeyRefused: there is a key of that name.
    """
    await stored.take_turn(transaction)
    there = await stored.find(transaction, key.kid)
    if there is not None:
        raise KeyRefused(f"there is a key named {key.kid}, which is {there.state}.")
    if key.state == NEXT:
        await stored.remove_next(transaction, key.algorithm)
    if not await stored.add_signing_key(transaction, key):
        raise KeyRefused(f"the key {key.kid} found no place.")
