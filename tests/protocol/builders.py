"""Values for tests of the pure core: a client, a request, a session, each with what a test changes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from watchword.protocol.authorization_request import (
    AuthorizationRequest,
    parse_authorization_request,
    resolve_target,
)
from watchword.protocol.client import Client
from watchword.protocol.interaction import Session
from watchword.protocol.parameters import Parameters
from watchword.protocol.resource import Resource

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ISSUER = "https://id.example"
CALLBACK = "https://rp.example/cb"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ACCOUNT = UUID("7d9f0a52-6a65-4f0e-9a33-1c1a5f3c7f01")
API = Resource("https://api.example", frozenset({"notes:read", "notes:write"}))
FILES = Resource("https://files.example", frozenset({"files:read", "notes:read"}))
RESOURCES = {API.audience: API, FILES.audience: FILES}

PARAMETERS = {
    "client_id": "c_rp",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid email",
    "state": "af0ifjsldkj",
    "nonce": "n-0S6_WzA2Mj",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def a_client(**changes: Any) -> Client:
    """A confidential client of the authorization code grant that must use PKCE."""
    facts: dict[str, Any] = {"id": "c_rp", "name": "A relying party", "redirect_uris": (CALLBACK,)}
    return Client(**(facts | changes))


def some_parameters(*more: tuple[str, str], **changes: str | None) -> Parameters:
    """A good request; a change to None leaves a parameter out, `more` stands behind it."""
    merged = PARAMETERS | changes
    return Parameters([(name, value) for name, value in merged.items() if value is not None] + list(more))


def a_request(client: Client | None = None, *more: tuple[str, str], **changes: str | None) -> AuthorizationRequest:
    """A request that passed every check."""
    parameters = some_parameters(*more, **changes)
    return parse_authorization_request(parameters, resolve_target(parameters, client or a_client()), RESOURCES)


def a_session(*, age: timedelta = timedelta(minutes=5), account: UUID = ACCOUNT) -> Session:
    """A browser that signed in `age` before NOW."""
    return Session(UUID(int=1), account, NOW - age, ("otp",))
