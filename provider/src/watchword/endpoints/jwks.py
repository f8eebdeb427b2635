"""The published keys (RFC 7517)."""

from watchword.web.answers import public_document
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer


async def jwks(exchange: Exchange) -> Answer:
    """Answer the key set from memory. No statement, no signature."""
    return public_document(exchange.services.keyring.jwks).answer(exchange)
