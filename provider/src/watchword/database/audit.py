"""The audit trail: one row an event, written in the transaction that made it happen, and read to be verified."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import Any
from uuid import UUID

from watchword.database.chain import event_mac
from watchword.database.connection import Reader, Row, Transaction
from watchword.database.records import write_json
from watchword.database.statement import Statement

BEFORE_THE_CHAIN = 0
"""The seal of events from before there was a chain; they carry no MAC."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """What verification needs of an event. `genuine`: its MAC is the one that its columns have."""

    id: int
    at: int
    seal: int | None
    mac: bytes
    genuine: bool


_INSERT = Statement(
    """INSERT INTO audit_event
        (name, at, account_id, client_id, session_id, request_id, address, detail, mac_kid, mac)
    VALUES (:name, :at, :account_id, :client_id, :session_id, :request_id, :address, :detail, :mac_kid, :mac)"""
)
_SEALED = Statement(
    """SELECT id, seal, name, at, account_id, client_id, session_id, request_id, address, detail, mac_kid, mac
    FROM audit_event WHERE (seal, id) > (:seal, :id) AND seal <= :last ORDER BY seal, id LIMIT :most"""
)
_UNSEALED = Statement(
    """SELECT id, seal, name, at, account_id, client_id, session_id, request_id, address, detail, mac_kid, mac
    FROM audit_event WHERE seal IS NULL AND id > :id ORDER BY id LIMIT :most"""
)
_COUNT_UNMARKED = Statement("SELECT COUNT(*) AS events FROM audit_event WHERE seal = 0")
_ASTRAY = Statement(
    """SELECT seal, COUNT(*) AS events FROM audit_event
    WHERE (seal < :first AND seal <> 0) OR seal > (SELECT COALESCE(MAX(number), :floor) FROM audit_seal)
    GROUP BY seal ORDER BY seal LIMIT :most"""
)
_FORGET_UNMARKED = Statement(
    """DELETE FROM audit_event WHERE id IN
    (SELECT id FROM audit_event WHERE seal = 0 AND at < :now - :kept ORDER BY id LIMIT :most)"""
)


async def add(
    transaction: Transaction,
    *,
    name: str,
    account_id: UUID | None,
    client_id: str | None,
    session_id: UUID | None,
    request_id: str,
    address: str,
    detail: dict[str, Any],
) -> None:
    """Write one event, marked and not yet sealed. One statement."""
    account = None if account_id is None else str(account_id)
    session = None if session_id is None else str(session_id)
    written = write_json(detail)
    at, mac = transaction.trail.mark(name, account, client_id, session, request_id, address, written)
    await transaction.insert(
        _INSERT,
        name=name,
        at=at,
        account_id=account,
        client_id=client_id,
        session_id=session,
        request_id=request_id,
        address=address,
        detail=written,
        mac_kid=transaction.trail.kid,
        mac=mac,
    )


async def sealed(
    reader: Reader, secrets: Mapping[str, bytes], *, after: tuple[int, int], last: int, most: int
) -> Sequence[StoredEvent]:
    """Return up to `most` events by seal and id, after one of them, up to the seal `last`. One statement."""
    rows = await reader.all(_SEALED, seal=after[0], id=after[1], last=last, most=most)
    return [_stored(row, secrets) for row in rows]


async def unsealed(reader: Reader, secrets: Mapping[str, bytes], *, after: int, most: int) -> Sequence[StoredEvent]:
    """Return up to `most` events that no seal covers yet, in the order of their ids. One statement."""
    return [_stored(row, secrets) for row in await reader.all(_UNSEALED, id=after, most=most)]


async def count_unmarked(reader: Reader) -> int:
    """Count the events from before there was a chain. One statement, over all of them."""
    row = await reader.one(_COUNT_UNMARKED)
    return 0 if row is None else int(row["events"])


async def astray(reader: Reader, *, first: int, most: int) -> Sequence[tuple[int, int]]:
    """Return seals that events name though they lie outside the chain, whose first seal is `first`. One statement."""
    rows = await reader.all(_ASTRAY, first=first, floor=first - 1, most=most)
    return [(row["seal"], row["events"]) for row in rows]


async def forget_unmarked(transaction: Transaction, *, kept: timedelta, most: int) -> int:
    """Delete up to `most` events from before there was a chain and longer than `kept` ago. One statement."""
    return await transaction.execute(_FORGET_UNMARKED, kept=kept, most=most)


def _stored(row: Row, secrets: Mapping[str, bytes]) -> StoredEvent:
    secret, mac = secrets.get(row["mac_kid"]), bytes(row["mac"])
    fields = (
        str(row["at"]), row["mac_kid"], row["name"], row["account_id"], row["client_id"], row["session_id"],
        row["request_id"], row["address"], row["detail"],
    )  # fmt: skip
    genuine = secret is not None and compare_digest(event_mac(secret, fields), mac)
    return StoredEvent(row["id"], row["at"], row["seal"], mac, genuine)
