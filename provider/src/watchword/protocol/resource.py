"""Protected resources: the APIs that tokens are for, and which scopes there are at them (RFC 8707)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watchword.protocol.client import Client
from watchword.protocol.parameters import Parameters


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
