"""From metadata to a client, from a client to what stands registered, and back from what is stored."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from watchword.protocol.client import Client
from watchword.protocol.errors import InvalidClientMetadata, InvalidRedirectUri
from watchword.protocol.jwk_set import parse_jwk_set
from watchword.protocol.origins import browser_origins
from watchword.protocol.registration.members import (
    algorithm,
    choice,
    flag,
    seconds,
    strings,
    text,
    web_address,
    web_page,
    words,
)
from watchword.protocol.registration.redirect_uris import application_type, redirect_uris
from watchword.protocol.registration.sector import check_one_sector
from watchword.protocol.resource import is_scope_token
from watchword.protocol.uris import LONGEST_URI
from watchword.protocol.vocabulary import (
    AUTHENTICATION_METHODS,
    OPENID_SCOPES,
    SIGNING_ALGORITHMS,
    SUBJECT_TYPES,
)

_GRANT_TYPES = frozenset({"authorization_code", "refresh_token", "client_credentials"})
_ENCRYPTED_RESPONSE = re.compile(r"[a-z_]+_encrypted_response_(?:alg|enc)\Z")
_NOT_OFFERED = frozenset(
    {
        "authorization_signed_response_alg",
        "dpop_bound_access_tokens",
        "introspection_signed_response_alg",
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "tls_client_certificate_bound_access_tokens",
    }
)


def parse_client_metadata(
    document: Mapping[str, Any], *, client_id: str, trusted: bool, scopes: frozenset[str] = OPENID_SCOPES
) -> Client:
    """Read metadata into a client without secrets.

    `trusted` is the operator's own registration: only it may lift PKCE, name a default resource, be first-party, or ask
    for any scope. What somebody else sends there is ignored (RFC 7591 section 5), and of the scopes they get those
    among `scopes`. That a `sector_identifier_uri` vouches for the client is not checked, for it must be fetched.

    Raises:
        InvalidRedirectUri: a redirect URI that could leak a code.
        InvalidClientMetadata: anything else that does not hold.
    """
    _check_offered(document)
    method = choice(document, "token_endpoint_auth_method", AUTHENTICATION_METHODS, "client_secret_basic")
    grant_types, response_types = _flows(document)
    uris = redirect_uris(document, "redirect_uris")
    client = Client(
        id=client_id,
        name=text(document, "client_name", 100) or "Unnamed application",
        redirect_uris=uris,
        post_logout_redirect_uris=redirect_uris(document, "post_logout_redirect_uris"),
        grant_types=grant_types,
        response_types=response_types,
        token_endpoint_auth_method=method,
        scopes=_scopes(document, None if trusted else scopes),
        application_type=application_type(document, uris),
        first_party=trusted and flag(document, "first_party"),
        # Certified clients may come without PKCE, so a confidential client that registered itself need not send it.
        pkce_required=method == "none" or (trusted and document.get("pkce_required") is not False),
        default_resource=text(document, "default_resource", LONGEST_URI) if trusted else None,
        **_signing(document),
        **_pages(document),
        **_sign_in(document),
        **_sign_out(document),
    )
    _check_whole(client)
    return client


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
        "contacts": list(client.contacts) or None,
        "jwks": client.jwks,
        "jwks_uri": client.jwks_uri,
        "token_endpoint_auth_signing_alg": client.token_endpoint_auth_signing_alg,
        "userinfo_signed_response_alg": client.userinfo_signed_response_alg,
        "subject_type": client.subject_type,
        "sector_identifier_uri": client.sector_identifier_uri,
        "default_acr_values": list(client.default_acr_values) or None,
        "initiate_login_uri": client.initiate_login_uri,
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "backchannel_logout_session_required": client.backchannel_logout_session_required or None,
        "frontchannel_logout_uri": client.frontchannel_logout_uri,
        "frontchannel_logout_session_required": client.frontchannel_logout_session_required or None,
        "pkce_required": client.pkce_required,
    }
    return {name: value for name, value in document.items() if value is not None}


def stored_client(document: Mapping[str, Any], *, client_id: str, first_party: bool, self_registered: bool) -> Client:
    """Read what `client_metadata` wrote, without secrets.

    It is not judged again: a rule that became stricter since does not lock out who was registered before.
    """
    members = {name: _stored(name, document[name]) for name in _STORED if name in document}
    return Client(
        id=client_id,
        name=document["client_name"],
        scopes=frozenset(document["scope"].split()),
        first_party=first_party,
        self_registered=self_registered,
        **members,
    )


_STORED = {field.name for field in fields(Client)} - {
    "id", "name", "scopes", "first_party", "self_registered", "secrets",
}  # fmt: skip
_SETS = frozenset({"grant_types", "response_types"})


def _stored(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return frozenset(value) if name in _SETS else tuple(value)
    return value


def _check_offered(document: Mapping[str, Any]) -> None:
    """Refuse what would go unheeded: encrypted and signed answers, bound tokens, pushed and signed requests."""
    for name, value in document.items():
        if value is None or value is False:
            continue
        if name in _NOT_OFFERED or _ENCRYPTED_RESPONSE.match(name):
            raise InvalidClientMetadata(f"{name[:60]} is not supported.")


def _signing(document: Mapping[str, Any]) -> dict[str, Any]:
    """Whose keys sign what."""
    return {
        "id_token_signed_response_alg": choice(document, "id_token_signed_response_alg", SIGNING_ALGORITHMS, "RS256"),
        "userinfo_signed_response_alg": algorithm(document, "userinfo_signed_response_alg"),
        "token_endpoint_auth_signing_alg": algorithm(document, "token_endpoint_auth_signing_alg"),
        "jwks": _jwks(document),
        "jwks_uri": web_address(document, "jwks_uri"),
    }


def _pages(document: Mapping[str, Any]) -> dict[str, Any]:
    """What people may look at."""
    return {
        "logo_uri": web_page(document, "logo_uri"),
        "client_uri": web_page(document, "client_uri"),
        "policy_uri": web_page(document, "policy_uri"),
        "tos_uri": web_page(document, "tos_uri"),
        "contacts": words(document, "contacts"),
    }


def _sign_in(document: Mapping[str, Any]) -> dict[str, Any]:
    """How its people sign in, and who they are to it. A third party may start a sign-in over https alone."""
    return {
        "default_max_age": seconds(document, "default_max_age"),
        "require_auth_time": flag(document, "require_auth_time"),
        "default_acr_values": words(document, "default_acr_values"),
        "initiate_login_uri": web_address(document, "initiate_login_uri", loopback=False),
        "subject_type": choice(document, "subject_type", SUBJECT_TYPES, "public"),
        "sector_identifier_uri": web_address(document, "sector_identifier_uri"),
    }


def _sign_out(document: Mapping[str, Any]) -> dict[str, Any]:
    """How it is told of a sign-out."""
    return {
        "backchannel_logout_uri": web_address(document, "backchannel_logout_uri"),
        "backchannel_logout_session_required": flag(document, "backchannel_logout_session_required"),
        "frontchannel_logout_uri": web_address(document, "frontchannel_logout_uri"),
        "frontchannel_logout_session_required": flag(document, "frontchannel_logout_session_required"),
    }


def _flows(document: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Read grant types and response types; what is left out follows from the other (RFC 7591 section 2)."""
    grant_types = frozenset(strings(document, "grant_types") or ("authorization_code",))
    usual = ("code",) if "authorization_code" in grant_types else ()
    return grant_types, frozenset(strings(document, "response_types") or usual)


