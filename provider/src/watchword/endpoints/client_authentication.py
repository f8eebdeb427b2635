"""Client authentication as every endpoint for clients does it (RFC 6749 section 2.3, RFC 7523 section 3)."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from watchword.events import record_alone
from watchword.events.catalogue.clients import ClientAuthenticationFailed
from watchword.protocol.client import Client
from watchword.protocol.client_assertion import ClientAssertion, check_claims
from watchword.protocol.client_authentication import ClientCredentials, parse_client_credentials, verify_client
from watchword.protocol.errors import InvalidClient, InvalidRequest
from watchword.protocol.jwk_set import ClientKey
from watchword.protocol.parameters import Parameters
from watchword.web.exchange import Exchange

_TOKEN_ENDPOINT = "/token"  # noqa: S105 - a path, no password
# A store whose clock is ahead of this node's must not forget an assertion that this node would still accept.
_KEPT_LONGER = timedelta(minutes=1)


async def authenticate_client(exchange: Exchange, form: Parameters) -> Client:
    """Return the client that a request comes from. No statement while the client is in memory, two otherwise.

    A client assertion adds one verification and one ephemeral step, and a fetch when the client's keys are not known.

    Raises:
        InvalidRequest: two ways of authentication at once.
        InvalidClient: no client is named, or it did not authenticate in its registered way; the latter is an event.
        TemporarilyUnavailable: an assertion, and a store that cannot tell whether it was used before.
    """
    services = exchange.services
    headers = exchange.headers.getlist("authorization")
    if len(headers) > 1:
        raise InvalidRequest("Send one Authorization header.")
    credentials = parse_client_credentials(headers[0] if headers else None, form)
    known = await services.registry.client(credentials.client_id)
    try:
        keys = await _keys(exchange, known, credentials)
        client = verify_client(known, credentials, now=services.clock.now(), keys=keys)
        if credentials.assertion is not None:
            await _use_once(exchange, credentials.assertion)
    except InvalidClient as refused:
        reason = refused.detail or refused.description
        event = ClientAuthenticationFailed(client_id=known.id if known else None, reason=reason)
        await record_alone(services.database, event, exchange.caller)
        raise
    return client


async def _keys(exchange: Exchange, client: Client | None, credentials: ClientCredentials) -> Sequence[ClientKey]:
    """Return the keys that an assertion may be signed with. Nothing is fetched for a client of another method."""
    assertion = credentials.assertion
    if client is None or assertion is None or client.token_endpoint_auth_method != credentials.method:
        return ()
    return await exchange.services.client_keys.keys(client, assertion.kid)


async def _use_once(exchange: Exchange, assertion: ClientAssertion) -> None:
    """Spend an assertion that the client signed, before anything is done for it. One ephemeral step.

    Raises:
        InvalidClient: it is not for us, not for now, or was used before.
        TemporarilyUnavailable: this worker sees another ephemeral store, which does not know what was used before.
    """
    services, now = exchange.services, exchange.services.clock.now()
    here = services.issuer + exchange.path.removeprefix(urlsplit(services.issuer).path)
    audiences = {services.issuer, services.issuer + _TOKEN_ENDPOINT, here}
    use = check_claims(assertion, expected_audiences=audiences, now=now)
    services.condition.check_single_use()
    key = f"assertion:{hashlib.sha256(use.name).hexdigest()}"
    if not await services.ephemeral.add(key, b"", use.expires_at - now + _KEPT_LONGER):
        raise InvalidClient("The client assertion was used before; sign a new one for each request.")
