"""What an endpoint is: its path, its methods, who may call it, and what discovery says of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from starlette.responses import Response

from watchword.web.exchange import Exchange

Handler = Callable[[Exchange], Awaitable[Response]]


class Access(Enum):
    """Who may call an endpoint. Every endpoint says so; public is a word somebody wrote."""

    PUBLIC = auto()  # anybody, programs
    PERSON = auto()  # anybody with a browser: errors are pages
    CLIENT = auto()  # a registered client, by its own authentication
    TOKEN = auto()  # whoever holds a live access token
    DEVELOPMENT = auto()  # anybody, and only in development and test mode


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path. `metadata` is its member of the discovery document; a path ending in `/*` serves all below it."""

    path: str
    methods: Mapping[str, Handler]
    access: Access
    metadata: str | None = None
