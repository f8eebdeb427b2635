"""Where a fetch may lead: the form of a URL, and which addresses are of the public Internet. Pure judgement.

URLs are read by one strict pattern and by nothing else, so that no second parser can read another host out of one.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS: Final = frozenset({443, 8443})
"""The ports of web servers that speak TLS. Others are services that a client has no business to have us knock at."""

_LONGEST_URL: Final = 2048
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?:(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)|\[(?P<ipv6>[0-9a-f:.]+)\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/[a-z0-9._~!$&'()*+,;=:@%/-]*)?(?P<query>\?[a-z0-9._~!$&'()*+,;=:@%/?-]*)?\Z",
    re.IGNORECASE | re.ASCII,
)
_LONGEST_NAME: Final = 253  # RFC 1035 section 2.3.4, without the root
# Where a name ends like this, resolvers take it for an IPv4 address, in forms as odd as 0x7f.1 or 2130706433.
_NUMERIC_END: Final = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\Z")

_IPV6_INTERNET: Final = ipaddress.IPv6Network("2000::/3")  # all that was ever allotted (RFC 3587)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 section 2.1
# What Python's tables take for public, or did in some version, and is not.
_NOT_PUBLIC: Final = (
    ipaddress.IPv4Network("192.0.0.0/24"),  # protocol assignments (RFC 6890); one of them is Oracle's metadata service
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays of 6to4 (RFC 7526)
    ipaddress.IPv4Network("168.63.129.16/32"),  # the platform service that every machine at Azure reaches
    ipaddress.IPv6Network("2001::/23"),  # protocol assignments (RFC 2928), Teredo among them
    ipaddress.IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)


class FetchRefused(Exception):
    """An address that is not fetched from, now or later: its URL, its host, or a redirect.

    `str()` may be shown to whoever gave the URL. It does not say what a name resolves to, nor whether it does.
    """


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. `host` is a lower-case name or an address, `path` holds the query too."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"

    @property
    def ordinary(self) -> bool:
        """Whether scheme and port are those of the public web."""
        return self.scheme == "https" and self.port in PORTS


def parse_target(url: str, *, loopback: bool = False) -> Target:
    """Read a URL that is to be fetched. Whether its host may be reached is not known before it is resolved.

    `loopback` is a switch of test and development mode: plain http and any port, for the addresses of loopback alone.

    Raises:
        FetchRefused: it is not https, or names a user, a fragment, another port, or a host in an odd form.
    """
    match = _URL.match(url) if len(url) <= _LONGEST_URL else None
    if match is None:
        raise FetchRefused("The URL must be a plain https URL without user name and fragment.")
    scheme = match["scheme"].lower()
    port = int(match["port"] or (443 if scheme == "https" else 80))
    target = Target(scheme, _host(match["name"], match["ipv6"]), port, (match["path"] or "/") + (match["query"] or ""))
    if not loopback and not target.ordinary:
        raise FetchRefused("The URL must use https, on port 443 or 8443.")
    return target


def choose_addresses(target: Target, found: Sequence[str], *, loopback: bool) -> list[Address]:
    """Return the addresses of a host, in their order, when every one of them may be reached.

    One that may not refuses all: who mixes both kinds in one answer is up to something.

    Raises:
        FetchRefused: an address is not of the public Internet, or there is none.
    """
    addresses = list(dict.fromkeys(map(ipaddress.ip_address, found)))
    if not addresses or not all(_is_reachable(target, address, loopback=loopback) for address in addresses):
        raise FetchRefused("The host of the URL is not on the public Internet.")
    return addresses


def is_public(address: Address) -> bool:
    """Say whether an address is of the public Internet: global, for one host, and so is what is wrapped in it."""
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            wrapped = ipaddress.IPv4Address(address.packed[-4:])
        if wrapped is not None:
            return is_public(wrapped)
        if address not in _IPV6_INTERNET:
            return False
    if any(address in network for network in _NOT_PUBLIC if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_reachable(target: Target, address: Address, *, loopback: bool) -> bool:
    return (loopback and address.is_loopback) or (target.ordinary and is_public(address))


def _host(name: str | None, ipv6: str | None) -> str:
    """Return the host in its one form: a name of letters, or an address as it is written canonically."""
    host = (name or ipv6 or "").lower()
    try:
        if ipv6 is not None:
            return str(ipaddress.IPv6Address(host))
        return str(ipaddress.IPv4Address(host)) if _NUMERIC_END.search(host) else _name(host)
    except ValueError:
        raise FetchRefused("The host of the URL must be a name, or an address in its usual form.") from None


def _name(host: str) -> str:
    if len(host) > _LONGEST_NAME or any(len(label) > 63 for label in host.split(".")):
        raise ValueError("length")
    return host
