"""Client metadata as registered (RFC 7591 section 2), checked strictly.

Unknown members are ignored, except those that ask for a protection we do not give: a client would rely on it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from watchword.protocol.client import Client
from watchword.protocol.errors import InvalidClientMetadata, InvalidRedirectUri
from watchword.protocol.resource import Resource
from watchword.protocol.vocabulary import AUTHENTICATION_METHODS, OPENID_SCOPES, SIGNING_ALGORITHMS

Choice = TypeVar("Choice", bound=str)

MAX_REDIRECT_URIS = 20
_LONGEST_URI = 2048
_GRANT_TYPES = frozenset({"authorization_code", "refresh_token", "client_credentials"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SCRIPT_SCHEMES = frozenset({"javascript", "data", "file", "vbscript", "blob", "about", "filesystem", "view-source"})
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e%]+\Z")
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\Z")
_DOT_SEGMENT = re.compile(r"(^|/)(\.|%2e){1,2}(/|$|;|\?)", re.IGNORECASE)
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+\Z")
_ENCRYPTED_RESPONSE = re.compile(r"[a-z_]+_encrypted_response_(?:alg|enc)\Z")
_ONLY_VALUES = {"subject_type": "public", "userinfo_signed_response_alg": "none"}
_NOT_OFFERED = frozenset(
    {
        "dpop_bound_access_tokens",
        "require_pushed_authorization_requests",
        "tls_client_certificate_bound_access_tokens",
    }
)
SHORTEST_LIFETIME, LONGEST_LIFETIME = 60, 3600  # seconds that a resource's tokens may live


def parse_client_metadata(document: Mapping[str, Any], *, client_id: str, trusted: bool) -> Client:
    """Read metadata into a client without secrets.

    `trusted` is the operator's own registration: only it may ask for scopes beyond OpenID's, lift PKCE, or be
    first-party. What a stranger sends there is ignored (RFC 7591 section 5).

    Raises:
        InvalidRedirectUri: a redirect URI that could leak a code.
        InvalidClientMetadata: anything else that does not hold.
    """
    _check_offered(document)
    method = _choice(document, "token_endpoint_auth_method", AUTHENTICATION_METHODS, "client_secret_basic")
    grant_types, response_types = _flows(document)
    redirect_uris = _uris(document, "redirect_uris")
    _check_flows(grant_types, response_types, redirect_uris, method)
    return Client(
        id=client_id,
        name=_name(document),
        redirect_uris=redirect_uris,
        post_logout_redirect_uris=_uris(document, "post_logout_redirect_uris"),
        grant_types=grant_types,
        response_types=response_types,
        token_endpoint_auth_method=method,
        scopes=_scopes(document, trusted=trusted),
        application_type=_choice(document, "application_type", ("web", "native"), "web"),
        first_party=trusted and document.get("first_party") is True,
        pkce_required=_pkce_required(document, method, trusted=trusted),
        id_token_signed_response_alg=_choice(document, "id_token_signed_response_alg", SIGNING_ALGORITHMS, "RS256"),
        default_max_age=_seconds(document, "default_max_age"),
        require_auth_time=document.get("require_auth_time") is True,
        default_resource=_text(document, "default_resource", _LONGEST_URI) if trusted else None,
        logo_uri=_web_page(document, "logo_uri"),
        client_uri=_web_page(document, "client_uri"),
        policy_uri=_web_page(document, "policy_uri"),
        tos_uri=_web_page(document, "tos_uri"),
    )


def client_metadata(client: Client) -> dict[str, Any]:
    """Return the metadata that stands registered: what a registration answers and what the store keeps."""
    document: dict[str, Any] = {
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "grant_types": sorted(client.grant_types),
        "response_types": sorted(client.response_types),
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "scope": " ".join(sorted(client.scopes)),
        "application_type": client.application_type,
        "id_token_signed_response_alg": client.id_token_signed_response_alg,
        "default_max_age": client.default_max_age,
        "require_auth_time": client.require_auth_time,
        "default_resource": client.default_resource,
        "logo_uri": client.logo_uri,
        "client_uri": client.client_uri,
        "policy_uri": client.policy_uri,
        "tos_uri": client.tos_uri,
        "pkce_required": client.pkce_required,
    }
    return {name: value for name, value in document.items() if value is not None}


def parse_resource(
    audience: str,
    scopes: Iterable[str],
    *,
    lifetime: int | None = None,
    client_id: str | None = None,
    opaque: bool = False,
) -> Resource:
    """Read an operator's words into a protected resource; `lifetime` is in seconds.

    Whether the client exists is not checked.

    Raises:
        ValueError: the audience is no absolute URI without a fragment (RFC 8707 section 2), a scope is no scope token
            (RFC 6749 section 3.3) or one of OpenID's own, or the lifetime is too short or too long.
    """
    scopes = frozenset(scopes)
    if len(audience) > _LONGEST_URI or not _is_absolute_uri(audience):
        raise ValueError("the audience must be an absolute URI without a fragment, such as https://api.example.com")
    for scope in sorted(scopes):
        if not _SCOPE_TOKEN.match(scope):
            raise ValueError(f"the scope {scope!r} must be printable ASCII without spaces, quotes and backslashes")
        if scope in OPENID_SCOPES:
            raise ValueError(f"the scope {scope} is OpenID's own; name another")
    if lifetime is not None and not SHORTEST_LIFETIME <= lifetime <= LONGEST_LIFETIME:
        raise ValueError(f"the lifetime must be {SHORTEST_LIFETIME} to {LONGEST_LIFETIME} seconds")
    return Resource(audience, scopes, lifetime, client_id, opaque)


def _is_absolute_uri(text: str) -> bool:
    """RFC 3986 section 4.3; where the scheme is of the web, there is a host too."""
    if not _URI.match(text) or "#" in text:
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme not in {"http", "https"} or _AUTHORITY.match(parts.netloc) is not None


def check_redirect_uri(uri: str) -> None:
    """Refuse a redirect URI that cannot be matched exactly or would leak (RFC 8252 section 8.4, RFC 9700 section 4.1).

    Raises:
        InvalidRedirectUri: saying which rule it breaks.
    """
    if len(uri) > _LONGEST_URI or not _URI.match(uri):
        raise InvalidRedirectUri("A redirect URI must be an absolute URI of printable ASCII, without wildcards.")
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        raise InvalidRedirectUri("A redirect URI has a malformed authority.") from None
    if "#" in uri or "*" in uri or parts.username is not None or parts.password is not None:
        raise InvalidRedirectUri("A redirect URI may hold no fragment, wildcard or user name.")
    if _DOT_SEGMENT.search(parts.path):
        raise InvalidRedirectUri("A redirect URI may hold no dot segments.")
    if parts.scheme in _SCRIPT_SCHEMES:
        raise InvalidRedirectUri("A redirect URI may not use a script scheme.")
    if parts.scheme in {"http", "https"}:
        _check_web_host(parts)
    elif "." not in parts.scheme:
        raise InvalidRedirectUri("A private-use scheme must be a reversed domain name, such as com.example.app.")


def _check_web_host(parts: SplitResult) -> None:
    if not _AUTHORITY.match(parts.netloc):
        raise InvalidRedirectUri("A redirect URI needs a plain host name or address.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise InvalidRedirectUri("A redirect URI must use https, except on loopback.")


def _check_offered(document: Mapping[str, Any]) -> None:
    """Refuse what would go unheeded: pairwise subjects, signed or encrypted answers, bound tokens, pushed requests."""
    for name, value in document.items():
        if value is None or value is False:
            continue
        only = _ONLY_VALUES.get(name)
        if only is not None and value != only:
            raise InvalidClientMetadata(f"{name} must be {only}.")
        if name in _NOT_OFFERED or _ENCRYPTED_RESPONSE.match(name):
            raise InvalidClientMetadata(f"{name[:60]} is not supported.")


def _flows(document: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Read grant types and response types; what is left out follows from the other (RFC 7591 section 2)."""
    grant_types = frozenset(_words(document, "grant_types") or ("authorization_code",))
    usual = ("code",) if "authorization_code" in grant_types else ()
    return grant_types, frozenset(_words(document, "response_types") or usual)


