"""Sessions: browsers signed in at the provider."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from watchword.clock import from_microseconds
from watchword.database.connection import Reader, Transaction
from watchword.database.records import read_words, write_words
from watchword.database.statement import Statement
from watchword.protocol.interaction import Session
from watchword.protocol.logout import Participant

_FIND = Statement(
    """SELECT session.id, session.account_id, session.auth_time, session.amr, session.seen_at, :now AS read_at
    FROM session JOIN account ON account.id = session.account_id
    WHERE session.token_hash = :token_hash AND session.ended_at IS NULL AND session.expires_at > :now
        AND session.seen_at > :now - :idle AND account.status = 'active'"""
)
_INSERT = Statement(
    """INSERT INTO session
        (id, token_hash, account_id, origin, amr, auth_time, seen_at, expires_at, user_agent, address)
    VALUES (:id, :token_hash, :account_id, :origin, :amr, :now, :now, :now + :lifetime, :user_agent, :address)
    RETURNING auth_time"""
)
# Signing in again on the same account keeps the session and what hangs on it, under a new secret.
_RENEW = Statement(
    """UPDATE session SET token_hash = :token_hash, origin = :origin, amr = :amr, auth_time = :now, seen_at = :now,
        expires_at = :now + :lifetime, user_agent = :user_agent, address = :address
    WHERE id = :id AND account_id = :account_id AND ended_at IS NULL AND origin <> :origin
    RETURNING auth_time"""
)
_TOUCH = Statement("UPDATE session SET seen_at = :now WHERE id = :id AND ended_at IS NULL")
# Its expiry is what housekeeping counts from.
_END = Statement("UPDATE session SET ended_at = :now, expires_at = :now WHERE id = :id AND ended_at IS NULL")
_END_ALL = Statement(
    """UPDATE session SET ended_at = :now, expires_at = :now WHERE account_id = :account_id AND ended_at IS NULL
    RETURNING id"""
)
# The pattern only spares reading the documents of clients that want to hear nothing; the document decides.
_PARTICIPANTS = Statement(
    """SELECT id, document FROM client
    WHERE id IN (SELECT client_id FROM authorization_grant WHERE session_id = :id) AND status = 'active'
        AND document LIKE '%channel_logout_uri"%' ORDER BY id"""
)


async def find(reader: Reader, *, token_hash: bytes, idle: timedelta) -> tuple[Session, datetime] | None:
    """Return the live session of a cookie and when it was last seen. One statement.

    One that was not seen for longer than `idle`, or whose account is disabled, is not live.
    """
    row = await reader.one(_FIND, token_hash=token_hash, idle=idle)
    if row is None:
        return None
    session = Session(
        UUID(row["id"]),
        UUID(row["account_id"]),
        from_microseconds(row["auth_time"]),
        read_words(row["amr"]),
        read_at=from_microseconds(row["read_at"]),
    )
    return session, from_microseconds(row["seen_at"])


async def put(
    transaction: Transaction,
    session_id: UUID,
    *,
    renew: bool,
    token_hash: bytes,
    account_id: UUID,
    origin: bytes,
    amr: tuple[str, ...],
    lifetime: timedelta,
    user_agent: str,
    address: str,
) -> Session | None:
    """Start a session that is over after `lifetime`, or renew one under a new secret. One statement.

    None when the one to renew is over.

    Raises:
        Conflict: the proof it grows from was spent before (`origin`).
    """
    row = await transaction.one(
        _RENEW if renew else _INSERT,
        id=session_id,
        token_hash=token_hash,
        account_id=account_id,
        origin=origin,
        amr=write_words(amr),
        lifetime=lifetime,
        user_agent=user_agent,
        address=address,
    )
    return None if row is None else Session(session_id, account_id, from_microseconds(row["auth_time"]), amr)


async def touch(transaction: Transaction, session_id: UUID) -> None:
    """Note that the browser was here. One statement."""
    await transaction.execute(_TOUCH, id=session_id)


async def end(transaction: Transaction, session_id: UUID) -> bool:
    """End a session. One statement. False when it was over already."""
    return await transaction.execute(_END, id=session_id) == 1


async def end_all(transaction: Transaction, account_id: UUID) -> list[UUID]:
    """End every session of an account, those that are too old to sign in with included. One statement."""
    return [UUID(row["id"]) for row in await transaction.all(_END_ALL, account_id=account_id)]


async def participants(reader: Reader, session_id: UUID) -> list[Participant]:
    """Return the clients that any grant of a session was for and that want to hear of its end. One statement."""
    found = [
        _participant(row["id"], orjson.loads(row["document"])) for row in await reader.all(_PARTICIPANTS, id=session_id)
    ]
    return [client for client in found if client.backchannel_logout_uri or client.frontchannel_logout_uri]


def _participant(client_id: str, document: dict[str, Any]) -> Participant:
    back, front = document.get("backchannel_logout_uri"), document.get("frontchannel_logout_uri")
    return Participant(client_id, document["client_name"], back, front)
