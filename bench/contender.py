"""A contender: a provider under measurement, as far as a scenario must know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bench.load import Sender
from bench.server import Server

REDIRECT_URI = "http://127.0.0.1:8999/callback"
RESOURCE = "https://api.bench.example"


class Name(StrEnum):
    """Who is measured, as the tables say it."""

    BARE = "bare route"
    EMBEDDED = "Watchword, embedded SQLite"
    NETWORKED = "Watchword, PostgreSQL and Redis"
    NODE_MEMORY = "oidc-provider, memory"
    NODE_REDIS = "oidc-provider, Redis"
    FLASK = "Authlib on Flask, SQLite"


OURS = (Name.EMBEDDED, Name.NETWORKED)


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered confidential client."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Routes:
    """Paths of the endpoints."""

    discovery: str = "/.well-known/openid-configuration"
    jwks: str = "/jwks"
    authorization: str = "/authorize"
    token: str = "/token"
    userinfo: str = "/userinfo"
    introspection: str = "/introspect"


@dataclass(frozen=True, slots=True)
class Clients:
    """The registered clients: they differ in how their ID tokens are signed. Both may get tokens of their own."""

    rs256: Registration
    es256: Registration


@dataclass(frozen=True, slots=True)
class SignedIn:
    """How a walk ended.

    `waited` seconds passed until the message arrived; `session` is the browser's cookie; `address` is where it came
    from, as a proxy in front would say, empty where nobody asks.
    """

    authorization_code: str = field(repr=False)
    waited: float = 0.0
    session: str = field(default="", repr=False)
    address: str = ""


class Walk(Protocol):
    """A complete login of the next person in a fresh browser, up to the authorization code."""

    async def __call__(self, sender: Sender, client: Registration) -> SignedIn:
        """Walk it."""
        ...


@dataclass(frozen=True, slots=True)
class Contender:
    """A provider under measurement.

    `offers` names the scenarios it takes part in; `jwt` and `opaque` are what a request for a client's own token
    carries beside its grant type, so that the token is of that kind.
    """

    name: Name
    server: Server
    offers: frozenset[str]
    clients: Clients
    sign_in: Walk
    routes: Routes = Routes()
    jwt: Mapping[str, str] = field(default_factory=dict)
    opaque: Mapping[str, str] = field(default_factory=dict)
    session: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """What requests name as Host."""
        return f"localhost:{self.server.port}"
