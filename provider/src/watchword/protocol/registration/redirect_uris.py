"""Where codes may be sent: the redirect URIs that may be registered (RFC 8252, RFC 9700 section 4.1)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

from watchword.protocol.errors import InvalidRedirectUri
from watchword.protocol.registration.members import choice, strings
from watchword.protocol.uris import WEB_SCHEMES, has_plain_host, is_loopback, split_uri

ApplicationType = Literal["web", "native"]

MAX_REDIRECT_URIS: Final = 20
_SCRIPT_SCHEMES = frozenset({"javascript", "data", "file", "vbscript", "blob", "about", "filesystem", "view-source"})
_SLASH = r"(?:/|%2f|%5c)"
_DOT_SEGMENT = re.compile(rf"(?:^|{_SLASH})(?:\.|%2e){{1,2}}(?:{_SLASH}|$|;|\?)", re.IGNORECASE)
_APPLICATION_TYPES: tuple[ApplicationType, ...] = ("web", "native")


def check_redirect_uri(uri: str) -> None:
    """Refuse a redirect URI that cannot be matched exactly or would leak (RFC 8252 section 8.4, RFC 9700 section 4.1).

    Raises:
        InvalidRedirectUri: saying which rule it breaks.
    """
    try:
        parts = split_uri(uri)
    except ValueError:
        raise InvalidRedirectUri("A redirect URI must be an absolute URI of printable ASCII.") from None
    if "#" in uri or "*" in uri or "@" in parts.netloc:
        raise InvalidRedirectUri("A redirect URI may hold no fragment, wildcard or user name.")
    if _DOT_SEGMENT.search(parts.path):
        raise InvalidRedirectUri("A redirect URI may hold no dot segments.")
    if parts.scheme in _SCRIPT_SCHEMES:
        raise InvalidRedirectUri("A redirect URI may not use a script scheme.")
    if parts.scheme in WEB_SCHEMES:
        _check_web_host(parts)
    elif "." not in parts.scheme:
        raise InvalidRedirectUri("A private-use scheme must be a reversed domain name, such as com.example.app.")


def redirect_uris(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Read the redirect URIs of a member.

    Raises:
        InvalidRedirectUri: one of them is refused, or there are too many.
        InvalidClientMetadata: it is no array of strings.
    """
    values = strings(document, name)
    if len(values) > MAX_REDIRECT_URIS:
        raise InvalidRedirectUri(f"At most {MAX_REDIRECT_URIS} URIs may be registered in {name}.")
    for uri in values:
        check_redirect_uri(uri)
    return values


def application_type(document: Mapping[str, Any], uris: Iterable[str]) -> ApplicationType:
    """Read the application type. Left out it is `web`, or `native` where a URI has a private-use scheme.

    Plain http on loopback may be registered by either: the rule against it is for the implicit grant (OpenID Connect
    Registration section 2), which there is none of here, and development and test clients call themselves `web`.

    Raises:
        InvalidRedirectUri: a web application has a URI of a private-use scheme, which any app may claim on a device.
        InvalidClientMetadata: it is neither `web` nor `native`.
    """
    private_use = any(urlsplit(uri).scheme not in WEB_SCHEMES for uri in uris)
    usual: ApplicationType = "native" if private_use else "web"
    chosen = choice(document, "application_type", _APPLICATION_TYPES, usual)
    if chosen == "web" and private_use:
        raise InvalidRedirectUri("A private-use scheme is for native applications. Register application_type native.")
    return chosen


def _check_web_host(parts: SplitResult) -> None:
    if not has_plain_host(parts):
        raise InvalidRedirectUri("A redirect URI needs a plain host name or address.")
    if parts.scheme == "http" and not is_loopback(parts):
        raise InvalidRedirectUri("A redirect URI must use https, except on loopback.")


def redirect_places(redirect_uris: Iterable[str]) -> frozenset[str]:
    """Return where redirect URIs lead: the hosts of web addresses, whatever their port, and private-use schemes."""
    parts = map(urlsplit, redirect_uris)
    return frozenset(each.hostname or f"{each.scheme}:" for each in parts)
