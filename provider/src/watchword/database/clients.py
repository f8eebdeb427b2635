"""Registered clients, their secrets, and protected resources."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from watchword.database.connection import Reader, Row, Transaction
from watchword.database.records import maybe_time, read_words, write_json, write_words
from watchword.database.statement import Statement
from watchword.protocol.client import Client, ClientSecret
from watchword.protocol.registration import client_metadata, parse_client_metadata
from watchword.protocol.resource import Resource

_FIND = Statement("SELECT id, document, first_party FROM client WHERE id = :id AND status = 'active'")
_ACTIVE = Statement("SELECT 1 AS active FROM client WHERE id = :id AND status = 'active'")
_LIST = Statement("SELECT id, document, first_party FROM client WHERE status = 'active' ORDER BY created_at")
_SECRETS = Statement("SELECT hash, expires_at FROM client_secret WHERE client_id = :id")
# The pattern only spares reading most of the others; the document decides.
_PUBLIC = Statement(
    """SELECT document FROM client WHERE status = 'active' AND document LIKE '%"none"%'
    ORDER BY created_at DESC LIMIT :most"""
)
_INSERT = Statement(
    """INSERT INTO client
        (id, document, first_party, registered_by, status, created_at, updated_at)
    VALUES (:id, :document, :first_party, :registered_by, 'active', :now, :now)"""
)
_INSERT_SECRET = Statement(
    """INSERT INTO client_secret (id, client_id, hash, created_at, expires_at)
    VALUES (:id, :client_id, :hash, :now, :expires_at)"""
)
_REMOVE = Statement("UPDATE client SET status = 'removed', updated_at = :now WHERE id = :id AND status = 'active'")
_RESOURCES = Statement("SELECT audience, scopes, opaque, lifetime, client_id FROM resource ORDER BY audience")
_PUT_RESOURCE = Statement(
    """INSERT INTO resource (audience, scopes, opaque, lifetime, client_id, created_at)
    VALUES (:audience, :scopes, :opaque, :lifetime, :client_id, :now)
    ON CONFLICT (audience) DO UPDATE SET scopes = excluded.scopes, opaque = excluded.opaque,
        lifetime = excluded.lifetime, client_id = excluded.client_id"""
)


async def find(reader: Reader, client_id: str) -> Client | None:
    """Return an active client with its secrets. Two statements; endpoints ask the cache in front of this."""
    row = await reader.one(_FIND, id=client_id)
    if row is None:
        return None
    secrets = tuple(
        ClientSecret(found["hash"], maybe_time(found["expires_at"]))
        for found in await reader.all(_SECRETS, id=client_id)
    )
    return replace(_client(row), secrets=secrets)


async def is_active(reader: Reader, client_id: str) -> bool:
    """Say whether a client is in use at this moment, whatever a cache remembers of it. One statement."""
    return await reader.one(_ACTIVE, id=client_id) is not None


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


async def add(transaction: Transaction, client: Client, *, registered_by: str) -> None:
    """Register a client. One statement."""
    await transaction.insert(
        _INSERT,
        id=client.id,
        document=write_json(client_metadata(client)),
        first_party=client.first_party,
        registered_by=registered_by,
    )


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


async def remove(transaction: Transaction, client_id: str) -> bool:
    """Take a client out of use; its tokens stop working at once. One statement."""
    return await transaction.execute(_REMOVE, id=client_id) == 1


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
    document["first_party"] = bool(row["first_party"])
    return parse_client_metadata(document, client_id=row["id"], trusted=True)
