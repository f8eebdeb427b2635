"""What an access token says, and how it is marked as a JWT (RFC 9068)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

TYPE = "at+jwt"
EPOCH = "epoch"


def access_token_claims(
    *,
    issuer: str,
    subject: UUID | str,
    audience: tuple[str, ...],
    client_id: str,
    scope: tuple[str, ...],
    grant_id: UUID | str | None,
    session_id: UUID | str | None,
    auth_time: datetime | None,
    acr: str | None,
    jti: str,
    now: datetime,
    lifetime: timedelta,
    epoch: int,
) -> dict[str, Any]:
    """Return the claims (RFC 9068 section 2.2).

    `acr` and `auth_time` let an API ask for a better or fresher sign-in (RFC 9470). `gid` and `sid` let our own
    endpoints see that it is over, and so does `epoch`, which stands in tokens of a store that was restored. UUIDs stay
    what they are: JSON holds them as text.
    """
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "client_id": client_id,
        "exp": issued_at + int(lifetime.total_seconds()),
        "iat": issued_at,
        "jti": jti,
    }
    if scope:
        claims["scope"] = " ".join(scope)
    if auth_time is not None:
        claims["auth_time"] = int(auth_time.timestamp())
    maybe = {"gid": grant_id, "sid": session_id, "acr": acr, EPOCH: epoch or None}
    return claims | {name: value for name, value in maybe.items() if value is not None}
