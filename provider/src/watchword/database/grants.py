"""Grants, and the authorization codes they grow from."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from watchword.clock import from_microseconds
from watchword.database.connection import Reader, Row, Transaction
from watchword.database.records import maybe_time, read_words, write_words
from watchword.database.statement import Statement


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What an authorization code stands for. The code itself is known only by its hash."""

    client_id: str
    account_id: UUID
    session_id: UUID
    redirect_uri: str
    code_challenge: str | None
    scope: tuple[str, ...]
    resources: tuple[str, ...]
    nonce: str | None
    auth_time: datetime
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpentCode:
    """What is known about a code that could not be redeemed."""

    client_id: str
    code_challenge: str | None
    redeemed_at: datetime | None
    grant_id: UUID | None


_INSERT_CODE = Statement(
    """INSERT INTO authorization_code (hash, client_id, account_id, session_id, redirect_uri, code_challenge, scope,
        resources, nonce, auth_time, amr, created_at, expires_at)
    VALUES (:hash, :client_id, :account_id, :session_id, :redirect_uri, :code_challenge, :scope, :resources, :nonce,
        :auth_time, :amr, :now, :now + :lifetime)"""
)
# Every condition stands in the one statement, so that a wrong client, redirect URI or verifier consumes nothing.
_REDEEM = Statement(
    """UPDATE authorization_code SET redeemed_at = :now, grant_id = :grant_id
    WHERE hash = :hash AND redeemed_at IS NULL AND expires_at > :now AND client_id = :client_id
        AND redirect_uri = :redirect_uri AND COALESCE(code_challenge, '') = :code_challenge
        AND EXISTS (SELECT 1 FROM session JOIN account ON account.id = session.account_id
            JOIN client ON client.id = authorization_code.client_id
            WHERE session.id = authorization_code.session_id AND session.ended_at IS NULL
                AND account.status = 'active' AND client.status = 'active')
    RETURNING client_id, account_id, session_id, redirect_uri, code_challenge, scope, resources, nonce,
        auth_time, amr"""
)
_SPENT = Statement(
    """SELECT client_id, code_challenge, redeemed_at, grant_id FROM authorization_code
    WHERE hash = :hash"""
)
_FORGET_CODES = Statement(
    """DELETE FROM authorization_code WHERE hash IN
    (SELECT hash FROM authorization_code WHERE expires_at < :now - :kept LIMIT :most)"""
)
_INSERT = Statement(
    """INSERT INTO authorization_grant
        (id, account_id, client_id, session_id, scope, resources, auth_time, amr, created_at)
    VALUES (:id, :account_id, :client_id, :session_id, :scope, :resources, :auth_time, :amr, :now)"""
)
_REVOKE = Statement("UPDATE authorization_grant SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL")
_REVOKE_FAMILIES = Statement("UPDATE refresh_family SET revoked_at = :now WHERE grant_id = :id AND revoked_at IS NULL")
# Not LIKE: its `_` is a wildcard, and SQLite's ignores case.
_REVOKE_OF_SESSION = Statement(
    """UPDATE authorization_grant SET revoked_at = :now WHERE session_id = :session_id AND revoked_at IS NULL
        AND NOT (:spare_offline
            AND REPLACE(' ' || scope || ' ', ' offline_access ', '') <> ' ' || scope || ' ')
    RETURNING id"""
)


async def add_code(transaction: Transaction, code_hash: bytes, code: AuthorizationCode, *, lifetime: timedelta) -> None:
    """Keep an authorization code for its lifetime. One statement."""
    await transaction.execute(
        _INSERT_CODE,
        hash=code_hash,
        client_id=code.client_id,
        account_id=code.account_id,
        session_id=code.session_id,
        redirect_uri=code.redirect_uri,
        code_challenge=code.code_challenge,
        scope=write_words(code.scope),
        resources=write_words(code.resources),
        nonce=code.nonce,
        auth_time=code.auth_time,
        amr=write_words(code.amr),
        lifetime=lifetime,
    )


async def redeem_code(
    transaction: Transaction,
    code_hash: bytes,
    *,
    client_id: str,
    redirect_uri: str,
    code_challenge: str | None,
    grant_id: UUID,
) -> AuthorizationCode | None:
    """Redeem a code: exactly one caller gets it. One statement."""
    row = await transaction.one(
        _REDEEM,
        hash=code_hash,
        client_id=client_id,
        redirect_uri=redirect_uri,
        code_challenge=code_challenge or "",
        grant_id=grant_id,
    )
    return None if row is None else _code(row)


async def find_spent_code(reader: Reader, code_hash: bytes) -> SpentCode | None:
    """Look at a code that could not be redeemed. One statement."""
    row = await reader.one(_SPENT, hash=code_hash)
    if row is None:
        return None
    grant_id = UUID(row["grant_id"]) if row["grant_id"] else None
    return SpentCode(row["client_id"], row["code_challenge"], maybe_time(row["redeemed_at"]), grant_id)


async def forget_codes(transaction: Transaction, *, kept: timedelta, most: int) -> int:
    """Delete up to `most` codes that expired longer than `kept` ago. One statement."""
    return await transaction.execute(_FORGET_CODES, kept=kept, most=most)


async def add(transaction: Transaction, grant_id: UUID, code: AuthorizationCode) -> None:
    """Record what the account let the client do. One statement."""
    await transaction.execute(
        _INSERT,
        id=grant_id,
        account_id=code.account_id,
        client_id=code.client_id,
        session_id=code.session_id,
        scope=write_words(code.scope),
        resources=write_words(code.resources),
        auth_time=code.auth_time,
        amr=write_words(code.amr),
    )


async def revoke(transaction: Transaction, grant_id: UUID) -> bool:
    """End a grant and its refresh tokens. Two statements. False when it was over already."""
    await transaction.execute(_REVOKE_FAMILIES, id=grant_id)
    return await transaction.execute(_REVOKE, id=grant_id) == 1


async def revoke_of_session(transaction: Transaction, session_id: UUID, *, spare_offline: bool) -> int:
    """End the grants of a session, sparing those with `offline_access` when asked; returns how many."""
    rows = await transaction.all(_REVOKE_OF_SESSION, session_id=session_id, spare_offline=spare_offline)
    for row in rows:
        await transaction.execute(_REVOKE_FAMILIES, id=row["id"])
    return len(rows)


def _code(row: Row) -> AuthorizationCode:
    return AuthorizationCode(
        client_id=row["client_id"],
        account_id=UUID(row["account_id"]),
        session_id=UUID(row["session_id"]),
        redirect_uri=row["redirect_uri"],
        code_challenge=row["code_challenge"],
        scope=read_words(row["scope"]),
        resources=read_words(row["resources"]),
        nonce=row["nonce"],
        auth_time=from_microseconds(row["auth_time"]),
        amr=read_words(row["amr"]),
    )
