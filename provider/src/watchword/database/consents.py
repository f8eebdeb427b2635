"""Consent: what a person allowed a client, remembered per account, client and resource."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from watchword.clock import from_microseconds
from watchword.database.connection import Reader, Transaction
from watchword.database.records import read_words, write_words
from watchword.database.statement import Statement
from watchword.protocol.interaction import Consent


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """What an account allowed one client at one resource, and when it did so last."""

    client_id: str
    resource: str
    words: tuple[str, ...]
    granted_at: datetime


_FIND = Statement("SELECT resource, scope FROM consent WHERE account_id = :account_id AND client_id = :client_id")
# Who adds to a yes waits for who takes it back, and the other way round: nothing that was taken back returns, and what
# was added meanwhile is not missed. The account stands for all of its consents, those that are not written yet too.
_LOCK = Statement("SELECT 1 AS locked FROM account WHERE id = :account_id /* postgresql: FOR NO KEY UPDATE */")
_OF_ACCOUNT = Statement(
    """SELECT client_id, resource, scope, granted_at FROM consent WHERE account_id = :account_id
    ORDER BY client_id, resource"""
)
_PUT = Statement(
    """INSERT INTO consent (id, account_id, client_id, resource, scope, granted_at)
    VALUES (:id, :account_id, :client_id, :resource, :scope, :now)
    ON CONFLICT (account_id, client_id, resource)
        DO UPDATE SET scope = excluded.scope, granted_at = excluded.granted_at"""
)
_REMOVE = Statement("DELETE FROM consent WHERE account_id = :account_id AND client_id = :client_id")
# Expired ones are left to housekeeping; the living are few, for they live a minute.
_REMOVE_CODES = Statement(
    """DELETE FROM authorization_code
    WHERE expires_at > :now AND account_id = :account_id AND client_id = :client_id"""
)
# A grant is found by its session, or by its account where it has none: each of the two by an index of its own.
_REVOKE_WITH_SESSION = Statement(
    """UPDATE authorization_grant SET revoked_at = :now
    WHERE session_id IN (SELECT id FROM session WHERE account_id = :account_id)
        AND client_id = :client_id AND revoked_at IS NULL"""
)
_REVOKE_WITHOUT_SESSION = Statement(
    """UPDATE authorization_grant SET revoked_at = :now
    WHERE account_id = :account_id AND session_id IS NULL AND client_id = :client_id AND revoked_at IS NULL"""
)
_REVOKE_FAMILIES_WITH_SESSION = Statement(
    """UPDATE refresh_family SET revoked_at = :now
    WHERE grant_id IN (SELECT g.id FROM authorization_grant g JOIN session ON session.id = g.session_id
            WHERE session.account_id = :account_id AND g.client_id = :client_id)
        AND revoked_at IS NULL"""
)
_REVOKE_FAMILIES_WITHOUT_SESSION = Statement(
    """UPDATE refresh_family SET revoked_at = :now
    WHERE grant_id IN (SELECT g.id FROM authorization_grant g
            WHERE g.account_id = :account_id AND g.session_id IS NULL AND g.client_id = :client_id)
        AND revoked_at IS NULL"""
)


async def find(reader: Reader, *, account_id: UUID, client_id: str) -> Consent:
    """Return what the account allowed the client so far; empty when nothing. One statement."""
    rows = await reader.all(_FIND, account_id=account_id, client_id=client_id)
    return Consent({row["resource"]: frozenset(read_words(row["scope"])) for row in rows})


async def find_to_add(transaction: Transaction, *, account_id: UUID, client_id: str) -> Consent:
    """Return the same, and let nobody change it before the transaction is over. Two statements."""
    await transaction.one(_LOCK, account_id=account_id)
    return await find(transaction, account_id=account_id, client_id=client_id)


async def of_account(reader: Reader, account_id: UUID) -> list[GivenConsent]:
    """Return everything the account allowed, by client and resource. One statement."""
    return [
        GivenConsent(row["client_id"], row["resource"], read_words(row["scope"]), from_microseconds(row["granted_at"]))
        for row in await reader.all(_OF_ACCOUNT, account_id=account_id)
    ]


async def put(
    transaction: Transaction,
    consent_id: UUID,
    *,
    account_id: UUID,
    client_id: str,
    resource: str,
    scopes: frozenset[str],
) -> None:
    """Remember a yes for one resource, replacing the earlier one. One statement."""
    await transaction.insert(
        _PUT,
        id=consent_id,
        account_id=account_id,
        client_id=client_id,
        resource=resource,
        scope=write_words(sorted(scopes)),
    )


async def remove(transaction: Transaction, *, account_id: UUID, client_id: str) -> bool:
    """Forget what the account allowed the client. Two statements. False when that was nothing."""
    await transaction.one(_LOCK, account_id=account_id)
    return await transaction.execute(_REMOVE, account_id=account_id, client_id=client_id) > 0


async def revoke_grants(transaction: Transaction, *, account_id: UUID, client_id: str) -> int:
    """End every grant of the account and the client, in whatever session or in none; returns how many. Five statements.

    Authorization codes first: one that is being redeemed is waited for, and its grant is then seen.
    """
    whose = {"account_id": account_id, "client_id": client_id}
    await transaction.execute(_REMOVE_CODES, **whose)
    revoked = await transaction.execute(_REVOKE_WITH_SESSION, **whose)
    revoked += await transaction.execute(_REVOKE_WITHOUT_SESSION, **whose)
    await transaction.execute(_REVOKE_FAMILIES_WITH_SESSION, **whose)
    await transaction.execute(_REVOKE_FAMILIES_WITHOUT_SESSION, **whose)
    return revoked
