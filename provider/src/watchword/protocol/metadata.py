"""The discovery document: exactly what is true, and registered members only (RFC 8414, OpenID Connect Discovery)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from watchword.protocol.vocabulary import (
    AUTHENTICATION_METHODS,
    PROMPTS,
    RESPONSE_MODES,
    SCOPE_CLAIMS,
    SIGNING_ALGORITHMS,
)

# The same for every provider. Request objects are not supported, and saying so without the algorithm `none` keeps test
# suites from trying unsigned ones.
_CONSTANT: Final[Mapping[str, Any]] = {
    "response_types_supported": ["code"],
    "response_modes_supported": list(RESPONSE_MODES),
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
    "request_object_signing_alg_values_supported": ["RS256"],
    "token_endpoint_auth_methods_supported": list(AUTHENTICATION_METHODS),
    "introspection_endpoint_auth_methods_supported": [way for way in AUTHENTICATION_METHODS if way != "none"],
    "code_challenge_methods_supported": ["S256"],
    "claim_types_supported": ["normal"],
    "claims_supported": sorted({claim for claims in SCOPE_CLAIMS.values() for claim in claims}),
    "claims_parameter_supported": False,
    "request_parameter_supported": False,
    "request_uri_parameter_supported": False,
    "authorization_response_iss_parameter_supported": True,
    "prompt_values_supported": list(PROMPTS),
}


def provider_metadata(
    *,
    issuer: str,
    endpoints: Mapping[str, str],
    grant_types: Iterable[str],
    scopes: Iterable[str],
    resources: Iterable[str],
    locales: Iterable[str],
) -> dict[str, Any]:
    """Describe the provider.

    Args:
        issuer: the provider's own URL.
        endpoints: metadata member (`token_endpoint`) to path, from the table that routes.
        grant_types: from the table that decides.
        scopes: what can be asked for, the resources' own scopes included.
        resources: audiences of registered protected resources (RFC 9728 section 4).
        locales: languages of the hosted pages, BCP 47.
    """
    document: dict[str, Any] = {
        "issuer": issuer,
        **{member: issuer + path for member, path in endpoints.items()},
        "scopes_supported": list(scopes),
        "grant_types_supported": list(grant_types),
        "ui_locales_supported": list(locales),
        **_CONSTANT,
    }
    if audiences := list(resources):
        document["protected_resources"] = audiences
    return document
