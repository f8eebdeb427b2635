"""The published keys (RFC 7517)."""

from starlette.responses import Response

from watchword.web.answers import public_document
from watchword.web.exchange import Exchange


async def jwks(exchange: Exchange) -> Response:
    """Answer the key set from memory. No statement, no signature."""
    return public_document(exchange, exchange.services.keyring.jwks)