def _check_whole(client: Client) -> None:
    """Check what one member alone cannot tell."""
    _check_flows(client)
    _check_keys(client)
    _check_frontchannel(client)
    check_one_sector(client.subject_type, client.sector_identifier_uri, client.redirect_uris)


def _check_flows(client: Client) -> None:
    if unknown := client.grant_types - _GRANT_TYPES:
        raise InvalidClientMetadata("A grant type is not supported.", detail=min(unknown)[:40])
    if client.response_types - {"code"}:
        raise InvalidClientMetadata("Only response_type code is supported.")
    if ("authorization_code" in client.grant_types) != bool(client.response_types):
        raise InvalidClientMetadata("response_types and grant_types do not fit together.")
    if client.response_types and not client.redirect_uris:
        raise InvalidRedirectUri("The authorization_code grant needs at least one redirect URI.")
    if "client_credentials" in client.grant_types and client.public:
        raise InvalidClientMetadata("The client_credentials grant needs a client that authenticates.")


def _check_keys(client: Client) -> None:
    """Keys come in one way (RFC 7591 section 2), and who authenticates by them has some."""
    if client.jwks is not None and client.jwks_uri is not None:
        raise InvalidClientMetadata("Register jwks or jwks_uri, not both.")
    if client.token_endpoint_auth_method == "private_key_jwt" and client.jwks is None and client.jwks_uri is None:  # noqa: S105
        raise InvalidClientMetadata("private_key_jwt needs the keys of the client, as jwks or jwks_uri.")


def _check_frontchannel(client: Client) -> None:
    """OpenID Connect Front-Channel Logout section 2: scheme, host and port are those of a redirect URI."""
    uri = client.frontchannel_logout_uri
    if uri is not None and not browser_origins([uri]) <= browser_origins(client.redirect_uris):
        raise InvalidClientMetadata("frontchannel_logout_uri must have scheme, host and port of a redirect URI.")


def _scopes(document: Mapping[str, Any], allowed: frozenset[str] | None) -> frozenset[str]:
    """Read the scopes, those `allowed` where that is said.

    Nothing left means the default here too, or the record would read differently from what was answered.
    """
    named = frozenset((text(document, "scope", 1024) or "").split())
    if not all(map(is_scope_token, named)):
        raise InvalidClientMetadata("scope holds a character that is not allowed.")
    return named or OPENID_SCOPES if allowed is None else (named & allowed or allowed)


def _jwks(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    value = document.get("jwks")
    if value is None:
        return None
    try:
        keys = parse_jwk_set(value)
    except ValueError as problem:
        raise InvalidClientMetadata(f"jwks cannot be used: {problem}.") from None
    if not keys and document.get("token_endpoint_auth_method") == "private_key_jwt":
        raise InvalidClientMetadata("jwks holds no key that private_key_jwt could be verified with.")
    return dict(value)
