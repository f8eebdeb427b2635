"""The discovery document, held against independent validators."""

from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from tests.protocol.builders import ISSUER
from watchword.protocol.metadata import provider_metadata

ENDPOINTS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "introspection_endpoint": "/introspect",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/jwks",
    "registration_endpoint": "/register",
    "end_session_endpoint": "/logout",
}

# OpenID Connect Discovery, RP-Initiated Logout, RFC 8414, RFC 8707's and RFC 9728's additions, RFC 9207.
REGISTERED = {
    "issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "registration_endpoint",
    "scopes_supported", "response_types_supported", "response_modes_supported", "grant_types_supported",
    "subject_types_supported", "id_token_signing_alg_values_supported", "request_object_signing_alg_values_supported",
    "token_endpoint_auth_methods_supported", "claim_types_supported", "claims_supported", "ui_locales_supported",
    "claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported",
    "code_challenge_methods_supported", "end_session_endpoint", "authorization_response_iss_parameter_supported",
    "prompt_values_supported", "protected_resources", "introspection_endpoint",
    "introspection_endpoint_auth_methods_supported",
}  # fmt: skip


def metadata(**changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "issuer": ISSUER,
        "endpoints": ENDPOINTS,
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scopes": ["openid", "email"],
        "resources": [],
        "locales": ["en", "hi"],
    }
    return provider_metadata(**(facts | changes))


@pytest.mark.parametrize("validator", [OpenIDProviderMetadata, AuthorizationServerMetadata])
def test_independent_validators_accept_it(validator: Any) -> None:
    validator(metadata(resources=["https://api.example"])).validate()


def test_only_registered_members_stand_in_it() -> None:
    full = metadata(resources=["https://api.example"])
    assert full.keys() <= REGISTERED


def test_what_we_refuse_is_not_offered() -> None:
    document = metadata()
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert "none" not in document["id_token_signing_alg_values_supported"]
    assert document["id_token_signing_alg_values_supported"][0] == "RS256"
    assert document["request_parameter_supported"] is False
    assert document["request_uri_parameter_supported"] is False  # left out, it would mean true
    assert document["claims_parameter_supported"] is False
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]


def test_endpoints_stand_below_the_issuer_and_an_absent_one_is_left_out() -> None:
    document = metadata(endpoints={"token_endpoint": "/token"}, issuer="https://id.example/tenant")
    assert document["token_endpoint"] == "https://id.example/tenant/token"
    assert "registration_endpoint" not in document
    assert "protected_resources" not in document
