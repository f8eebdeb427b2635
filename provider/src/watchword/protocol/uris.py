"""URIs that others give us: absolute, of printable ASCII, with a plain host where they are of the web."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

LONGEST_URI: Final = 2048
LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
WEB_SCHEMES: Final = frozenset({"http", "https"})

# RFC 3986 section 2: no space, quote, angle bracket, backslash, brace; a percent sign begins an escape.
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:(?:[\x21\x23\x24\x26-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]|%[0-9A-Fa-f]{2})+\Z"
)
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\Z")


def split_uri(text: str) -> SplitResult:
    """Return the parts of an absolute URI (RFC 3986 section 4.3), whose fragment is allowed.

    Raises:
        ValueError: it is too long, holds a character that no URI may, or its authority is malformed.
    """
    if len(text) > LONGEST_URI or not _URI.match(text):
        raise ValueError("not an absolute URI of printable ASCII")
    parts = urlsplit(text)
    _ = parts.port  # raises ValueError when it is out of range
    return parts


def has_plain_host(parts: SplitResult) -> bool:
    """Say whether the authority is a host name or address in ASCII and maybe a port: no user name, no escape."""
    return _AUTHORITY.match(parts.netloc) is not None


def is_loopback(parts: SplitResult) -> bool:
    """Say whether it is plain http on this machine's loopback."""
    return parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS


def is_absolute_uri(text: str) -> bool:
    """Say whether it is an absolute URI without a fragment; where the scheme is of the web, there is a host too."""
    try:
        parts = split_uri(text)
    except ValueError:
        return False
    return "#" not in text and (parts.scheme not in WEB_SCHEMES or has_plain_host(parts))
