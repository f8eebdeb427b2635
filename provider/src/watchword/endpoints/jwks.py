"""The published keys (RFC 7517)."""

import hashlib

from starlette.responses import Response

from watchword.web.answers import public_document
from watchword.web.exchange import Exchange

MAX_AGE = 300  # seconds


async def jwks(exchange: Exchange) -> Response:
    """Answer the key set from memory. No statement, no signature."""
    body = exchange.services.keyring.jwks
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    return public_document(body, etag=etag, max_age=MAX_AGE, if_none_match=exchange.headers.get("if-none-match"))
