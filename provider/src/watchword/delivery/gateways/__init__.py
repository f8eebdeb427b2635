"""The gateways. A new one is a file beside this and a line in `GATEWAYS`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic import SecretStr

from watchword.delivery.gateway import Gateway, GatewayKind, InvalidGatewayURL, Provisions, parse_gateway_url
from watchword.delivery.gateways import console, mailbox, smtp
from watchword.delivery.message import Channel

GATEWAYS: Final[Mapping[str, GatewayKind]] = MappingProxyType(
    {
        "console": console.KIND,
        "mailbox": mailbox.KIND,
        "smtp": smtp.KIND,
        "smtps": smtp.KIND,
    }
)
"""URL scheme to kind."""


def open_gateway(
    url: SecretStr | str, channel: Channel, provisions: Provisions | None = None, *, development: bool = False
) -> Gateway:
    """The gateway at an address, ready to carry messages of `channel`. Nothing is connected yet.

    Args:
        url: the address, credentials included.
        channel: what it will be used for.
        provisions: what the provider lends it.
        development: whether the provider runs in development or test mode. Elsewhere a gateway that shows codes to
            whoever looks is refused.

    Raises:
        InvalidGatewayURL: the address cannot be used; the text says why and shows no credentials.
    """
    address = parse_gateway_url(url.get_secret_value() if isinstance(url, SecretStr) else url)
    kind = GATEWAYS.get(address.scheme)
    if kind is None:
        raise InvalidGatewayURL(f"unknown gateway; known: {', '.join(GATEWAYS)}")
    if channel not in kind.channels:
        raise InvalidGatewayURL(f"{address.scheme}:// does not carry {channel}")
    if kind.development_only and not development:
        raise InvalidGatewayURL(f"{address.scheme}:// shows codes to whoever looks: only for development and test")
    return kind.open(address, provisions or Provisions())
