"""Each member of the discovery document against the code that decides: what it names is taken, and nothing more."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc.jwk import RSAKey

from tests.endpoints.conftest import DOCUMENTS
from tests.endpoints.people import some_tokens
from tests.protocol.test_metadata import REGISTERED, is_of_kind
from tests.support.jwt import claims_of
from tests.support.provider import RunningProvider
from tests.support.relying_party import REDIRECT_URI, RelyingParty

# What other providers offer: each of it is either in our document or refused.
RESPONSE_TYPES = ("code", "token", "id_token", "id_token token", "code id_token", "code token", "none")
RESPONSE_MODES = ("query", "fragment", "form_post", "jwt", "query.jwt", "form_post.jwt", "web_message")
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519",
    "Ed448", "HS256", "HS384", "HS512", "none",
)  # fmt: skip
METHODS = (
    "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "tls_client_auth",
    "self_signed_tls_client_auth", "none",
)  # fmt: skip
GRANT_TYPES = (
    "authorization_code", "refresh_token", "client_credentials", "password", "implicit",
    "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:token-exchange", "urn:openid:params:grant-type:ciba",
)  # fmt: skip
PROMPTS = ("none", "login", "consent", "select_account", "create", "continue")
BCP47 = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")


@pytest.fixture(scope="module")
def document(provider: RunningProvider, party: RelyingParty) -> dict[str, Any]:
    provider.advance(6)  # a worker's registry of resources is at most five seconds stale
    found: dict[str, Any] = httpx2.get(f"{provider.issuer}/.well-known/openid-configuration").json()
    return found


@pytest.fixture(scope="module")
def own_keys() -> dict[str, Any]:
    """The public key of a client that signs its assertions."""
    public: dict[str, Any] = {**RSAKey.generate_key(2048).as_dict(private=False)}
    return {"keys": [public]}


def taken(values: Iterable[str], works: Callable[[str], bool]) -> list[str]:
    return sorted(value for value in values if works(value))


def authorize(http: httpx2.Client, party: RelyingParty, **changes: str | None) -> dict[str, str]:
    """The answer at the redirect URI; empty where a person is asked something instead."""
    answer = http.get(party.authorization_url(**changes))
    if answer.status_code == 200:  # a form that the browser would post
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert answer.status_code == 303, answer.text
    location = urlsplit(answer.headers["location"])
    return {name: values[0] for name, values in parse_qs(location.query).items() if name != "interaction"}


def refusal(http: httpx2.Client, party: RelyingParty, **changes: str | None) -> str | None:
    return authorize(http, party, **changes).get("error")


def registers(http: httpx2.Client, **metadata: Any) -> bool:
    answer = http.post("/register", json={"redirect_uris": [REDIRECT_URI]} | metadata)
    assert answer.status_code in {201, 400}, answer.text
    return answer.status_code == 201 and all(answer.json()[name] == value for name, value in metadata.items())


def test_every_member_is_registered_and_of_its_kind(document: dict[str, Any]) -> None:
    assert [member for member, value in document.items() if not is_of_kind(REGISTERED[member], value)] == []
    assert document.keys() == REGISTERED.keys()
    assert {name: document[name] for name in DOCUMENTS} == DOCUMENTS


def test_response_types_and_modes(http: httpx2.Client, party: RelyingParty, document: dict[str, Any]) -> None:
    types = taken(RESPONSE_TYPES, lambda each: refusal(http, party, response_type=each) is None)
    modes = taken(RESPONSE_MODES, lambda each: refusal(http, party, response_mode=each) is None)
    assert types == sorted(document["response_types_supported"])
    assert modes == sorted(document["response_modes_supported"])
    assert taken(RESPONSE_TYPES, lambda each: registers(http, response_types=[each])) == types


def test_grant_types(http: httpx2.Client, party: RelyingParty, document: dict[str, Any]) -> None:
    def works(grant_type: str) -> bool:
        credentials = (party.client_id, party.secret or "")
        answer = http.post("/token", data={"grant_type": grant_type}, auth=credentials)
        error: str = answer.json()["error"]
        return error != "unsupported_grant_type"

    assert taken(GRANT_TYPES, works) == sorted(document["grant_types_supported"])


def test_subject_types(http: httpx2.Client, document: dict[str, Any]) -> None:
    found = taken(("public", "pairwise", "ephemeral"), lambda each: registers(http, subject_type=each))
    assert found == sorted(document["subject_types_supported"])


@pytest.mark.parametrize(
    ("member", "registered_as"),
    [
        ("id_token_signing_alg_values_supported", "id_token_signed_response_alg"),
        ("userinfo_signing_alg_values_supported", "userinfo_signed_response_alg"),
        ("token_endpoint_auth_signing_alg_values_supported", "token_endpoint_auth_signing_alg"),
        ("introspection_endpoint_auth_signing_alg_values_supported", "token_endpoint_auth_signing_alg"),
        ("revocation_endpoint_auth_signing_alg_values_supported", "token_endpoint_auth_signing_alg"),
    ],
)
def test_algorithms(
    http: httpx2.Client, document: dict[str, Any], own_keys: dict[str, Any], member: str, registered_as: str
) -> None:
    keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks": own_keys} if "_auth_" in member else {}
    found = taken(ALGORITHMS, lambda each: registers(http, **{registered_as: each}, **keys))
    assert found == sorted(document[member])


def test_ways_to_authenticate(
    http: httpx2.Client, document: dict[str, Any], own_keys: dict[str, Any], public: RelyingParty
) -> None:
    def works(method: str) -> bool:
        keys = {"jwks": own_keys} if method == "private_key_jwt" else {}
        return registers(http, token_endpoint_auth_method=method, **keys)

    found = taken(METHODS, works)
    assert found == sorted(document["token_endpoint_auth_methods_supported"])
    assert found == sorted(document["revocation_endpoint_auth_methods_supported"])
    assert set(found) - set(document["introspection_endpoint_auth_methods_supported"]) == {"none"}
    asked = {"client_id": public.client_id, "token": "x"}
    assert http.post("/revoke", data=asked).status_code == 200
    assert http.post("/introspect", data=asked).json()["error"] in {"invalid_client", "access_denied"}


def test_code_challenge_methods(http: httpx2.Client, party: RelyingParty, document: dict[str, Any]) -> None:
    found = taken(("S256", "plain", "S512"), lambda each: refusal(http, party, code_challenge_method=each) is None)
    assert found == document["code_challenge_methods_supported"]


def test_prompts_and_displays(http: httpx2.Client, party: RelyingParty, document: dict[str, Any]) -> None:
    found = taken(PROMPTS, lambda each: refusal(http, party, prompt=each) in {None, "login_required"})
    assert found == sorted(document["prompt_values_supported"])
    # OpenID Connect Core section 3.1.2.1: what is not supported is not refused.
    assert {refusal(http, party, display=each) for each in document["display_values_supported"]} == {None}


def test_scopes_and_resources(http: httpx2.Client, party: RelyingParty, document: dict[str, Any]) -> None:
    known = document["scopes_supported"]
    audiences = document["protected_resources"]

    def works(scope: str) -> bool:
        asked = {refusal(http, party, scope=scope, resource=audience) for audience in (None, *audiences)}
        return None in asked

    registered = {"openid", "profile", "email", "phone", "offline_access", "notes:read", "notes:write", "files:read"}
    assert set(taken([*known, "openid2", "admin", "*"], works)) == set(known) & registered
    assert set(known) - registered == {"address"}  # this client is not registered for it; others are by default
    assert refusal(http, party, resource="https://nobody.example") == "invalid_target"


async def test_claims_about_the_sign_in_are_in_the_id_token(party: RelyingParty, document: dict[str, Any]) -> None:
    tokens = await some_tokens(party, scope="openid")
    claims = claims_of(tokens["id_token"])
    assert {"acr", "amr", "auth_time", "sid", "sub"} <= claims.keys() & set(document["claims_supported"])
    assert claims["acr"] in document["acr_values_supported"]


def test_acr_values(http: httpx2.Client, party: RelyingParty, document: dict[str, Any]) -> None:
    def works(acr: str) -> bool:
        claims = {"id_token": {"acr": {"essential": True, "value": acr}}}
        return refusal(http, party, claims=json.dumps(claims)) is None

    others = ["0", "1", "urn:mace:incommon:iap:silver", "phr", "urn:watchword:otp"]
    assert taken([*document["acr_values_supported"], *others], works) == document["acr_values_supported"]


def test_the_claims_parameter_is_read_and_request_objects_are_refused(
    http: httpx2.Client, party: RelyingParty, document: dict[str, Any]
) -> None:
    assert document["claims_parameter_supported"]
    assert refusal(http, party, claims="[]") == "invalid_request"
    for name in ("request", "request_uri"):
        assert document[f"{name}_parameter_supported"] is False
        assert refusal(http, party, **{name: "x"}) == f"{name}_not_supported"


def test_the_issuer_stands_in_the_answer(http: httpx2.Client, party: RelyingParty, document: dict[str, Any]) -> None:
    assert document["authorization_response_iss_parameter_supported"]
    assert authorize(http, party, prompt="none")["iss"] == document["issuer"]


def test_languages(http: httpx2.Client, party: RelyingParty, document: dict[str, Any]) -> None:
    def speaks(locale: str) -> bool:
        page = http.get(party.authorization_url(ui_locales=locale), follow_redirects=True)
        return f'<html lang="{locale}"' in page.text

    found = taken([*document["ui_locales_supported"], "de", "fr-CA", "se", "hi-Latn"], speaks)
    assert found == sorted(document["ui_locales_supported"])
    assert [locale for locale in found if not BCP47.fullmatch(locale)] == []


def test_both_kinds_of_telling_a_client_of_a_sign_out_can_be_registered(
    http: httpx2.Client, document: dict[str, Any]
) -> None:
    address = "https://notes.example/callback"
    for kind in ("backchannel", "frontchannel"):
        assert document[f"{kind}_logout_supported"]
        assert document[f"{kind}_logout_session_supported"]
        told = {f"{kind}_logout_uri": address, f"{kind}_logout_session_required": True}
        assert registers(http, redirect_uris=[address], **told)
