"""The token endpoint (RFC 6749 section 3.2): shared steps around the one hole a grant type fills."""

from starlette.responses import Response

from watchword import tokens
from watchword.events import record_alone
from watchword.events.catalogue import ClientAuthenticationFailed, TokenRefused
from watchword.grant_types import GRANT_TYPES, TokenRequest
from watchword.protocol.client import Client
from watchword.protocol.client_authentication import parse_client_credentials, verify_client
from watchword.protocol.errors import (
    InvalidClient,
    InvalidRequest,
    ProtocolError,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from watchword.protocol.parameters import Parameters
from watchword.web.answers import json_answer
from watchword.web.exchange import Exchange


async def token(exchange: Exchange) -> Response:
    """Parse, authenticate the client, let the grant type authorize, issue.

    Own cost: no statement while the client is in memory. `authorization_code` adds one transaction of three or four
    statements and two signatures, `refresh_token` one of three and two, `client_credentials` one of two and one.
    """
    form = await exchange.form()
    form.check_no_duplicates()
    client = await _authenticate(exchange, form)
    grant_type = form.required("grant_type")
    authorize = GRANT_TYPES.get(grant_type)
    if authorize is None:
        raise UnsupportedGrantType("The grant type is not supported.")
    if grant_type not in client.grant_types:
        raise UnauthorizedClient("The client is not registered for this grant type.")
    services = exchange.services
    request = TokenRequest(client, form, await services.registry.resources(form.resources), exchange.caller)
    try:
        authorization = await authorize(services, request)
    except ProtocolError as refused:
        event = TokenRefused(client_id=client.id, error=refused.error, reason=refused.detail)
        await record_alone(services.database, event, exchange.caller)
        raise
    return json_answer(tokens.issue(services, authorization))


async def _authenticate(exchange: Exchange, form: Parameters) -> Client:
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
