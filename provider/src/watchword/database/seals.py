"""Seals over the audit trail: making the next one, reading the chain, and deleting its oldest part."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from watchword.database.connection import Reader, Row, Transaction
from watchword.database.statement import Statement


@dataclass(frozen=True, slots=True)
class Seal:
    """A link of the chain: how many events it covers, the hash of the seal before it, and its own."""

    number: int
    events: int
    previous: bytes
    hash: bytes
    mac_kid: str
    sealed_at: int


@dataclass(frozen=True, slots=True)
class Floor:
    """Where the chain begins: the last seal that was deleted (0: none) with its hash.

    `unmarked` is how many events there were when the chain began; those carry no MAC.
    """

    number: int
    hash: bytes
    unmarked: int
    mac_kid: str
    mac: bytes


_WAITING = Statement("SELECT 1 AS waiting FROM audit_event WHERE seal IS NULL LIMIT 1")
# On PostgreSQL rows commit out of the order of their ids: what this statement sees is what the seal covers.
_CLAIM = Statement(
    """UPDATE audit_event SET seal = :number WHERE seal IS NULL AND id IN
        (SELECT id FROM audit_event WHERE seal IS NULL ORDER BY id LIMIT :most)
    RETURNING id, mac"""
)
_INSERT = Statement(
    """INSERT INTO audit_seal (number, events, previous, hash, mac_kid, sealed_at)
    VALUES (:number, :events, :previous, :hash, :mac_kid, :sealed_at)"""
)
_NEWEST = Statement(
    "SELECT number, events, previous, hash, mac_kid, sealed_at FROM audit_seal ORDER BY number DESC LIMIT 1"
)
_CHAIN = Statement(
    """SELECT number, events, previous, hash, mac_kid, sealed_at FROM audit_seal
    WHERE number > :after AND number <= :last ORDER BY number LIMIT :most"""
)
_COVERED = Statement("SELECT id, mac FROM audit_event WHERE seal = :number ORDER BY id")
_BELOW = Statement("SELECT COUNT(*) AS seals FROM audit_seal WHERE number <= :floor")
_FLOOR = Statement("SELECT number, hash, unmarked, mac_kid, mac FROM audit_floor WHERE id = 1")
# Whoever moves the floor has its row to itself: of two that began at the same floor, one would move it back.
_LOCK_FLOOR = Statement("UPDATE audit_floor SET number = number WHERE id = 1")
_LAY_FLOOR = Statement(
    """INSERT INTO audit_floor (id, number, hash, unmarked, mac_kid, mac)
    VALUES (1, :number, :hash, :unmarked, :mac_kid, :mac)
    ON CONFLICT (id) DO UPDATE SET number = excluded.number, hash = excluded.hash, unmarked = excluded.unmarked,
        mac_kid = excluded.mac_kid, mac = excluded.mac"""
)
_OLDEST = Statement(
    """SELECT number, events, previous, hash, mac_kid, sealed_at FROM audit_seal
    WHERE number = :number AND sealed_at < :now - :kept"""
)
_FORGET_EVENTS = Statement("DELETE FROM audit_event WHERE seal = :number")
_FORGET = Statement("DELETE FROM audit_seal WHERE number = :number")


async def is_waiting(reader: Reader) -> bool:
    """Say whether an event is not sealed yet. One statement."""
    return await reader.one(_WAITING) is not None


async def claim(transaction: Transaction, number: int, *, most: int) -> Sequence[tuple[int, bytes]]:
    """Give up to `most` unsealed events to a seal; returns id and MAC of each, in the order of ids. One statement."""
    rows = await transaction.all(_CLAIM, number=number, most=most)
    return sorted((row["id"], bytes(row["mac"])) for row in rows)


async def add(transaction: Transaction, seal: Seal) -> None:
    """Keep a seal. One statement.

    Raises:
        Conflict: another worker made the seal of this number.
    """
    await transaction.execute(
        _INSERT,
        number=seal.number,
        events=seal.events,
        previous=seal.previous,
        hash=seal.hash,
        mac_kid=seal.mac_kid,
        sealed_at=seal.sealed_at,
    )


async def newest(reader: Reader) -> Seal | None:
    """Return the head of the chain. One statement."""
    row = await reader.one(_NEWEST)
    return None if row is None else _seal(row)


async def chain(reader: Reader, *, after: int, last: int, most: int) -> Sequence[Seal]:
    """Return up to `most` seals by number, above `after` and up to `last`. One statement."""
    return [_seal(row) for row in await reader.all(_CHAIN, after=after, last=last, most=most)]


async def count_below(reader: Reader, floor: int) -> int:
    """Count the seals that should be deleted. One statement."""
    row = await reader.one(_BELOW, floor=floor)
    return 0 if row is None else int(row["seals"])


async def floor(reader: Reader) -> Floor | None:
    """Return where the chain begins; None before the first seal. One statement."""
    row = await reader.one(_FLOOR)
    if row is None:
        return None
    return Floor(row["number"], bytes(row["hash"]), row["unmarked"], row["mac_kid"], bytes(row["mac"]))


async def lock_floor(transaction: Transaction) -> None:
    """Let nobody else move the floor until the transaction ends. One statement."""
    await transaction.execute(_LOCK_FLOOR)


async def lay_floor(transaction: Transaction, floor: Floor) -> None:
    """Say where the chain begins. One statement."""
    await transaction.execute(
        _LAY_FLOOR,
        number=floor.number,
        hash=floor.hash,
        unmarked=floor.unmarked,
        mac_kid=floor.mac_kid,
        mac=floor.mac,
    )


async def find_old(reader: Reader, number: int, *, kept: timedelta) -> Seal | None:
    """Return a seal if it is older than `kept`. One statement."""
    row = await reader.one(_OLDEST, number=number, kept=kept)
    return None if row is None else _seal(row)


async def covered(reader: Reader, number: int) -> Sequence[tuple[int, bytes]]:
    """Return id and MAC of each event of a seal, in the order of ids. One statement."""
    return [(row["id"], bytes(row["mac"])) for row in await reader.all(_COVERED, number=number)]


async def forget(transaction: Transaction, number: int) -> int:
    """Delete a seal and its events; returns how many. Two statements."""
    events = await transaction.execute(_FORGET_EVENTS, number=number)
    await transaction.execute(_FORGET, number=number)
    return events


def _seal(row: Row) -> Seal:
    return Seal(
        row["number"], row["events"], bytes(row["previous"]), bytes(row["hash"]), row["mac_kid"], row["sealed_at"]
    )