def _check_flows(
    grant_types: frozenset[str], response_types: frozenset[str], redirect_uris: tuple[str, ...], method: str
) -> None:
    if unknown := grant_types - _GRANT_TYPES:
        raise InvalidClientMetadata("A grant type is not supported.", detail=min(unknown)[:40])
    if response_types - {"code"}:
        raise InvalidClientMetadata("Only response_type code is supported.")
    if ("authorization_code" in grant_types) != bool(response_types):
        raise InvalidClientMetadata("response_types and grant_types do not fit together.")
    if response_types and not redirect_uris:
        raise InvalidRedirectUri("The authorization_code grant needs at least one redirect URI.")
    if "client_credentials" in grant_types and method == "none":
        raise InvalidClientMetadata("The client_credentials grant needs a client that authenticates.")


def _pkce_required(document: Mapping[str, Any], method: str, *, trusted: bool) -> bool:
    """Always of public clients; of confidential ones unless the operator lifts it.

    A confidential client that registered itself need not send it: certified clients may come without PKCE.
    """
    return method == "none" or (trusted and document.get("pkce_required") is not False)


def _uris(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = _words(document, name)
    if len(values) > MAX_REDIRECT_URIS:
        raise InvalidRedirectUri(f"At most {MAX_REDIRECT_URIS} URIs may be registered in {name}.")
    for uri in values:
        check_redirect_uri(uri)
    return values


def _words(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = document.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidClientMetadata(f"{name} must be an array of strings.")
    return tuple(dict.fromkeys(value))


def _scopes(document: Mapping[str, Any], *, trusted: bool) -> frozenset[str]:
    words = frozenset((_text(document, "scope", 1024) or "").split())
    if not all(_SCOPE_TOKEN.match(word) for word in words):
        raise InvalidClientMetadata("scope holds a character that is not allowed.")
    # Nothing left means the default here too, or the record would read differently from what was answered.
    return (words if trusted else words & OPENID_SCOPES) or OPENID_SCOPES


def _text(document: Mapping[str, Any], name: str, longest: int) -> str | None:
    value = document.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise InvalidClientMetadata(f"{name} must be printable text of at most {longest} characters.")
    return value


def _name(document: Mapping[str, Any]) -> str:
    return _text(document, "client_name", 100) or "Unnamed application"


def _choice(document: Mapping[str, Any], name: str, allowed: tuple[Choice, ...], default: Choice) -> Choice:
    value = document.get(name, default)
    if value not in allowed:
        raise InvalidClientMetadata(f"{name} must be one of {', '.join(allowed)}.")
    return allowed[allowed.index(value)]


def _seconds(document: Mapping[str, Any], name: str) -> int | None:
    value = document.get(name)
    if value is not None and (type(value) is not int or not 0 <= value < 10**9):
        raise InvalidClientMetadata(f"{name} must be a number of seconds.")
    return value


def _web_page(document: Mapping[str, Any], name: str) -> str | None:
    """A page or picture of the client: https, or http on loopback."""
    value = _text(document, name, _LONGEST_URI)
    if value is None:
        return None
    refusal = InvalidClientMetadata(f"{name} must be an https URL.")
    try:
        parts = urlsplit(value)
    except ValueError:
        raise refusal from None
    if not _URI.match(value) or not _AUTHORITY.match(parts.netloc):
        raise refusal
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return value
    raise refusal
