"""Registering software, whoever asks for it: what is fetched before, and what is written together."""

import secrets
from uuid import uuid4

from watchword.database import Transaction, clients
from watchword.events import Caller, record
from watchword.events.catalogue.clients import ClientCreated
from watchword.fetch import FetchFailed, FetchRefused, parse_target
from watchword.protocol.client import Client
from watchword.protocol.digests import fingerprint
from watchword.protocol.errors import InvalidClientMetadata
from watchword.protocol.registration import RegistrationPolicy, check_sector_document
from watchword.services import Services

_FETCHED = ("jwks_uri", "sector_identifier_uri", "backchannel_logout_uri")


def new_client_id() -> str:
    """Return an id that no client has and no account can have (RFC 9700 section 4.15)."""
    return f"c_{secrets.token_urlsafe(16)}"


def new_secret() -> str:
    """Return 256 random bits in letters that need no escape: a client's secret, or a token of registration."""
    return secrets.token_urlsafe(32)


def keeps_secret(client: Client) -> bool:
    """Say whether a client authenticates by a secret of ours."""
    return client.token_endpoint_auth_method in {"client_secret_basic", "client_secret_post"}


async def check_addresses(services: Services, client: Client) -> None:
    """See that we could ever call the addresses of a client, and that the sector it names vouches for it.

    One fetch where there is a `sector_identifier_uri`, none otherwise (OpenID Connect Registration section 5).

    Raises:
        InvalidClientMetadata: an address that is never called, or a sector that cannot be read or lacks a redirect URI.
    """
    loopback = services.settings.test_loopback_fetch == "on"
    for name in _FETCHED:
        address = getattr(client, name)
        try:
            if address is not None:
                parse_target(address, loopback=loopback)
        except FetchRefused as refused:
            raise InvalidClientMetadata(f"{name} is never called. {refused}") from None
    if client.sector_identifier_uri is None:
        return
    try:
        document = await services.fetch.get_json(client.sector_identifier_uri)
    except (FetchRefused, FetchFailed) as problem:
        raise InvalidClientMetadata(f"sector_identifier_uri cannot be read. {problem}") from None
    check_sector_document(document, client.redirect_uris)


async def add_client(
    transaction: Transaction,
    client: Client,
    *,
    registered_by: str,
    secret: str | None,
    caller: Caller,
    management_token: str | None = None,
    policy: RegistrationPolicy | None = None,
    registration: str = "",
) -> None:
    """Register a client with its credentials, and record it. Two statements, three with a secret.

    `registration` is the id of the initial access token it came with.
    """
    management_hash = None if management_token is None else fingerprint(management_token)
    await clients.add(transaction, client, registered_by=registered_by, management_hash=management_hash, policy=policy)
    if secret is not None:
        await add_secret(transaction, client, secret)
    event = ClientCreated(client_id=client.id, registered_by=registered_by, registration=registration)
    await record(transaction, event, caller)


async def change_secrets(transaction: Transaction, before: Client, after: Client, secret: str | None) -> None:
    """Follow a change of how a client authenticates: a new secret where one is given, none where none counts any more.

    No statement when both ways need a secret, or neither; one otherwise.
    """
    if secret is not None:
        await add_secret(transaction, after, secret)
    elif keeps_secret(before) and not keeps_secret(after):
        await clients.drop_secrets(transaction, after.id)


async def add_secret(transaction: Transaction, client: Client, secret: str) -> None:
    """Give a client a secret that does not expire. One statement."""
    await clients.add_secret(transaction, uuid4(), client.id, secret_hash=fingerprint(secret), expires_at=None)
