"""The token exchange: what every grant type receives, and how it narrows what was granted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from watchword.database import Reader, accounts
from watchword.events import Caller
from watchword.protocol.claims import known_claims
from watchword.protocol.claims_request import read_claims_request
from watchword.protocol.client import Client
from watchword.protocol.errors import InvalidScope, InvalidTarget
from watchword.protocol.parameters import Parameters
from watchword.protocol.resource import Resources, scopes_at
from watchword.protocol.vocabulary import OPENID_SCOPES


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token request of an authenticated client that may use its grant type."""

    client: Client
    form: Parameters
    resources: Resources
    caller: Caller


def narrow_audience(request: TokenRequest, granted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the audiences this token is for: those asked for, all that were granted otherwise (RFC 8707 section 2.2).

    Raises:
        InvalidTarget: one was not granted.
    """
    asked = request.form.resources
    if not asked:
        return granted
    if not set(asked) <= set(granted):
        raise InvalidTarget("The resource was not part of the authorization.")
    return asked


def narrow_scope(request: TokenRequest, granted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the part of the grant that was asked for, all of it otherwise (RFC 6749 section 6).

    Raises:
        InvalidScope: something was asked for that was not granted.
    """
    asked = set(request.form.get("scope", "").split()) or set(granted)
    if not asked <= set(granted):
        raise InvalidScope("The scope goes beyond what was granted.")
    return tuple(scope for scope in granted if scope in asked)


def scope_at(request: TokenRequest, scope: tuple[str, ...], audience: tuple[str, ...]) -> tuple[str, ...]:
    """Return a scope without what belongs to resources that the token is not for (RFC 8707 section 2.2)."""
    here = OPENID_SCOPES | scopes_at(audience, request.resources)
    return tuple(word for word in scope if word in here)


async def claims_for_id_token(
    reader: Reader, account_id: UUID, scope: tuple[str, ...], asked: str | None
) -> Mapping[str, Any]:
    """Return what the client asked to find in the ID token itself, as far as it is known (OpenID Connect Core 5.5).

    One statement if it asked for something and gets an ID token; none otherwise. `asked` is the grant's claims request.
    """
    if asked is None or "openid" not in scope:
        return {}
    names = read_claims_request(asked).id_token
    return known_claims(names, await accounts.claims_of(reader, account_id)) if names else {}
