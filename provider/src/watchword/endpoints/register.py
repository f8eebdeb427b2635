"""Dynamic client registration (RFC 7591, OpenID Connect Dynamic Client Registration)."""

from dataclasses import dataclass

from watchword.client_registration import add_client, check_addresses, keeps_secret, new_client_id, new_secret
from watchword.database import Overtaken, Transaction, initial_access_tokens
from watchword.database.initial_access_tokens import InitialAccessToken
from watchword.endpoints.registering import charge_network, registration_answer
from watchword.events import record_alone
from watchword.events.catalogue.clients import ClientRegistrationRefused
from watchword.protocol.client import Client
from watchword.protocol.digests import fingerprint
from watchword.protocol.errors import AccessForbidden, InvalidToken, ProtocolError
from watchword.protocol.registration import RegistrationPolicy, check_policy, parse_client_metadata
from watchword.web.bearer import bearer_token
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

_SPENT = "The initial access token is unknown, expired or used up. Ask the people who run this service for another."


@dataclass(frozen=True, slots=True)
class _Admission:
    """Who lets a client in: the holder of a token within its policy, or nobody in particular."""

    policy: RegistrationPolicy
    token: InitialAccessToken | None = None
    token_hash: bytes = b""


async def register(exchange: Exchange) -> Answer:
    """Register a client that asks for it. Two statements, three with a secret, two more with an initial access token.

    One step of the ephemeral store counts it against its network; a `sector_identifier_uri` is fetched. A client that
    came without a token never skips consent and gets OpenID's scopes alone.

    Raises:
        AccessForbidden: registration is off.
        MissingToken: it takes an initial access token.
        InvalidToken: an initial access token that is unknown, expired or used up.
        TooManyRequests: the network registered as many clients as it may.
        InvalidRedirectUri: a redirect URI that is refused.
        InvalidClientMetadata: other metadata that is refused.
    """
    services = exchange.services
    if services.settings.registration == "off":
        raise AccessForbidden("Registration is closed. Ask the people who run this service.")
    try:
        return await _register(exchange)
    except ProtocolError as refused:
        await record_alone(services.database, ClientRegistrationRefused(reason=refused.error), exchange.caller)
        raise


async def _register(exchange: Exchange) -> Answer:
    services = exchange.services
    admission = await _admit(exchange)
    client = parse_client_metadata(
        await exchange.json(), client_id=new_client_id(), trusted=False, scopes=admission.policy.scopes
    )
    check_policy(client, admission.policy)
    await charge_network(exchange)
    await check_addresses(services, client)
    secret, management_token = new_secret() if keeps_secret(client) else None, new_secret()
    await _write(exchange, admission, client, secret, management_token)
    issued_at = services.clock.now()
    return registration_answer(
        services, client, secret=secret, management_token=management_token, issued_at=issued_at, status=201
    )


async def _admit(exchange: Exchange) -> _Admission:
    """Find the token that comes with the request. It is spent later, with what it is spent for."""
    services = exchange.services
    if services.settings.registration == "open" and exchange.headers.get("authorization") is None:
        return _Admission(RegistrationPolicy())
    token_hash = fingerprint(bearer_token(exchange))
    token = await initial_access_tokens.find(services.database, token_hash=token_hash)
    if token is None:
        raise InvalidToken(_SPENT)
    return _Admission(token.policy, token, token_hash)


async def _write(
    exchange: Exchange, admission: _Admission, client: Client, secret: str | None, management_token: str
) -> None:
    """Write the client, and spend a use of its token in the same transaction: neither happens without the other."""
    token = admission.token

    async def work(transaction: Transaction) -> None:
        await add_client(
            transaction,
            client,
            registered_by="itself" if token is None else "token",
            secret=secret,
            caller=exchange.caller,
            management_token=management_token,
            policy=None if token is None else token.policy,
            registration="" if token is None else str(token.id),
        )
        if token is not None:
            await initial_access_tokens.take(transaction, token_hash=admission.token_hash)

    try:
        await exchange.services.database.transaction(work)
    except Overtaken:
        raise InvalidToken(_SPENT, detail="overtaken") from None
