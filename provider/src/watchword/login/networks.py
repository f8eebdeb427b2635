"""Networks: what of a caller's address a limit counts, so that a whole block of addresses is one caller."""

import ipaddress
import socket
from collections.abc import Iterator

_PREFIXES = {4: ((32, 1),), 6: ((64, 1), (56, 2), (48, 4))}
_NO_ADDRESS = "none"


def networks_of(address: str) -> Iterator[tuple[str, int]]:
    """Give the networks an address counts against, and how many times one caller's share each of them has.

    IPv4 by the address; IPv6 by /64, which is one subscriber, and by /56 and /48, which one subscriber may own as well.
    What is no address is one caller, whoever sends it: never a way around the limit.
    """
    if _is_ipv4(address):
        yield f"{address}/32", 1
        return
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        yield _NO_ADDRESS, 1
        return
    known = getattr(parsed, "ipv4_mapped", None) or parsed
    for length, share in _PREFIXES[known.version]:
        yield str(ipaddress.ip_network((int(known), length), strict=False)), share


def _is_ipv4(address: str) -> bool:
    """Say whether it is written in the one way there is; the system parses it in a tenth of the module's time."""
    try:
        socket.inet_pton(socket.AF_INET, address)
    except (OSError, ValueError):
        return False
    return True
