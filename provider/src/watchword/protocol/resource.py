"""Protected resources: the APIs that tokens are for, and which scopes there are at them (RFC 8707)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watchword.protocol.client import Client
from watchword.protocol.parameters import Parameters
from watchword.protocol.uris import is_absolute_uri
from watchword.protocol.vocabulary import OPENID_SCOPES

SHORTEST_LIFETIME, LONGEST_LIFETIME = 60, 3600  # seconds that a resource's tokens may live
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+\Z")


@dataclass(frozen=True, slots=True)
class Resource:
    """A registered protected resource: the audience of a token and the scopes it knows.

    `lifetime` is in seconds, shorter than the setting's; `client_id` names the client that may introspect its tokens.
    """

    audience: str
    scopes: frozenset[str]
    lifetime: int | None = None
    client_id: str | None = None
    opaque: bool = False


Resources = Mapping[str, Resource]
"""The registered resources by audience."""


def named_resources(parameters: Parameters, client: Client) -> tuple[str, ...]:
    """Return the audiences that a request names, the client's default otherwise. Whether they exist is not checked."""
    return parameters.resources or ((client.default_resource,) if client.default_resource else ())


def scopes_at(audiences: Iterable[str], resources: Resources) -> frozenset[str]:
    """Return every scope that some of these audiences knows; one that is registered no more knows none."""
    return frozenset[str]().union(*[resources[name].scopes for name in audiences if name in resources])


def is_scope_token(text: str) -> bool:
    """Say whether it is one scope (RFC 6749 section 3.3): printable ASCII without spaces, quotes and backslashes."""
    return _SCOPE_TOKEN.match(text) is not None


def parse_resource(
    audience: str,
    scopes: Iterable[str],
    *,
    lifetime: int | None = None,
    client_id: str | None = None,
    opaque: bool = False,
) -> Resource:
    """Read an operator's words into a protected resource; `lifetime` is in seconds.

    Whether the client exists is not checked.

    Raises:
        ValueError: the audience is no absolute URI without a fragment (RFC 8707 section 2), a scope is no scope token
            (RFC 6749 section 3.3) or one of OpenID's own, or the lifetime is too short or too long.
    """
    scopes = frozenset(scopes)
    if not is_absolute_uri(audience):
        raise ValueError("the audience must be an absolute URI without a fragment, such as https://api.example.com")
    for scope in sorted(scopes):
        if not is_scope_token(scope):
            raise ValueError(f"the scope {scope!r} must be printable ASCII without spaces, quotes and backslashes")
        if scope in OPENID_SCOPES:
            raise ValueError(f"the scope {scope} is OpenID's own; name another")
    if lifetime is not None and not SHORTEST_LIFETIME <= lifetime <= LONGEST_LIFETIME:
        raise ValueError(f"the lifetime must be {SHORTEST_LIFETIME} to {LONGEST_LIFETIME} seconds")
    return Resource(audience, scopes, lifetime, client_id, opaque)
