"""Grants, and the authorization codes they grow from."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from watchword.clock import from_microseconds
from watchword.database.connection import Reader, Row, Transaction
from watchword.database.records import read_words, write_words
from watchword.database.statement import Statement
from watchword.protocol.digests import fingerprint


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What an authorization code stands for. The code itself is known only by its hash.

    `claims` is the claims request as `protocol.claims_request` writes it, None when nothing was asked for.
    """

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
    claims: str | None = None


@dataclass(frozen=True, slots=True)
class SpentCode:
    """What is known about a code that was redeemed: the grant it became, and the fingerprint of its challenge.

    Both times are the store's: `read_at` is when it was looked for.
    """

    client_id: str
    bound_to: bytes | None
    redeemed_at: datetime
    read_at: datetime
    grant_id: UUID


_INSERT_CODE = Statement(
    """INSERT INTO authorization_code (hash, client_id, account_id, session_id, redirect_uri, code_challenge, scope,
        resources, claims, nonce, auth_time, amr, expires_at)
    VALUES (:hash, :client_id, :account_id, :session_id, :redirect_uri, :code_challenge, :scope, :resources, :claims,
        :nonce, :auth_time, :amr, :now + :lifetime)"""
)
# Every condition stands in the one statement, so that a wrong client, redirect URI or verifier consumes nothing. A
# consent may be taken back at the moment at which a code is issued on it, so it is looked for too. The lock lets who
# ends the session wait, and then see the grant: one that nobody sees would outlive the sign-out.
_REDEEM = Statement(
    """DELETE FROM authorization_code
    WHERE hash = :hash AND expires_at > :now AND client_id = :client_id
        AND redirect_uri = :redirect_uri AND COALESCE(code_challenge, '') = :code_challenge
        AND EXISTS (SELECT 1 FROM session JOIN account ON account.id = session.account_id
            JOIN client ON client.id = authorization_code.client_id
            WHERE session.id = authorization_code.session_id AND session.ended_at IS NULL
                AND account.status = 'active' AND client.status = 'active'
                AND (client.first_party = TRUE OR EXISTS (SELECT 1 FROM consent
                    WHERE consent.account_id = account.id AND consent.client_id = client.id))
            /* postgresql: FOR SHARE OF session */)
    RETURNING client_id, account_id, session_id, redirect_uri, code_challenge, scope, resources, claims, nonce,
        auth_time, amr"""
)
_SPENT = Statement(
    """SELECT id, client_id, bound_to, created_at, :now AS read_at FROM authorization_grant WHERE origin = :hash"""
)
_INSERT = Statement(
    """INSERT INTO authorization_grant (id, account_id, client_id, session_id, origin, bound_to, scope,
        resources, claims, auth_time, amr, created_at)
    VALUES (:id, :account_id, :client_id, :session_id, :origin, :bound_to, :scope, :resources, :claims,
        :auth_time, :amr, :now)"""
)
_AMR_WHILE_LIVE = Statement(
    """SELECT g.amr FROM authorization_grant g JOIN account ON account.id = g.account_id
    JOIN client ON client.id = g.client_id
    WHERE g.id = :id AND g.revoked_at IS NULL AND account.status = 'active' AND client.status = 'active'
        AND NOT EXISTS (SELECT 1 FROM revoked_token WHERE jti = :jti)"""
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
    await transaction.insert(
        _INSERT_CODE,
        hash=code_hash,
        client_id=code.client_id,
        account_id=code.account_id,
        session_id=code.session_id,
        redirect_uri=code.redirect_uri,
        code_challenge=code.code_challenge,
        scope=write_words(code.scope),
        resources=write_words(code.resources),
        claims=code.claims,
        nonce=code.nonce,
        auth_time=code.auth_time,
        amr=write_words(code.amr),
        lifetime=lifetime,
    )


async def redeem_code(
    transaction: Transaction, code_hash: bytes, *, client_id: str, redirect_uri: str, code_challenge: str | None
) -> AuthorizationCode | None:
    """Redeem a code: exactly one caller gets it, and makes a grant of it in the same transaction. One statement."""
    row = await transaction.one(
        _REDEEM, hash=code_hash, client_id=client_id, redirect_uri=redirect_uri, code_challenge=code_challenge or ""
    )
    return None if row is None else _code(row)


async def find_spent_code(reader: Reader, code_hash: bytes) -> SpentCode | None:
    """Look for the grant that a code became, for as long as that is kept. One statement."""
    row = await reader.one(_SPENT, hash=code_hash)
    if row is None:
        return None
    return SpentCode(
        client_id=row["client_id"],
        bound_to=row["bound_to"],
        redeemed_at=from_microseconds(row["created_at"]),
        read_at=from_microseconds(row["read_at"]),
        grant_id=UUID(row["id"]),
    )


async def add(transaction: Transaction, grant_id: UUID, code: AuthorizationCode, *, code_hash: bytes) -> None:
    """Record what the account let the client do, and by which code. One statement.

    Raises:
        Conflict: the code became a grant before.
    """
    await transaction.insert(
        _INSERT,
        id=grant_id,
        account_id=code.account_id,
        client_id=code.client_id,
        session_id=code.session_id,
        origin=code_hash,
        bound_to=code.code_challenge and fingerprint(code.code_challenge),
        scope=write_words(code.scope),
        resources=write_words(code.resources),
        claims=code.claims,
        auth_time=code.auth_time,
        amr=write_words(code.amr),
    )


async def amr_while_live(reader: Reader, grant_id: str, *, jti: str) -> tuple[str, ...] | None:
    """Return how the person of a token's grant signed in. One statement.

    None when grant, account or client is over, or the token was revoked alone. `grant_id` and `jti` are the token's.
    """
    row = await reader.one(_AMR_WHILE_LIVE, id=grant_id, jti=jti)
    return None if row is None else read_words(row["amr"])


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
        claims=row["claims"],
    )
