"""What a provider says of itself (OpenID Connect Discovery 1.0, RFC 8414)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..addresses import is_trustworthy
from .fetch import Fetcher, FetchFailed


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The members used here; an endpoint the provider does not have is None.

    Attributes:
        sends_issuer: whether every authorization response carries `iss` (RFC 9207), so that one without it is forged.
        secret_in_form: whether the token endpoint takes a secret in the form alone, as Apple's and LinkedIn's do.
    """

    issuer: str
    jwks_uri: str
    authorization_endpoint: str | None
    token_endpoint: str | None
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    sends_issuer: bool
    secret_in_form: bool


def discovery_addresses(issuer: str) -> tuple[str, str]:
    """Where the metadata may be: the OpenID form (appended), then the RFC 8414 form (inserted before the path)."""
    parts = urlsplit(issuer)
    path = "/.well-known/oauth-authorization-server" + parts.path.rstrip("/")
    return (
        issuer.rstrip("/") + "/.well-known/openid-configuration",
        urlunsplit((parts.scheme, parts.netloc, path, "", "")),
    )


def parse_metadata(document: Mapping[str, Any], *, expected_issuer: str) -> ProviderMetadata:
    """Read a metadata document. Raises FetchFailed when it is not this issuer's, or names no keys."""
    issuer = document.get("issuer")
    if issuer != expected_issuer:
        # Both values, since the usual cause is a slash too many in the configuration.
        raise FetchFailed(f"the metadata is of issuer {issuer!r:.200}, while {expected_issuer!r} is configured")
    jwks_uri = _address(document, "jwks_uri")
    if jwks_uri is None:
        raise FetchFailed("the metadata names no jwks_uri")
    return ProviderMetadata(
        issuer=expected_issuer,
        jwks_uri=jwks_uri,
        authorization_endpoint=_address(document, "authorization_endpoint"),
        token_endpoint=_address(document, "token_endpoint"),
        userinfo_endpoint=_address(document, "userinfo_endpoint"),
        end_session_endpoint=_address(document, "end_session_endpoint"),
        sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        secret_in_form=_takes_secret_in_form_alone(document.get("token_endpoint_auth_methods_supported")),
    )


def _takes_secret_in_form_alone(methods: object) -> bool:
    """Without the member it is client_secret_basic (RFC 8414 section 2)."""
    return isinstance(methods, list) and "client_secret_post" in methods and "client_secret_basic" not in methods


def _address(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not is_trustworthy(value):
        raise FetchFailed(f"the metadata's {name} is not an https address")
    return value


async def fetch_metadata(fetcher: Fetcher, issuer: str) -> ProviderMetadata:
    """Fetch the metadata. Raises FetchFailed."""
    openid_form, oauth_form = discovery_addresses(issuer)
    fetched = await fetcher.get(openid_form)
    if fetched.status == 404:
        fetched = await fetcher.get(oauth_form)
    return parse_metadata(fetched.require_success(), expected_issuer=issuer)
