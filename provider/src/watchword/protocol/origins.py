"""Origins: which scripts in a browser belong to a client (RFC 6454 section 4)."""

from collections.abc import Iterable
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def browser_origins(redirect_uris: Iterable[str]) -> frozenset[str]:
    """Return the origins of redirect URIs as browsers write them; what is no web address has none."""
    return frozenset(origin for uri in redirect_uris if (origin := _origin(uri)) is not None)


def _origin(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"
