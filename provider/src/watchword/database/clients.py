"""Registered clients, their secrets, and protected resources."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from watchword.clock import from_microseconds
from watchword.database.connection import Reader, Row, Transaction
from watchword.database.initial_access_tokens import read_policy, write_policy
from watchword.database.records import maybe_time, read_words, write_json, write_words
from watchword.database.statement import Statement
from watchword.protocol.client import Client, ClientSecret
from watchword.protocol.registration import RegistrationPolicy, client_metadata, stored_client
from watchword.protocol.resource import Resource

_FIND = Statement("SELECT id, document, first_party, registered_by FROM client WHERE id = :id AND status = 'active'")
_ACTIVE = Statement("SELECT 1 AS active FROM client WHERE id = :id AND status = 'active'")
_LIST = Statement(
    "SELECT id, document, first_party, registered_by FROM client WHERE status = 'active' ORDER BY created_at"
)
_SECRETS = Statement("SELECT hash, expires_at FROM client_secret WHERE client_id = :id")
# The pattern only spares reading most of the others; the document decides.
_PUBLIC = Statement(
    """SELECT document FROM client WHERE status = 'active' AND document LIKE '%"none"%'
    ORDER BY created_at DESC LIMIT :most"""
)
_SHOW = Statement(
    """SELECT id, document, first_party, registered_by, created_at, updated_at
    FROM client WHERE id = :id AND status = 'active'"""
)
_MANAGED = Statement(
    """SELECT id, document, first_party, registered_by, policy, created_at FROM client
    WHERE id = :id AND management_hash = :management_hash AND status = 'active'"""
)
_INSERT = Statement(
    """INSERT INTO client
        (id, document, first_party, registered_by, management_hash, policy, status, created_at, updated_at)
    VALUES (:id, :document, :first_party, :registered_by, :management_hash, :policy, 'active', :now, :now)"""
)
_CHANGE = Statement(
    """UPDATE client SET document = :document, first_party = :first_party, registered_by = 'operator',
        management_hash = NULL, policy = NULL, updated_at = :now
    WHERE id = :id AND status = 'active'"""
)
_CHANGE_ITSELF = Statement(
    """UPDATE client SET document = :document, updated_at = :now
    WHERE id = :id AND management_hash = :management_hash AND status = 'active'"""
)
_INSERT_SECRET = Statement(
    """INSERT INTO client_secret (id, client_id, hash, created_at, expires_at)
    VALUES (:id, :client_id, :hash, :now, :expires_at)"""
)
_DROP_SECRETS = Statement("DELETE FROM client_secret WHERE client_id = :client_id")
_REMOVE = Statement("UPDATE client SET status = 'removed', updated_at = :now WHERE id = :id AND status = 'active'")
_REMOVE_ITSELF = Statement(
    """UPDATE client SET status = 'removed', updated_at = :now
    WHERE id = :id AND management_hash = :management_hash AND status = 'active'"""
)
# Whoever agreed to a client left a consent, for one that registered itself is never first-party; without one nothing
# hangs on it but its secrets. A client that acts for itself needs nobody's consent, so it stays.
_FORGET_UNUSED = Statement(
    """DELETE FROM client WHERE id IN
    (SELECT id FROM client WHERE updated_at < :now - :kept AND registered_by = 'itself' AND first_party = FALSE
        AND document NOT LIKE '%"client_credentials"%'
        AND NOT EXISTS (SELECT 1 FROM consent WHERE consent.client_id = client.id)
        AND NOT EXISTS (SELECT 1 FROM resource WHERE resource.client_id = client.id) LIMIT :most)
    RETURNING id"""
)
_RESOURCES = Statement("SELECT audience, scopes, opaque, lifetime, client_id FROM resource ORDER BY audience")
_PUT_RESOURCE = Statement(
    """INSERT INTO resource (audience, scopes, opaque, lifetime, client_id, created_at)
    VALUES (:audience, :scopes, :opaque, :lifetime, :client_id, :now)
    ON CONFLICT (audience) DO UPDATE SET scopes = excluded.scopes, opaque = excluded.opaque,
        lifetime = excluded.lifetime, client_id = excluded.client_id"""
)


@dataclass(frozen=True, slots=True)
class ManagedClient:
    """A client that manages its own registration, without secrets. `policy` bounds what it may become."""

    client: Client
    policy: RegistrationPolicy | None
    created_at: datetime


async def find(reader: Reader, client_id: str) -> Client | None:
    """Return an active client with its secrets. Two statements; endpoints ask the cache in front of this."""
    row = await reader.one(_FIND, id=client_id)
    return None if row is None else replace(_client(row), secrets=await secrets_of(reader, client_id))


async def find_managed(reader: Reader, client_id: str, *, management_hash: bytes) -> ManagedClient | None:
    """Return an active client whose management token this is. One statement, which compares the token."""
    row = await reader.one(_MANAGED, id=client_id, management_hash=management_hash)
    if row is None:
        return None
    policy = None if row["policy"] is None else read_policy(row["policy"])
    return ManagedClient(_client(row), policy, from_microseconds(row["created_at"]))


async def secrets_of(reader: Reader, client_id: str) -> tuple[ClientSecret, ...]:
    """Return the secrets of a client, expired ones too. One statement."""
    return tuple(
        ClientSecret(found["hash"], maybe_time(found["expires_at"]))
        for found in await reader.all(_SECRETS, id=client_id)
    )


async def is_active(reader: Reader, client_id: str) -> bool:
    """Say whether a client is in use at this moment, whatever a cache remembers of it. One statement."""
    return await reader.one(_ACTIVE, id=client_id) is not None


async def show(reader: Reader, client_id: str) -> dict[str, Any] | None:
    """Return what the operator may read of an active client: everything but hashes. Two statements."""
    row = await reader.one(_SHOW, id=client_id)
    if row is None:
        return None
    expiries = [secret.expires_at for secret in await secrets_of(reader, client_id)]
    return {
        "client_id": row["id"],
        "first_party": bool(row["first_party"]),
        "registered_by": row["registered_by"],
        "created_at": from_microseconds(row["created_at"]).isoformat(),
        "updated_at": from_microseconds(row["updated_at"]).isoformat(),
        "client_secrets": [{"expires_at": None if at is None else at.isoformat()} for at in expiries],
        **client_metadata(_client(row)),
    }


async def list_all(reader: Reader) -> list[Client]:
    """Return every active client, oldest first, without secrets. One statement."""
    return [_client(row) for row in await reader.all(_LIST)]


async def redirect_uris_of_public(reader: Reader, *, most: int) -> list[str]:
    """Return the redirect URIs of active clients without a secret, up to `most` of the newest. One statement.

    Reads the whole table; endpoints ask the cache in front of this.
    """
    documents = [orjson.loads(row["document"]) for row in await reader.all(_PUBLIC, most=most)]
    public = [document for document in documents if document.get("token_endpoint_auth_method") == "none"]
    return [uri for document in public for uri in document.get("redirect_uris", ())]


async def add(
    transaction: Transaction,
    client: Client,
    *,
    registered_by: str,
    management_hash: bytes | None = None,
    policy: RegistrationPolicy | None = None,
) -> None:
    """Register a client: by the operator, by a token, or by itself. One statement.

    `management_hash` is of the token that it may manage its registration with, `policy` what it may never exceed.
    """
    await transaction.insert(
        _INSERT,
        id=client.id,
        document=write_json(client_metadata(client)),
        first_party=client.first_party,
        registered_by=registered_by,
        management_hash=management_hash,
        policy=None if policy is None else write_policy(policy),
    )


async def change(transaction: Transaction, client: Client) -> bool:
    """Replace what is registered of an active client; False when there is none. One statement.

    It is the operator's from then on: a stranger who registered it does not write over what the operator wrote.
    """
    changed = await transaction.execute(
        _CHANGE, id=client.id, document=write_json(client_metadata(client)), first_party=client.first_party
    )
    return changed == 1


async def change_itself(transaction: Transaction, client: Client, *, management_hash: bytes) -> bool:
    """Replace the metadata of a client that shows its management token; False when it is another's. One statement."""
    changed = await transaction.execute(
        _CHANGE_ITSELF, id=client.id, management_hash=management_hash, document=write_json(client_metadata(client))
    )
    return changed == 1


