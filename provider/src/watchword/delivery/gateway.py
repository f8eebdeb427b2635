"""What a gateway is, and what it is opened from: an address such as `smtp://user:password@host`, and what is lent."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, TextIO
from urllib.parse import parse_qsl, unquote, urlsplit

from watchword.clock import Clock
from watchword.delivery.message import Channel, Message
from watchword.delivery.outcome import Sent


class Gateway(Protocol):
    """Carries messages to people. Any number of messages may be under way at once."""

    @property
    def name(self) -> str:
        """The name in logs and records."""
        ...

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels it serves; it is given no message of another one."""
        ...

    async def send(self, message: Message) -> Sent:
        """Send it, within the gateway's own time limit.

        Raises:
            DeliveryFailed: for every failure of the other side; neither the error nor a log shows recipient or code.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. Nothing is sent afterwards."""
        ...


class MailboxJournal(Protocol):
    """Where the development mailbox keeps its entries."""

    async def append(self, entry: bytes) -> None:
        """Keep one JSON object."""
        ...


class InvalidGatewayURL(ValueError):
    """The address of a gateway cannot be used. The text says why and shows no credentials."""


@dataclass(frozen=True, slots=True)
class GatewayURL:
    """A gateway's address, taken apart and percent-decoded. Its repr shows only scheme and host.

    Attributes:
        options: the query; every name occurs once.
    """

    scheme: str
    host: str
    port: int | None
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)
    path: str = field(repr=False)
    options: Mapping[str, str] = field(repr=False)

    def check_options(self, known: frozenset[str]) -> None:
        """Refuse options the gateway does not know, since a misspelt one would be silently without effect.

        Raises:
            InvalidGatewayURL: an option is not in `known`.
        """
        unknown = sorted(self.options.keys() - known)
        if unknown:
            raise InvalidGatewayURL(f"unknown option {unknown[0]!r}; known: {', '.join(sorted(known)) or 'none'}")


@dataclass(frozen=True, slots=True)
class Provisions:
    """What the provider lends to a gateway; each takes what it needs.

    Attributes:
        sender: the From address of email, with or without a display name.
        cafile: PEM file of one more authority to trust, beside those of the system.
        journal: where the development mailbox writes.
        stream: where the console gateway writes.
        now: the clock.
    """

    sender: str | None = None
    cafile: Path | None = None
    journal: MailboxJournal | None = None
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    now: Callable[[], datetime] = Clock().now


@dataclass(frozen=True, slots=True)
class GatewayKind:
    """One kind of gateway, as listed in `GATEWAYS`.

    Attributes:
        open: makes the gateway, without connecting; raises InvalidGatewayURL.
        channels: what it can serve.
        development_only: it shows codes to whoever looks, so production refuses it.
    """

    open: Callable[[GatewayURL, Provisions], Gateway]
    channels: frozenset[Channel]
    development_only: bool = False


def parse_gateway_url(url: str) -> GatewayURL:
    """Take an address apart.

    Raises:
        InvalidGatewayURL: it has no scheme, a port that is none, or an option twice.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query), max_num_fields=20)
    except ValueError:
        raise InvalidGatewayURL("not a URL such as smtp://user:password@host:587") from None
    if not parts.scheme:
        raise InvalidGatewayURL("no scheme such as smtp://")
    if len(dict(options)) < len(options):
        raise InvalidGatewayURL("an option occurs twice")
    return GatewayURL(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=port,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        path=unquote(parts.path),
        options=dict(options),
    )
