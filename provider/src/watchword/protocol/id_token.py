"""The ID token: slim, for the client alone (OpenID Connect Core section 2)."""

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from watchword.protocol.base64url import encode_segment

TYPE = "JWT"


def id_token_claims(
    *,
    issuer: str,
    subject: UUID | str,
    client_id: str,
    session_id: UUID | str | None,
    auth_time: datetime,
    amr: tuple[str, ...],
    nonce: str | None,
    access_token: str,
    now: datetime,
    lifetime: timedelta,
) -> dict[str, Any]:
    """Return the claims; what a person told about themselves is at /userinfo. `at_hash` fits SHA-256 algorithms."""
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "exp": issued_at + int(lifetime.total_seconds()),
        "iat": issued_at,
        "auth_time": int(auth_time.timestamp()),
        "amr": list(amr),
        "at_hash": half_hash(access_token),
    }
    if session_id is not None:
        claims["sid"] = session_id
    if nonce is not None:
        claims["nonce"] = nonce
    return claims


def half_hash(token: str) -> str:
    """Left half of the token's SHA-256, base64url (OpenID Connect Core section 3.1.3.6)."""
    return encode_segment(hashlib.sha256(token.encode("ascii")).digest()[:16]).decode("ascii")