async def add_secret(
    transaction: Transaction,
    secret_id: UUID,
    client_id: str,
    *,
    secret_hash: bytes,
    expires_at: datetime | None,
) -> None:
    """Give a client one more secret. One statement."""
    await transaction.insert(_INSERT_SECRET, id=secret_id, client_id=client_id, hash=secret_hash, expires_at=expires_at)


async def drop_secrets(transaction: Transaction, client_id: str) -> int:
    """Forget every secret of a client; returns how many there were. One statement."""
    return await transaction.execute(_DROP_SECRETS, client_id=client_id)


async def remove(transaction: Transaction, client_id: str) -> bool:
    """Take a client out of use; its tokens stop working at once. One statement."""
    return await transaction.execute(_REMOVE, id=client_id) == 1


async def remove_itself(transaction: Transaction, client_id: str, *, management_hash: bytes) -> bool:
    """Take a client out of use that shows its management token; False when it is another's. One statement."""
    return await transaction.execute(_REMOVE_ITSELF, id=client_id, management_hash=management_hash) == 1


async def forget_unused(transaction: Transaction, *, kept: timedelta, most: int) -> list[str]:
    """Delete up to `most` clients that registered themselves and that nobody used; returns their ids. One statement.

    Those that were removed go as well. `kept` is how long they have not changed.
    """
    return [row["id"] for row in await transaction.all(_FORGET_UNUSED, kept=kept, most=most)]


async def resources(reader: Reader) -> Mapping[str, Resource]:
    """Return the registered protected resources by audience. One statement."""
    return {
        row["audience"]: Resource(
            row["audience"],
            frozenset(read_words(row["scopes"])),
            row["lifetime"],
            row["client_id"],
            bool(row["opaque"]),
        )
        for row in await reader.all(_RESOURCES)
    }


async def put_resource(transaction: Transaction, resource: Resource) -> None:
    """Register a protected resource, or change the one of that audience. One statement."""
    await transaction.execute(
        _PUT_RESOURCE,
        audience=resource.audience,
        scopes=write_words(sorted(resource.scopes)),
        opaque=resource.opaque,
        lifetime=resource.lifetime,
        client_id=resource.client_id,
    )


def _client(row: Row) -> Client:
    document: dict[str, Any] = orjson.loads(row["document"])
    return stored_client(
        document,
        client_id=row["id"],
        first_party=bool(row["first_party"]),
        self_registered=row["registered_by"] == "itself",
    )
