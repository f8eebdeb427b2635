"""Dynamic client registration (RFC 7591, OpenID Connect Dynamic Client Registration)."""

import secrets
from uuid import uuid4

from watchword.database import Transaction, clients
from watchword.events import record
from watchword.events.catalogue import ClientCreated
from watchword.protocol.digests import fingerprint
from watchword.protocol.errors import AccessForbidden
from watchword.protocol.registration import client_metadata, parse_client_metadata
from watchword.web.answers import json_answer
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer


async def register(exchange: Exchange) -> Answer:
    """Register a client that asks for it. Two statements, three with a secret.

    A client that registered itself never skips consent and gets OpenID's scopes alone.

    Raises:
        AccessForbidden: registration is off.
        InvalidRedirectUri: a redirect URI that is refused.
        InvalidClientMetadata: other metadata that is refused.
    """
    services = exchange.services
    if services.settings.registration == "off":
        raise AccessForbidden("Registration is closed. Ask the people who run this service.")
    document = await exchange.json()
    client = parse_client_metadata(document, client_id=f"c_{secrets.token_urlsafe(16)}", trusted=False)
    secret = None if client.public else secrets.token_urlsafe(32)

    async def work(transaction: Transaction) -> None:
        await clients.add(transaction, client, registered_by="itself")
        if secret is not None:
            await clients.add_secret(transaction, uuid4(), client.id, secret_hash=fingerprint(secret), expires_at=None)
        await record(transaction, ClientCreated(client_id=client.id, registered_by="itself"), exchange.caller)

    await services.database.transaction(work)
    answer = {"client_id": client.id, "client_id_issued_at": int(services.clock.now().timestamp())}
    if secret is not None:
        answer |= {"client_secret": secret, "client_secret_expires_at": 0}
    return json_answer({**answer, **_public(client_metadata(client))}, status=201)


def _public(document: dict[str, object]) -> dict[str, object]:
    """Leave out what is our own policy and no registered metadata."""
    return {name: value for name, value in document.items() if name not in {"pkce_required", "default_resource"}}
