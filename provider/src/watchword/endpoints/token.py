"""The token endpoint (RFC 6749 section 3.2): shared steps around the one hole a grant type fills."""

from watchword import tokens
from watchword.endpoints.client_authentication import authenticate_client
from watchword.events import record_alone
from watchword.events.catalogue.protocol import TokenRefused
from watchword.grant_types import GRANT_TYPES, TokenRequest
from watchword.protocol.errors import (
    ProtocolError,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from watchword.web.answers import json_answer
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer


async def token(exchange: Exchange) -> Answer:
    """Parse, authenticate the client, let the grant type authorize, issue.

    Own cost: no statement while the client is in memory. `authorization_code` adds one transaction of three or four
    statements and two signatures, `refresh_token` one of three and two, `client_credentials` one of two and one.
    """
    form = await exchange.form()
    form.check_no_duplicates()
    client = await authenticate_client(exchange, form)
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
