"""Config OP: one document and one key set."""

import re
from typing import Any

import httpx2
from joserfc.jwk import KeySet

from tests.certification.suite import Suite

# OpenID Connect Discovery, RFC 8414, RFC 9207, RFC 9728, the logout specifications, Initiating User Registration.
REGISTERED = {
    "issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "registration_endpoint",
    "scopes_supported", "response_types_supported", "response_modes_supported", "grant_types_supported",
    "acr_values_supported", "subject_types_supported", "id_token_signing_alg_values_supported",
    "userinfo_signing_alg_values_supported", "request_object_signing_alg_values_supported",
    "token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported",
    "display_values_supported", "claim_types_supported", "claims_supported", "service_documentation",
    "claims_locales_supported", "ui_locales_supported", "claims_parameter_supported", "request_parameter_supported",
    "request_uri_parameter_supported", "require_request_uri_registration", "op_policy_uri", "op_tos_uri",
    "revocation_endpoint", "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported", "introspection_endpoint",
    "introspection_endpoint_auth_methods_supported", "introspection_endpoint_auth_signing_alg_values_supported",
    "code_challenge_methods_supported", "authorization_response_iss_parameter_supported", "prompt_values_supported",
    "end_session_endpoint", "backchannel_logout_supported", "backchannel_logout_session_supported",
    "frontchannel_logout_supported", "frontchannel_logout_session_supported", "protected_resources",
}  # fmt: skip
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
TYPES: dict[str, tuple[type, ...]] = {
    "issuer": (str,),
    "_supported": (list, bool),  # a switch, or a list of values
    "_endpoint": (str,),
    "_uri": (str,),
    "documentation": (str,),
    "protected_resources": (list,),
}


SWITCHES = {
    "claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported",
    "authorization_response_iss_parameter_supported", "backchannel_logout_supported",
    "backchannel_logout_session_supported", "frontchannel_logout_supported", "frontchannel_logout_session_supported",
}  # fmt: skip


def fetch(certified: Suite, address: str) -> Any:
    answer = httpx2.get(address, verify=certified.tls)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_discovery_says_what_a_provider_must_and_only_what_is_registered(certified: Suite) -> None:
    found = fetch(certified, f"{certified.issuer}/.well-known/openid-configuration")
    assert found["issuer"] == certified.issuer
    assert found.keys() <= REGISTERED
    assert found["response_types_supported"] == ["code"]
    assert {"public", "pairwise"} == {*found["subject_types_supported"]}
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert "openid" in found["scopes_supported"]
    assert found["claims_supported"]
    assert found["end_session_endpoint"]
    assert found["userinfo_endpoint"]
    assert found["registration_endpoint"]
    assert {*found["code_challenge_methods_supported"]} == {"S256"}
    assert {"authorization_code", "refresh_token"} <= {*found["grant_types_supported"]}
    assert {"query", "form_post"} == {*found["response_modes_supported"]}
    assert {"offline_access", "profile", "email", "address", "phone"} <= {*found["scopes_supported"]}
    assert "RS256" in found["request_object_signing_alg_values_supported"]
    for name in ("backchannel", "frontchannel"):
        assert found[f"{name}_logout_supported"] is True
        assert found[f"{name}_logout_session_supported"] is True
    for locale in [*found["ui_locales_supported"], *found.get("claims_locales_supported", [])]:
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?", locale)


def test_every_member_has_its_type_and_every_address_is_https(certified: Suite) -> None:
    for name, value in certified.metadata.items():
        kinds = next(kinds for ending, kinds in TYPES.items() if name.endswith(ending))
        assert isinstance(value, kinds), name
        if name.endswith("_supported") and name not in SWITCHES:
            assert isinstance(value, list), name
        if name.endswith(("_endpoint", "_uri", "issuer")):
            assert str(value).startswith("https://"), name
        if isinstance(value, list):
            assert all(isinstance(each, str) and each for each in value), name
            assert len(value) == len({*value}), name


def test_both_addresses_of_the_metadata_say_the_same(certified: Suite) -> None:
    assert fetch(certified, f"{certified.issuer}/.well-known/oauth-authorization-server") == fetch(
        certified, f"{certified.issuer}/.well-known/openid-configuration"
    )


def test_the_keys_are_distinct_named_public_and_of_every_advertised_algorithm(certified: Suite) -> None:
    keys: list[dict[str, Any]] = fetch(certified, certified.metadata["jwks_uri"])["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)
    assert KeySet.import_key_set({"keys": keys})
    for key in keys:
        assert not key.keys() & PRIVATE
        assert key["use"] == "sig"
    algorithms = {key.get("alg", "EdDSA") for key in keys}
    advertised = {*certified.metadata["id_token_signing_alg_values_supported"]}
    assert advertised == algorithms | {"Ed25519"}
