"""Accounts and their identifiers."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from watchword.clock import from_microseconds
from watchword.database.connection import Reader, Row, Transaction
from watchword.database.records import write_json
from watchword.database.statement import Statement

ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Account:
    """A person's record, as far as signing in asks."""

    id: UUID
    status: str

    @property
    def active(self) -> bool:
        """Whether it may sign in and its tokens work."""
        return self.status == ACTIVE


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What stands behind a live token of an account.

    `known` holds the account's claims, `asked` the grant's claims request as it is written. `signs`: the client may
    want what it is told to be signed.
    """

    known: dict[str, Any] = field(repr=False)
    asked: str | None
    signs: bool


_BY_IDENTIFIER = Statement(
    """SELECT account.id, account.status FROM identifier JOIN account ON account.id = identifier.account_id
    WHERE identifier.kind = :kind AND identifier.value = :value"""
)
_INSERT = Statement(
    """INSERT INTO account (id, status, profile, created_at, updated_at)
    VALUES (:id, 'active', :profile, :now, :now)"""
)
_INSERT_IDENTIFIER = Statement(
    """INSERT INTO identifier (id, account_id, kind, value, display, verified_at, created_at)
    VALUES (:id, :account_id, :kind, :value, :display, :now, :now)"""
)
_SET_STATUS = Statement("UPDATE account SET status = :status, updated_at = :now WHERE id = :id")
_SHOW = Statement("SELECT id, status, profile, created_at FROM account WHERE id = :id")
_IDENTIFIERS = Statement("SELECT kind, value FROM identifier WHERE account_id = :id ORDER BY verified_at")
_KNOWN = """account.profile, account.updated_at,
        (SELECT value FROM identifier WHERE account_id = account.id AND kind = 'email' ORDER BY verified_at LIMIT 1)
            AS email,
        (SELECT value FROM identifier WHERE account_id = account.id AND kind = 'phone' ORDER BY verified_at LIMIT 1)
            AS phone"""
_CLAIMS = Statement(f"SELECT {_KNOWN} FROM account WHERE account.id = :id")  # noqa: S608 - ours
# Status, grant and claims in one joined statement: what /userinfo needs, read fresh each time. Whether the client wants
# its answers signed stands deep in its document: the pattern only spares reading that of all others.
_USERINFO = Statement(
    f"""SELECT {_KNOWN}, authorization_grant.claims AS asked,
        client.document LIKE '%"userinfo_signed_response_alg"%' AS signs
    FROM authorization_grant JOIN account ON account.id = authorization_grant.account_id
    JOIN client ON client.id = authorization_grant.client_id
    WHERE authorization_grant.id = :grant_id AND authorization_grant.revoked_at IS NULL
        AND account.status = 'active' AND client.status = 'active'
        AND NOT EXISTS (SELECT 1 FROM revoked_token WHERE jti = :jti)"""  # noqa: S608 - ours
)


async def find_by_identifier(reader: Reader, *, kind: str, value: str) -> Account | None:
    """Return the account that proved this identifier. One statement."""
    row = await reader.one(_BY_IDENTIFIER, kind=kind, value=value)
    return None if row is None else Account(UUID(row["id"]), row["status"])


async def add(transaction: Transaction, account_id: UUID, *, profile: dict[str, Any]) -> None:
    """Make an account. One statement."""
    await transaction.insert(_INSERT, id=account_id, profile=write_json(profile))


async def add_identifier(
    transaction: Transaction, identifier_id: UUID, account_id: UUID, *, kind: str, value: str, display: str
) -> None:
    """Give an account an identifier it proved. One statement.

    Raises:
        Conflict: the identifier belongs to an account already.
    """
    await transaction.insert(
        _INSERT_IDENTIFIER, id=identifier_id, account_id=account_id, kind=kind, value=value, display=display
    )


async def set_status(transaction: Transaction, account_id: UUID, status: str) -> bool:
    """Disable, enable or mark erased. One statement. False when there is no such account."""
    return await transaction.execute(_SET_STATUS, id=account_id, status=status) == 1


async def identifiers_of(reader: Reader, account_id: UUID) -> list[tuple[str, str]]:
    """Return kind and value of each identifier of an account, the oldest first. One statement."""
    return [(row["kind"], row["value"]) for row in await reader.all(_IDENTIFIERS, id=account_id)]


async def show(reader: Reader, account_id: UUID) -> dict[str, Any] | None:
    """Return an account with its identifiers, for the operator. Two statements."""
    row = await reader.one(_SHOW, id=account_id)
    if row is None:
        return None
    identifiers = [{"kind": kind, "value": value} for kind, value in await identifiers_of(reader, account_id)]
    return {
        "id": row["id"],
        "status": row["status"],
        "created_at": from_microseconds(row["created_at"]).isoformat(),
        "identifiers": identifiers,
        "profile": orjson.loads(row["profile"]),
    }


async def claims_of(reader: Reader, account_id: UUID) -> dict[str, Any]:
    """Return what is known about an account, whatever its status; nothing when there is none. One statement."""
    row = await reader.one(_CLAIMS, id=account_id)
    return {} if row is None else _claims(row)


async def behind_token(reader: Reader, grant_id: str, *, jti: str) -> TokenFacts | None:
    """Return what stands behind a token: grant, account and what is known of it. One statement.

    None when the grant or the account is over, or the token was revoked alone. `grant_id` and `jti` are the token's.
    """
    row = await reader.one(_USERINFO, grant_id=grant_id, jti=jti)
    return None if row is None else TokenFacts(_claims(row), row["asked"], bool(row["signs"]))


def _claims(row: Row) -> dict[str, Any]:
    claims: dict[str, Any] = orjson.loads(row["profile"])
    claims["updated_at"] = row["updated_at"] // 1_000_000
    if row["email"] is not None:
        claims |= {"email": row["email"], "email_verified": True}
    if row["phone"] is not None:
        claims |= {"phone_number": row["phone"], "phone_number_verified": True}
    return claims
