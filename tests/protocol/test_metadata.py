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
    "revocation_endpoint": "/revoke",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/jwks",
    "registration_endpoint": "/register",
    "end_session_endpoint": "/logout",
}

# Members of IANA's registry of OAuth authorization server metadata, with the kind of value each has. From RFC 8414,
# OpenID Connect Discovery, RP-Initiated, Back-Channel and Front-Channel Logout, Initiating User Registration, RFC 9207
# and RFC 9728. Those of features that are not there are left out: they would be lies.
URL, URLS, WORDS, FLAG = "url", "urls", "words", "flag"
REGISTERED = {
    "issuer": URL,
    "authorization_endpoint": URL,
    "token_endpoint": URL,
    "userinfo_endpoint": URL,
    "jwks_uri": URL,
    "registration_endpoint": URL,
    "introspection_endpoint": URL,
    "revocation_endpoint": URL,
    "end_session_endpoint": URL,
    "service_documentation": URL,
    "op_policy_uri": URL,
    "op_tos_uri": URL,
    "scopes_supported": WORDS,
    "response_types_supported": WORDS,
    "response_modes_supported": WORDS,
    "grant_types_supported": WORDS,
    "acr_values_supported": WORDS,
    "subject_types_supported": WORDS,
    "id_token_signing_alg_values_supported": WORDS,
    "userinfo_signing_alg_values_supported": WORDS,
    "request_object_signing_alg_values_supported": WORDS,
    "token_endpoint_auth_methods_supported": WORDS,
    "token_endpoint_auth_signing_alg_values_supported": WORDS,
    "introspection_endpoint_auth_methods_supported": WORDS,
    "introspection_endpoint_auth_signing_alg_values_supported": WORDS,
    "revocation_endpoint_auth_methods_supported": WORDS,
    "revocation_endpoint_auth_signing_alg_values_supported": WORDS,
    "display_values_supported": WORDS,
    "claim_types_supported": WORDS,
    "claims_supported": WORDS,
    "ui_locales_supported": WORDS,
    "code_challenge_methods_supported": WORDS,
    "prompt_values_supported": WORDS,
    "claims_parameter_supported": FLAG,
    "request_parameter_supported": FLAG,
    "request_uri_parameter_supported": FLAG,
    "authorization_response_iss_parameter_supported": FLAG,
    "backchannel_logout_supported": FLAG,
    "backchannel_logout_session_supported": FLAG,
    "frontchannel_logout_supported": FLAG,
    "frontchannel_logout_session_supported": FLAG,
    "protected_resources": URLS,
}
DOCUMENTS = {name: f"https://id.example/{name}" for name in ("service_documentation", "op_policy_uri", "op_tos_uri")}


def is_of_kind(kind: str, value: object) -> bool:
    """Whether a member's value is of the kind its specification wants."""
    if kind == FLAG:
        return isinstance(value, bool)
    if kind == URL:
        return isinstance(value, str) and value.startswith(("https://", "http://"))
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) and each for each in value)


def metadata(**changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "issuer": ISSUER,
        "endpoints": ENDPOINTS,
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scopes": ["openid", "email"],
        "resources": [],
        "locales": ["en", "hi"],
        "acr_values": ["urn:example:phone", "urn:example:email", "urn:example:phone"],
        "documents": DOCUMENTS,
    }
    return provider_metadata(**(facts | changes))


@pytest.mark.parametrize("validator", [OpenIDProviderMetadata, AuthorizationServerMetadata])
def test_independent_validators_accept_it(validator: Any) -> None:
    validator(metadata(resources=["https://api.example"])).validate()


def test_only_registered_members_stand_in_it_each_of_its_kind() -> None:
    full = metadata(resources=["https://api.example"])
    assert full.keys() == REGISTERED.keys()
    assert [member for member, value in full.items() if not is_of_kind(REGISTERED[member], value)] == []


def test_members_always_stand_in_the_same_order() -> None:
    assert list(metadata()) == list(metadata())
    assert next(iter(metadata())) == "issuer"
    assert metadata()["acr_values_supported"] == ["urn:example:email", "urn:example:phone"]


def test_a_page_that_the_operator_did_not_give_is_left_out() -> None:
    assert not metadata(documents=dict.fromkeys(DOCUMENTS)).keys() & DOCUMENTS.keys()


def test_a_list_without_elements_is_left_out() -> None:
    """RFC 8414 section 3.2."""
    assert "acr_values_supported" not in metadata(acr_values=[])
    assert [] not in metadata(acr_values=[], resources=[], documents={}).values()


def test_only_endpoints_that_are_there_say_how_clients_authenticate() -> None:
    about = {member for member in metadata(endpoints={"token_endpoint": "/token"}) if "_endpoint_auth_" in member}
    assert {member.partition("_auth_")[0] for member in about} == {"token_endpoint"}


def test_what_we_refuse_is_not_offered() -> None:
    document = metadata()
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert "none" not in document["id_token_signing_alg_values_supported"]
    assert document["id_token_signing_alg_values_supported"][0] == "RS256"
    assert document["request_parameter_supported"] is False
    assert document["request_uri_parameter_supported"] is False  # left out, it would mean true
    assert document["claims_parameter_supported"] is True
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]
    assert "none" not in document["userinfo_signing_alg_values_supported"]
    # Suites read it as a promise to be tried, and some want RS256 in it wherever it stands.
    assert document["request_object_signing_alg_values_supported"] == ["RS256"]


def test_endpoints_stand_below_the_issuer_and_an_absent_one_is_left_out() -> None:
    document = metadata(endpoints={"token_endpoint": "/token"}, issuer="https://id.example/tenant")
    assert document["token_endpoint"] == "https://id.example/tenant/token"
    assert "registration_endpoint" not in document
    assert "protected_resources" not in document
