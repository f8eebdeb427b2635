"""Which of the addresses in a view may stand in a page.

Escaping keeps an address inside its attribute but does not make it harmless: `javascript:` is text like any other.
"""

import re
from typing import Final
from urllib.parse import urlsplit

_CONTROL: Final = re.compile(r"[\x00-\x20\x7f\\]")
_WEB: Final = frozenset({"http", "https"})
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


def _is_own_path(address: str) -> bool:
    return address.startswith("/") and not address.startswith("//")
