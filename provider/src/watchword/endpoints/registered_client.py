"""A client that registered over HTTP reads, replaces and ends its registration (RFC 7592).

Its registration access token is 256 random bits, kept hashed and compared inside the statement. It stays the same when
the metadata changes: a client that missed the answer with a new one would be locked out for good.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace as changed
from typing import Any
from urllib.parse import urlsplit

from watchword.client_registration import change_secrets, check_addresses, keeps_secret, new_secret
from watchword.database import Transaction, clients
from watchword.database.clients import ManagedClient
from watchword.endpoints.registering import REGISTERED, charge_network, registration_answer
from watchword.events import record, record_alone
from watchword.events.catalogue.clients import ClientChanged, ClientRegistrationRefused, ClientRemoved
from watchword.protocol.client import Client
from watchword.protocol.digests import fingerprint
from watchword.protocol.errors import AccessForbidden, InvalidRedirectUri, InvalidRequest, InvalidToken, ProtocolError
from watchword.protocol.registration import RegistrationPolicy, check_policy, parse_client_metadata, redirect_places
from watchword.services import Services
from watchword.web.bearer import bearer_token
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer, field

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
_NOT_YOURS = "The registration access token is not of this client, or the client is not registered any more."
# RFC 7592 section 2.2: an update does not hold them.
_NEVER_SENT = frozenset(
    {"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"}
)


async def show(exchange: Exchange) -> Answer:
    """Show a client what stands registered of it; its secret is kept hashed and never shown again. One statement.

    Raises:
        MissingToken: there is no registration access token.
        InvalidToken: it is not this client's, or there is no such client.
    """
    return await _answer(exchange, _show)


async def replace(exchange: Exchange) -> Answer:
    """Replace all metadata of a client, which may never become more than when it was registered. Three statements.

    One more when it sends its secret, one more when it begins or ends to authenticate by one; a
    `sector_identifier_uri` is fetched, which one step of the ephemeral store counts like a registration; another
    `jwks_uri`, which will be fetched, is counted too.

    Raises:
        AccessForbidden: registration is off.
        MissingToken: there is no registration access token.
        InvalidToken: it is not this client's, or there is no such client.
        InvalidRequest: the client's id or secret is another one, or a member was sent that an update does not hold.
        TooManyRequests: the network registered, or had us fetch, as often as it may.
        InvalidRedirectUri: a redirect URI that is refused, or leads a self-registered client elsewhere than before.
        InvalidClientMetadata: other metadata that is refused.
    """
    if exchange.services.settings.registration == "off":
        raise AccessForbidden("Registration is closed. Ask the people who run this service.")
    return await _answer(exchange, _replace)


async def remove(exchange: Exchange) -> Answer:
    """Take a client out of use at its own wish: its tokens stop working at once. Two statements.

    Raises:
        MissingToken: there is no registration access token.
        InvalidToken: it is not this client's, or there is no such client.
    """
    return await _answer(exchange, _remove)


async def _answer(exchange: Exchange, work: Callable[[Exchange, str], Awaitable[Answer]]) -> Answer:
    """Do the work with the token of the request, and write down what was refused."""
    try:
        return await work(exchange, bearer_token(exchange))
    except ProtocolError as refused:
        event = ClientRegistrationRefused(reason=refused.error)
        await record_alone(exchange.services.database, event, exchange.caller)
        raise


async def _show(exchange: Exchange, token: str) -> Answer:
    services, managed = exchange.services, await _find(exchange, token)
    return registration_answer(
        services, managed.client, secret=None, management_token=token, issued_at=managed.created_at
    )


async def _replace(exchange: Exchange, token: str) -> Answer:
    services, managed = exchange.services, await _find(exchange, token)
    document = await exchange.json()
    await _check_identity(services, managed.client, document)
    client = _next(managed, document)
    if client.sector_identifier_uri is not None or client.jwks_uri != managed.client.jwks_uri:
        await charge_network(exchange)  # whoever registers once may not have us call one address after another
    await check_addresses(services, client)
    begins = keeps_secret(client) and not keeps_secret(managed.client)
    secret = new_secret() if begins else None

    async def work(transaction: Transaction) -> None:
        if not await clients.change_itself(transaction, client, management_hash=fingerprint(token)):
            raise InvalidToken(_NOT_YOURS, detail="removed meanwhile")
        await change_secrets(transaction, managed.client, client, secret)
        await record(transaction, ClientChanged(client_id=client.id, changed_by="itself"), exchange.caller)

    await services.database.transaction(work)
    services.registry.forget(client.id)
    return registration_answer(services, client, secret=secret, management_token=token, issued_at=managed.created_at)


async def _remove(exchange: Exchange, token: str) -> Answer:
    services, client_id = exchange.services, _client_id(exchange)

    async def work(transaction: Transaction) -> None:
        if not await clients.remove_itself(transaction, client_id, management_hash=fingerprint(token)):
            raise InvalidToken(_NOT_YOURS)
        await record(transaction, ClientRemoved(client_id=client_id, removed_by="itself"), exchange.caller)

    await services.database.transaction(work)
    services.registry.forget(client_id)
    return Answer(204, [field("cache-control", "no-store"), field("pragma", "no-cache")])


def _client_id(exchange: Exchange) -> str:
    client_id = exchange.path.removeprefix(urlsplit(exchange.services.issuer).path + REGISTERED)
    if not _CLIENT_ID.match(client_id):
        raise InvalidToken(_NOT_YOURS, detail="no client id")
    return client_id


async def _find(exchange: Exchange, token: str) -> ManagedClient:
    """Find the client of path and token: an unknown one and another's are refused alike (RFC 7592 section 2.1)."""
    found = await clients.find_managed(
        exchange.services.database, _client_id(exchange), management_hash=fingerprint(token)
    )
    if found is None:
        raise InvalidToken(_NOT_YOURS)
    return found


