"""The ID token: slim, for the client alone (OpenID Connect Core section 2)."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from watchword.protocol.base64url import encode_segment
from watchword.protocol.vocabulary import SigningAlgorithm

TYPE = "JWT"


def id_token_claims(
    *,
    issuer: str,
    subject: UUID | str,
    client_id: str,
    session_id: UUID | str | None,
    auth_time: datetime,
    amr: tuple[str, ...],
    acr: str | None,
    nonce: str | None,
    at_hash: str,
    asked: Mapping[str, Any],
    now: datetime,
    lifetime: timedelta,
) -> dict[str, Any]:
    """Return the claims; what a person told about themselves is at /userinfo.

    `asked` is the exception: what the client asked to find here by the `claims` parameter (section 5.5). It can take
    the place of nothing else.
    """
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {
        **asked,
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "exp": issued_at + int(lifetime.total_seconds()),
        "iat": issued_at,
        "auth_time": int(auth_time.timestamp()),
        "amr": list(amr),
        "at_hash": at_hash,
    }
    maybe = {"acr": acr, "sid": session_id, "nonce": nonce}
    return claims | {name: value for name, value in maybe.items() if value is not None}


def half_hash(token: str, algorithm: SigningAlgorithm) -> str:
    """Left half of the token's hash, base64url (OpenID Connect Core section 3.1.3.6).

    The hash is the one that the ID token's algorithm uses: SHA-512 for Ed25519 (RFC 8032 section 5.1), else SHA-256.
    """
    new = hashlib.sha512 if algorithm in {"EdDSA", "Ed25519"} else hashlib.sha256
    digest = new(token.encode("ascii")).digest()
    return encode_segment(digest[: len(digest) // 2]).decode("ascii")
