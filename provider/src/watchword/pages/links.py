"""Which of the addresses in a view may stand in a page.

Escaping keeps an address inside its attribute but does not make it harmless: `javascript:` is text like any other.
"""

import re
from typing import Final
from urllib.parse import urlsplit

_CONTROL: Final = re.compile(r"[\x00-\x20\x7f\\]")
_WEB: Final = frozenset({"http", "https"})
_HOST: Final = re.compile(r"[a-z0-9_.:-]+")
_LOCAL: Final = frozenset({("http", "localhost"), ("http", "127.0.0.1"), ("http", "::1")})
_IMAGE: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml)[;,]")


def displayable_link(address: str | None) -> str | None:
    """The address if a person may be offered it as a link, else None.

    Allowed are paths of our own, http, https, mailto, and an app's private scheme, which has the shape of a reversed
    domain (`com.example.notes:/signed-out`, RFC 8252 section 7.1). Whether it leads anywhere is not checked.
    """
    if not address or _CONTROL.search(address):
        return None
    if _is_own_path(address):
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    offered = (parts.scheme in _WEB and parts.netloc) or parts.scheme == "mailto" or "." in parts.scheme
    return address if offered else None


def displayable_image(address: str | None) -> str | None:
    """The address if the pages' Content-Security-Policy (`img-src 'self' data:`) lets it load, else None."""
    if not address or _CONTROL.search(address):
        return None
    return address if _is_own_path(address) or _IMAGE.match(address) else None


def displayable_logo(address: str | None) -> str | None:
    """The address of a client's logo if a browser may load it: https, or http on this machine, else None."""
    return address if logo_origin(address) else None


def logo_origin(address: str | None) -> str | None:
    """Where a client's logo is loaded from, as a source of the page's policy; None when it is not loaded."""
    if not address or _CONTROL.search(address):
        return None
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or not _HOST.fullmatch(host) or (parts.scheme != "https" and (parts.scheme, host) not in _LOCAL):
        return None
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}" + (f":{port}" if port is not None else "")


def host_of(address: str) -> str:
    """Where a registered address leads, as a person can judge it: host and port, or a private scheme."""
    parts = urlsplit(address)
    return parts.netloc.lower() or parts.scheme


def _is_own_path(address: str) -> bool:
    return address.startswith("/") and not address.startswith("//")
