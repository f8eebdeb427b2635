"""The discovery document: exactly what is true, and registered members only (RFC 8414, OpenID Connect Discovery)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from watchword.protocol.vocabulary import (
    AUTHENTICATION_METHODS,
    DISPLAYS,
    PROMPTS,
    RESPONSE_MODES,
    SCOPE_CLAIMS,
    SIGNING_ALGORITHMS,
    SUBJECT_TYPES,
)

# What an ID token says of the sign-in itself.
_ABOUT_THE_SIGN_IN: Final = ("acr", "amr", "auth_time", "sid")

# The same for every provider. Request objects are not supported, and saying so without the algorithm `none` keeps test
# suites from trying unsigned ones.
_CONSTANT: Final[Mapping[str, Any]] = {
    "response_types_supported": ["code"],
    "response_modes_supported": list(RESPONSE_MODES),
    "code_challenge_methods_supported": ["S256"],
    "prompt_values_supported": list(PROMPTS),
    "display_values_supported": list(DISPLAYS),
    "authorization_response_iss_parameter_supported": True,
    "request_parameter_supported": False,
    "request_uri_parameter_supported": False,
    "request_object_signing_alg_values_supported": ["RS256"],
    "claims_parameter_supported": True,
    "claim_types_supported": ["normal"],
    "claims_supported": sorted({*_ABOUT_THE_SIGN_IN, *(claim for claims in SCOPE_CLAIMS.values() for claim in claims)}),
    "subject_types_supported": list(SUBJECT_TYPES),
    "id_token_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
    "userinfo_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
    "backchannel_logout_supported": True,
    "backchannel_logout_session_supported": True,
    "frontchannel_logout_supported": True,
    "frontchannel_logout_session_supported": True,
}
# Who may authenticate how, by the endpoint. Introspection is for those who have something to prove it with.
_AUTHENTICATED: Final[Mapping[str, tuple[str, ...]]] = {
    "token_endpoint": AUTHENTICATION_METHODS,
    "revocation_endpoint": AUTHENTICATION_METHODS,
    "introspection_endpoint": tuple(way for way in AUTHENTICATION_METHODS if way != "none"),
}


def provider_metadata(
    *,
    issuer: str,
    endpoints: Mapping[str, str],
    grant_types: Iterable[str],
    scopes: Iterable[str],
    resources: Iterable[str],
    locales: Iterable[str],
    acr_values: Iterable[str],
    documents: Mapping[str, str | None],
) -> dict[str, Any]:
    """Describe the provider. Members always stand in the same order.

    Args:
        issuer: the provider's own URL.
        endpoints: metadata member (`token_endpoint`) to path, from the table that routes.
        grant_types: from the table that decides.
        scopes: what can be asked for, the resources' own scopes included.
        resources: audiences of registered protected resources (RFC 9728 section 4).
        locales: languages of the hosted pages, BCP 47.
        acr_values: what a sign-in can amount to, from the operator's table.
        documents: the operator's own pages by their member; those that are None are left out.
    """
    document: dict[str, Any] = {
        "issuer": issuer,
        **{member: issuer + path for member, path in endpoints.items()},
        **_authentication(endpoints),
        "scopes_supported": list(scopes),
        "grant_types_supported": list(grant_types),
        **_CONSTANT,
        "acr_values_supported": sorted(set(acr_values)),
        "ui_locales_supported": list(locales),
        **documents,
        "protected_resources": list(resources),
    }
    # What has no value is left out (RFC 8414 section 3.2).
    return {member: value for member, value in document.items() if value not in (None, [])}


def _authentication(endpoints: Iterable[str]) -> dict[str, list[str]]:
    """Say how clients authenticate where they do, and by which algorithms (RFC 8414 section 2)."""
    members: dict[str, list[str]] = {}
    for endpoint in endpoints:
        if methods := _AUTHENTICATED.get(endpoint):
            members[f"{endpoint}_auth_methods_supported"] = list(methods)
            members[f"{endpoint}_auth_signing_alg_values_supported"] = list(SIGNING_ALGORITHMS)
    return members