async def _check_identity(services: Services, client: Client, document: Mapping[str, Any]) -> None:
    """RFC 7592 section 2.2: an update names the client, and its secret only as it is. One statement if it does."""
    if sent := _NEVER_SENT & document.keys():
        raise InvalidRequest(f"Leave out {', '.join(sorted(sent))}: an update does not hold it.")
    if document.get("client_id") != client.id:
        raise InvalidRequest("client_id must be sent, and be the one of this client.")
    secret = document.get("client_secret")
    if secret is None:
        return
    known = changed(client, secrets=await clients.secrets_of(services.database, client.id))
    if not isinstance(secret, str) or not known.owns_secret(secret, services.clock.now()):
        raise InvalidRequest("client_secret is not the one of this client. Leave it out.")


def _next(managed: ManagedClient, document: Mapping[str, Any]) -> Client:
    """Read what a client wants to be, within what it may be. What the operator decided for it stays.

    Where PKCE was required it stays required: a public client does not lose it by beginning to authenticate.
    """
    before, policy = managed.client, managed.policy or RegistrationPolicy()
    client = parse_client_metadata(document, client_id=before.id, trusted=False, scopes=policy.scopes)
    check_policy(client, policy)
    _check_places(before, client)
    return changed(
        client,
        first_party=before.first_party,
        self_registered=before.self_registered,
        default_resource=before.default_resource,
        pkce_required=client.pkce_required or before.pkce_required,
    )


def _check_places(before: Client, after: Client) -> None:
    """Keep a client that nobody vouches for where it was: people said yes to it there, and are not asked again.

    A page had shown them the place it leads to. One that moves is another client, which asks anew.
    """
    if before.self_registered and not redirect_places(after.redirect_uris) <= redirect_places(before.redirect_uris):
        raise InvalidRedirectUri("An update may not lead to another host or scheme. Register another client for that.")
