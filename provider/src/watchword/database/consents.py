"""Consent: what a person allowed a client, remembered per account, client and resource."""

from uuid import UUID

from watchword.database.connection import Reader, Transaction
from watchword.database.records import read_words, write_words
from watchword.database.statement import Statement
from watchword.protocol.interaction import Consent

_FIND = Statement("SELECT resource, scope FROM consent WHERE account_id = :account_id AND client_id = :client_id")
_PUT = Statement(
    """INSERT INTO consent (id, account_id, client_id, resource, scope, granted_at)
    VALUES (:id, :account_id, :client_id, :resource, :scope, :now)
    ON CONFLICT (account_id, client_id, resource)
        DO UPDATE SET scope = excluded.scope, granted_at = excluded.granted_at"""
)


async def find(reader: Reader, *, account_id: UUID, client_id: str) -> Consent:
    """Return what the account allowed the client so far; empty when nothing. One statement."""
    rows = await reader.all(_FIND, account_id=account_id, client_id=client_id)
    return Consent({row["resource"]: frozenset(read_words(row["scope"])) for row in rows})


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
