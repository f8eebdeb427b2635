"""Client metadata as registered."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from tests.protocol.builders import CALLBACK
from tests.vectors import vectors
from watchword.protocol.client import Client
from watchword.protocol.errors import InvalidClientMetadata, InvalidRedirectUri, ProtocolError
from watchword.protocol.registration import (
    check_policy,
    check_redirect_uri,
    check_sector_document,
    client_metadata,
    parse_client_metadata,
    parse_policy,
    stored_client,
)
from watchword.protocol.vocabulary import OPENID_SCOPES

URIS = vectors("redirect_uris")


def registered(*, trusted: bool = False, **document: Any) -> Client:
    return parse_client_metadata({"redirect_uris": [CALLBACK]} | document, client_id="c_new", trusted=trusted)


@pytest.mark.parametrize("uri", URIS["registrable"])
def test_a_redirect_uri_that_can_be_matched_exactly_is_taken(uri: str) -> None:
    check_redirect_uri(uri)
    assert registered(redirect_uris=[uri]).owns_redirect_uri(uri)


@pytest.mark.parametrize(
    "uri", [uri for _, uri in URIS["not_registrable"]], ids=[why for why, _ in URIS["not_registrable"]]
)
def test_a_redirect_uri_that_could_leak_a_code_is_refused(uri: str) -> None:
    with pytest.raises(InvalidRedirectUri):
        check_redirect_uri(uri)


def test_the_length_and_the_number_of_redirect_uris_are_bounded() -> None:
    check_redirect_uri("https://rp.example/" + "a" * (2048 - 19))
    with pytest.raises(InvalidRedirectUri):
        check_redirect_uri("https://rp.example/" + "a" * (2048 - 18))
    twenty = [f"https://rp.example/{number}" for number in range(20)]
    assert len(registered(redirect_uris=twenty).redirect_uris) == 20
    with pytest.raises(InvalidRedirectUri):
        registered(redirect_uris=[*twenty, CALLBACK])


def test_the_defaults_are_those_of_the_specification() -> None:
    client = registered()
    assert client.grant_types == {"authorization_code"}
    assert client.response_types == {"code"}
    assert client.token_endpoint_auth_method == "client_secret_basic"
    assert client.id_token_signed_response_alg == "RS256"
    assert client.application_type == "web"
    assert client.scopes == OPENID_SCOPES
    assert client.name == "Unnamed application"


@pytest.mark.parametrize("name", ["", "   ", "\u3164", " \u2800\u115f\u1160\uffa0 "])
def test_a_name_that_shows_nothing_is_none(name: str) -> None:
    """A page that asked on behalf of nobody would be read as ours."""
    document = {"redirect_uris": [CALLBACK], "client_name": name}
    assert parse_client_metadata(document, client_id="c_1", trusted=False).name == "Unnamed application"


EC_KEY = ECKey.generate_key("P-256")
KEYS = {"keys": [EC_KEY.as_dict(private=False)]}
EVERYTHING: dict[str, Any] = {
    "client_name": "Bücher",
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "post_logout_redirect_uris": ["https://rp.example/bye"],
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "ES256",
    "jwks": KEYS,
    "scope": "email openid",
    "application_type": "native",
    "default_max_age": 0,
    "require_auth_time": True,
    "default_acr_values": ["a", "b"],
    "id_token_signed_response_alg": "ES256",
    "userinfo_signed_response_alg": "PS256",
    "subject_type": "pairwise",
    "sector_identifier_uri": "https://rp.example/sector",
    "logo_uri": "https://rp.example/logo.png",
    "client_uri": "https://rp.example/#about",
    "policy_uri": "https://rp.example/policy",
    "tos_uri": "https://rp.example/tos",
    "contacts": ["a@rp.example"],
    "initiate_login_uri": "https://rp.example/login?by=3",
    "backchannel_logout_uri": "https://out.example/back",
    "backchannel_logout_session_required": True,
    "frontchannel_logout_uri": CALLBACK + "/front?x=1",
    "frontchannel_logout_session_required": True,
}


def test_all_metadata_stands_as_it_was_sent() -> None:
    stands = client_metadata(registered(**EVERYTHING))
    assert {name: stands[name] for name in EVERYTHING} == EVERYTHING
    assert stands.keys() - EVERYTHING.keys() == {"pkce_required"}


@pytest.mark.parametrize(
    ("uris", "application_type"),
    [
        ([CALLBACK], "web"),
        (["http://127.0.0.1/cb"], "web"),
        (["com.example.app:/cb"], "native"),
        ([CALLBACK, "com.example.app:/cb"], "native"),
    ],
)
def test_an_application_with_a_private_use_scheme_is_native_unless_it_says_otherwise(
    uris: list[str], application_type: str
) -> None:
    assert registered(redirect_uris=uris).application_type == application_type


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost/cb", "com.example.app:/cb", CALLBACK]
)
def test_a_native_application_registers_loopback_a_private_use_scheme_or_a_claimed_https_address(uri: str) -> None:
    client = registered(application_type="native", token_endpoint_auth_method="none", redirect_uris=[uri])
    assert client.application_type == "native"
    assert client.pkce_required


REFUSED = [
    ("redirect_uris that are no array", {"redirect_uris": CALLBACK}, InvalidClientMetadata),
    ("redirect_uris of numbers", {"redirect_uris": [1]}, InvalidClientMetadata),
    ("no redirect_uris", {"redirect_uris": []}, InvalidRedirectUri),
    ("a bad redirect URI among good ones", {"redirect_uris": [CALLBACK, "http://rp.example/"]}, InvalidRedirectUri),
    ("a bad post_logout_redirect_uri", {"post_logout_redirect_uris": ["javascript:x"]}, InvalidRedirectUri),
    ("an unknown grant type", {"grant_types": ["password"]}, InvalidClientMetadata),
    ("the implicit grant", {"grant_types": ["authorization_code", "implicit"]}, InvalidClientMetadata),
    ("grant_types as text", {"grant_types": "authorization_code"}, InvalidClientMetadata),
    ("response_type token", {"response_types": ["token"]}, InvalidClientMetadata),
    ("a hybrid response type", {"response_types": ["code id_token"]}, InvalidClientMetadata),
    ("a response type without its grant", {"grant_types": ["client_credentials"], "response_types": ["code"]},
     InvalidClientMetadata),
    ("client_credentials without authentication",
     {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}, InvalidClientMetadata),
    ("an unknown authentication method", {"token_endpoint_auth_method": "client_secret_jwt"}, InvalidClientMetadata),
    ("an authentication method that is a list", {"token_endpoint_auth_method": ["none"]}, InvalidClientMetadata),
    ("an authentication method that is an object", {"token_endpoint_auth_method": {}}, InvalidClientMetadata),
    ("an unknown application type", {"application_type": "desktop"}, InvalidClientMetadata),
    ("unsigned ID tokens", {"id_token_signed_response_alg": "none"}, InvalidClientMetadata),
    ("symmetric ID tokens", {"id_token_signed_response_alg": "HS256"}, InvalidClientMetadata),
    ("a name that is a number", {"client_name": 1}, InvalidClientMetadata),
    ("a name of 101 characters", {"client_name": "a" * 101}, InvalidClientMetadata),
    ("a name with a line feed", {"client_name": "a\nb"}, InvalidClientMetadata),
    ("a name that turns the reading direction", {"client_name": "a\u202eb"}, InvalidClientMetadata),
    ("a name with half a character", {"client_name": "a\ud800"}, InvalidClientMetadata),
    ("a scope that is a list", {"scope": ["openid"]}, InvalidClientMetadata),
    ("a scope with a double quote", {"scope": 'openid "x"'}, InvalidClientMetadata),
    ("a scope outside ASCII", {"scope": "caf\u00e9"}, InvalidClientMetadata),
    ("a negative max_age", {"default_max_age": -1}, InvalidClientMetadata),
    ("a max_age that is text", {"default_max_age": "60"}, InvalidClientMetadata),
    ("a max_age that is true", {"default_max_age": True}, InvalidClientMetadata),
    ("a max_age beyond reason", {"default_max_age": 10**9}, InvalidClientMetadata),
    ("a logo by http", {"logo_uri": "http://rp.example/logo.png"}, InvalidClientMetadata),
    ("a script for a logo", {"logo_uri": "javascript:alert(1)"}, InvalidClientMetadata),
    ("a page without a host", {"client_uri": "https:x"}, InvalidClientMetadata),
    ("a page behind a user name", {"client_uri": "https://bank.example@evil.example/"}, InvalidClientMetadata),
    ("a page with an open bracket", {"policy_uri": "https://[x"}, InvalidClientMetadata),
    ("a page with a double quote", {"tos_uri": 'https://rp.example/"x'}, InvalidClientMetadata),
    ("an assertion without keys", {"token_endpoint_auth_method": "private_key_jwt"}, InvalidClientMetadata),
    ("keys in two ways", {"jwks": KEYS, "jwks_uri": "https://rp.example/jwks"}, InvalidClientMetadata),
    ("keys that are text", {"jwks": "{}"}, InvalidClientMetadata),
    ("keys that are a list", {"jwks": []}, InvalidClientMetadata),
    ("a private key", {"jwks": {"keys": [EC_KEY.as_dict(private=True)]}}, InvalidClientMetadata),
    ("a symmetric key", {"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, InvalidClientMetadata),
    ("an assertion with no key to verify it by",
     {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}}, InvalidClientMetadata),
    ("keys by http", {"jwks_uri": "http://rp.example/jwks"}, InvalidClientMetadata),
    ("keys at a fragment", {"jwks_uri": "https://rp.example/jwks#k"}, InvalidClientMetadata),
    ("symmetric assertions", {"token_endpoint_auth_signing_alg": "HS256"}, InvalidClientMetadata),
    ("unsigned assertions", {"token_endpoint_auth_signing_alg": "none"}, InvalidClientMetadata),
    ("UserInfo that nobody signed", {"userinfo_signed_response_alg": "none"}, InvalidClientMetadata),
    ("symmetric UserInfo", {"userinfo_signed_response_alg": "HS256"}, InvalidClientMetadata),
    ("an unknown subject type", {"subject_type": "random"}, InvalidClientMetadata),
    ("a subject type that is a list", {"subject_type": ["public"]}, InvalidClientMetadata),
    ("pairwise subjects of two hosts",
     {"subject_type": "pairwise", "redirect_uris": [CALLBACK, "https://b.example/cb"]}, InvalidClientMetadata),
    ("pairwise subjects of no web host",
     {"subject_type": "pairwise", "redirect_uris": ["com.example.app:/cb"]}, InvalidClientMetadata),
    ("pairwise subjects of a web host and an app",
     {"subject_type": "pairwise", "redirect_uris": ["https://b.example/cb", "com.example.app:/cb"]},
     InvalidClientMetadata),
    ("a sector by http", {"sector_identifier_uri": "http://rp.example/sector"}, InvalidClientMetadata),
    ("a third party's sign-in by http", {"initiate_login_uri": "http://rp.example/login"}, InvalidClientMetadata),
    ("a third party's sign-in by http on loopback", {"initiate_login_uri": "http://127.0.0.1/login"},
     InvalidClientMetadata),
    ("a third party's sign-in at a fragment", {"initiate_login_uri": "https://rp.example/login#x"},
     InvalidClientMetadata),
    ("a back-channel by http", {"backchannel_logout_uri": "http://rp.example/out"}, InvalidClientMetadata),
    ("a back-channel at a fragment", {"backchannel_logout_uri": "https://rp.example/out#x"}, InvalidClientMetadata),
    ("a front-channel of another host", {"frontchannel_logout_uri": "https://evil.example/out"},
     InvalidClientMetadata),
    ("a front-channel of another port", {"frontchannel_logout_uri": CALLBACK.replace("/cb", ":8443/out")},
     InvalidClientMetadata),
    ("a session required in words", {"backchannel_logout_session_required": "true"}, InvalidClientMetadata),
    ("a session required by number", {"frontchannel_logout_session_required": 1}, InvalidClientMetadata),
    ("auth_time required in words", {"require_auth_time": "yes"}, InvalidClientMetadata),
    ("methods to sign in as text", {"default_acr_values": "loa1"}, InvalidClientMetadata),
    ("a method to sign in that is empty", {"default_acr_values": [""]}, InvalidClientMetadata),
    ("contacts with a line feed", {"contacts": ["a@rp.example\n"]}, InvalidClientMetadata),
    ("51 contacts", {"contacts": [f"{number}@rp.example" for number in range(51)]}, InvalidClientMetadata),
    ("a web application's private-use scheme",
     {"application_type": "web", "redirect_uris": ["com.example.app:/cb"]}, InvalidRedirectUri),
    ("a native application's http", {"application_type": "native", "redirect_uris": ["http://rp.example/cb"]},
     InvalidRedirectUri),
]  # fmt: skip


@pytest.mark.parametrize(("document", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
@pytest.mark.parametrize("trusted", [True, False], ids=["operator", "stranger"])
def test_metadata_that_does_not_hold_is_refused(
    document: dict[str, Any], error: type[ProtocolError], trusted: bool
) -> None:
    with pytest.raises(error):
        registered(trusted=trusted, **document)


NOT_OFFERED = [
    ("authorization_signed_response_alg", "RS256"),
    ("introspection_signed_response_alg", "RS256"),
    ("require_signed_request_object", True),
    ("id_token_encrypted_response_alg", "RSA-OAEP"),
    ("id_token_encrypted_response_enc", "A256GCM"),
    ("userinfo_encrypted_response_alg", "RSA-OAEP"),
    ("authorization_encrypted_response_enc", "A256GCM"),
    ("dpop_bound_access_tokens", True),
    ("require_pushed_authorization_requests", True),
    ("tls_client_certificate_bound_access_tokens", "true"),
]


@pytest.mark.parametrize(("name", "value"), NOT_OFFERED)
@pytest.mark.parametrize("trusted", [True, False], ids=["operator", "stranger"])
def test_a_protection_we_do_not_give_is_refused_and_not_ignored(name: str, value: object, trusted: bool) -> None:
    with pytest.raises(InvalidClientMetadata, match=name):
        registered(trusted=trusted, **{name: value})


def test_what_asks_for_no_such_protection_is_taken() -> None:
    asked: dict[str, Any] = {name: None for name, _ in NOT_OFFERED}
    assert registered(**asked) == registered()
    assert registered(**dict.fromkeys(asked, False)) == registered()


def test_what_is_null_counts_as_left_out() -> None:
    document: dict[str, Any] = dict.fromkeys(EVERYTHING.keys() - {"redirect_uris"})
    assert registered(**document) == registered()


def test_a_stranger_gets_no_privilege_it_asks_for() -> None:
    client = registered(
        scope="openid notes:write",
        first_party=True,
        default_resource="https://api.example",
        pkce_required=False,
        token_endpoint_auth_method="none",
    )
    assert client.scopes == {"openid"}
    assert not client.first_party
    assert client.default_resource is None
    assert client.pkce_required


def test_an_operator_gives_what_a_stranger_may_not_have() -> None:
    client = registered(
        trusted=True,
        scope="openid notes:write",
        first_party=True,
        default_resource="https://api.example",
        pkce_required=False,
    )
    assert client.scopes == {"openid", "notes:write"}
    assert client.first_party
    assert client.default_resource == "https://api.example"
    assert not client.pkce_required


@pytest.mark.parametrize(
    ("trusted", "method", "required"),
    [(True, "client_secret_basic", True), (True, "none", True), (False, "client_secret_basic", False),
     (False, "none", True)],
)  # fmt: skip
def test_pkce_is_required_except_of_a_confidential_stranger(trusted: bool, method: str, required: bool) -> None:
    assert registered(trusted=trusted, token_endpoint_auth_method=method).pkce_required is required


def test_even_the_operator_cannot_lift_pkce_from_a_public_client() -> None:
    client = registered(trusted=True, token_endpoint_auth_method="none", pkce_required=False)
    assert client.pkce_required


def test_unknown_members_are_ignored_and_a_repeated_uri_stands_once() -> None:
    client = registered(redirect_uris=[CALLBACK, CALLBACK], software_id="x", contacts=["a@rp.example"])
    assert client.redirect_uris == (CALLBACK,)
    assert "software_id" not in client_metadata(client)


@pytest.mark.parametrize(
    ("trusted", "document"),
    [
        pytest.param(False, {}, id="defaults"),
        pytest.param(False, {"scope": "admin"}, id="a stranger whose scopes are all refused"),
        pytest.param(False, {"token_endpoint_auth_method": "none"}, id="a public stranger"),
        pytest.param(True, {"scope": "notes:read", "pkce_required": False}, id="an operator's client"),
        pytest.param(
            False,
            {
                "client_name": "Bücher",
                "grant_types": ["authorization_code", "refresh_token"],
                "post_logout_redirect_uris": ["https://rp.example/bye"],
                "default_max_age": 0,
                "require_auth_time": True,
                "id_token_signed_response_alg": "ES256",
                "logo_uri": "https://rp.example/logo.png",
                "application_type": "native",
            },
            id="much of it",
        ),
        pytest.param(False, EVERYTHING, id="all of it"),
        pytest.param(
            True, {"redirect_uris": [], "grant_types": ["client_credentials"], "first_party": True}, id="a machine"
        ),
    ],
)
def test_what_stands_registered_reads_back_to_the_same_client(trusted: bool, document: dict[str, Any]) -> None:
    client = registered(trusted=trusted, **document)
    assert stored(client) == client


def stored(client: Client) -> Client:
    """The client as the store gives it back."""
    document = json.loads(json.dumps(client_metadata(client)))
    return stored_client(
        document, client_id=client.id, first_party=client.first_party, self_registered=client.self_registered
    )


def test_a_rule_that_became_stricter_does_not_lock_out_who_was_registered_before() -> None:
    document = client_metadata(registered()) | {"redirect_uris": ["http://rp.example/cb"], "jwks": {"keys": [1]}}
    client = stored_client(document, client_id="c", first_party=True, self_registered=False)
    assert client.redirect_uris == ("http://rp.example/cb",)
    assert client.first_party


def test_a_client_gets_the_scopes_that_it_asks_for_among_those_it_may_have() -> None:
    allowed = frozenset({"openid", "notes:read"})

    def scopes(**document: str) -> frozenset[str]:
        whole = {"redirect_uris": [CALLBACK]} | document
        return parse_client_metadata(whole, client_id="c", trusted=False, scopes=allowed).scopes

    assert scopes(scope="openid notes:read notes:write") == allowed
    assert scopes(scope="notes:read") == {"notes:read"}
    assert scopes() == allowed
    assert scopes(scope="notes:write") == allowed


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("https://rp.example/cb", True),
        ("https://rp.example:8443/cb", True),
        ("http://[::1]:7000/cb", True),
        ("https://a.rp.example/cb", False),
        ("https://rp.example.evil.example/cb", False),
        ("com.example.app:/cb", False),
        ("rp.example://rp.example/cb", False),
    ],
)
def test_a_policy_names_the_hosts_of_redirect_uris(uri: str, allowed: bool) -> None:
    policy = parse_policy([], ["RP.example", "[::1]"])
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        # The other member holds what the policy allows.
        document: dict[str, Any] = {"redirect_uris": ["https://rp.example/"]} | {name: [uri]}
        client = registered(**document)
        with contextlib.nullcontext() if allowed else pytest.raises(InvalidRedirectUri):
            check_policy(client, policy)
    check_policy(registered(redirect_uris=[uri]), parse_policy([], []))


@pytest.mark.parametrize(
    ("scopes", "hosts"),
    [(['a"b'], []), (["a b"], []), ([""], []), ([], ["https://rp.example"]), ([], ["rp.example:443"]), ([], ["*"]),
     ([], [""]), ([], ["b\u00fccher.example"]), ([], ["rp.example/"]), ([], ["a..b"])],
)  # fmt: skip
def test_a_policy_that_could_not_hold_is_refused(scopes: list[str], hosts: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^the (scope|redirect host) "):
        parse_policy(scopes, hosts)


@pytest.mark.parametrize("document", [None, {}, "x", [1], [CALLBACK, None], [], [CALLBACK + "/x"]])
def test_a_sector_vouches_for_every_redirect_uri_or_for_nobody(document: object) -> None:
    with pytest.raises(InvalidClientMetadata):
        check_sector_document(document, [CALLBACK])
    check_sector_document(["https://other.example/", CALLBACK], [CALLBACK])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
MEMBERS = sorted(EVERYTHING.keys() | {"jwks_uri", "pkce_required", "first_party", "default_resource"})


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=4))
def test_any_json_is_registered_or_refused_by_name(document: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidClientMetadata, InvalidRedirectUri):
        registered(**document)


@given(st.text(alphabet="htps:/[]@.%#?*\\;012ax\n\u0660", max_size=24))
def test_any_text_is_a_redirect_uri_or_refused_by_name(text: str) -> None:
    try:
        check_redirect_uri("https://" + text)
    except InvalidRedirectUri:
        return
    assert registered(redirect_uris=["https://" + text]).owns_redirect_uri("https://" + text)
