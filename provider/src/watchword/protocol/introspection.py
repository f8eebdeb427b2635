"""Token introspection (RFC 7662): what is told about a token, and to whom."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from watchword.protocol.client import Client
from watchword.protocol.resource import Resources, scopes_at
from watchword.protocol.vocabulary import OPENID_SCOPES

# All that is ever said about a token that is not live, or not the caller's business (section 2.2).
INACTIVE: Final[Mapping[str, Any]] = {"active": False}
_TOLD: Final = ("iss", "sub", "client_id", "exp", "iat", "jti", "sid", "auth_time")


def audience_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the audience of an access token of ours, which a JWT writes as one text or as a list."""
    audience = claims["aud"]
    return (audience,) if isinstance(audience, str) else tuple(audience)


def own_audience(audience: tuple[str, ...], client: Client, resources: Resources) -> tuple[str, ...]:
    """Return those of these resources that the client introspects for; none: the token is not its business."""
    return tuple(name for name in audience if name in resources and resources[name].client_id == client.id)


def access_token_facts(
    claims: Mapping[str, Any],
    *,
    audience: tuple[str, ...],
    amr: tuple[str, ...],
    acr: str | None,
    resources: Resources,
) -> dict[str, Any]:
    """Describe a live access token to one of its resources (section 2.2).

    Of a token for several resources each learns its own part: its audience, its scopes and OpenID's (section 5). A
    person's name for signing in (`username`) is never told.
    """
    here = OPENID_SCOPES | scopes_at(audience, resources)
    facts: dict[str, Any] = {
        "active": True,
        "token_type": "Bearer",
        **{name: claims[name] for name in _TOLD if name in claims},
        "aud": audience[0] if len(audience) == 1 else list(audience),
    }
    if scope := " ".join(word for word in claims.get("scope", "").split() if word in here):
        facts["scope"] = scope
    return facts | _sign_in(amr, acr)


def refresh_token_facts(
    *,
    issuer: str,
    subject: UUID | str,
    client_id: str,
    scope: tuple[str, ...],
    session_id: UUID | None,
    auth_time: datetime,
    amr: tuple[str, ...],
    acr: str | None,
) -> dict[str, Any]:
    """Describe a refresh token to its own client (section 2.2). `token_type` is a word for access tokens."""
    facts: dict[str, Any] = {
        "active": True,
        "iss": issuer,
        "sub": subject,
        "client_id": client_id,
        "scope": " ".join(scope),
        "auth_time": int(auth_time.timestamp()),
    }
    if session_id is not None:
        facts["sid"] = session_id
    return facts | _sign_in(amr, acr)


def _sign_in(amr: tuple[str, ...], acr: str | None) -> dict[str, Any]:
    """Tell how the person signed in; nothing when no person did (RFC 9470 section 6)."""
    facts: dict[str, Any] = {"amr": list(amr)} if amr else {}
    return facts if acr is None else facts | {"acr": acr}
