"""What an endpoint is: its path, its methods, who may call it and from where, and what discovery says of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

Handler = Callable[[Exchange], Awaitable[Answer]]


class Access(Enum):
    """Who may call an endpoint. Every endpoint says so; public is a word somebody wrote."""

    PUBLIC = auto()  # anybody, programs
    PERSON = auto()  # anybody with a browser: errors are pages
    CLIENT = auto()  # a registered client, by its own authentication
    TOKEN = auto()  # whoever holds a live access token
    OPERATOR = auto()  # whoever the operator lets read the metrics
    DEVELOPMENT = auto()  # anybody, and only in development and test mode


class CrossOrigin(Enum):
    """Whose scripts in a browser may read an endpoint's answers."""

    NONE = auto()
    REGISTERED = auto()  # those of a public client's own origins
    ANYBODY = auto()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path. `metadata` is its member of the discovery document; a path ending in `/*` serves all below it.

    `any_host` lets probes ask by another name than the issuer's.
    """

    path: str
    methods: Mapping[str, Handler]
    access: Access
    metadata: str | None = None
    cross_origin: CrossOrigin = CrossOrigin.NONE
    any_host: bool = False
