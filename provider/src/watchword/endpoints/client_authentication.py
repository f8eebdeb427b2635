"""Client authentication as every endpoint for clients does it (RFC 6749 section 2.3)."""

from watchword.events import record_alone
from watchword.events.catalogue import ClientAuthenticationFailed
from watchword.protocol.client import Client
from watchword.protocol.client_authentication import parse_client_credentials, verify_client
from watchword.protocol.errors import InvalidClient, InvalidRequest
from watchword.protocol.parameters import Parameters
from watchword.web.exchange import Exchange


async def authenticate_client(exchange: Exchange, form: Parameters) -> Client:
    """Return the client that a request comes from. No statement while the client is in memory, two otherwise.

    Raises:
        InvalidRequest: two ways of authentication at once.
        InvalidClient: no client is named, or it did not authenticate in its registered way; the latter is an event.
    """
    services = exchange.services
    headers = exchange.headers.getlist("authorization")
    if len(headers) > 1:
        raise InvalidRequest("Send one Authorization header.")
    credentials = parse_client_credentials(headers[0] if headers else None, form)
    known = await services.registry.client(credentials.client_id)
    try:
        return verify_client(known, credentials, now=services.clock.now())
    except InvalidClient as refused:
        event = ClientAuthenticationFailed(client_id=known.id if known else None, reason=refused.detail)
        await record_alone(services.database, event, exchange.caller)
        raise
