"""The authorization request: what is displayed, what is redirected, and in which order."""

import re

import pytest

from tests.protocol.builders import (
    API,
    CALLBACK,
    CHALLENGE,
    FILES,
    RESOURCES,
    a_client,
    a_request,
    some_parameters,
)
from watchword.protocol.authorization_request import (
    CHECKS,
    RedirectedError,
    parse_authorization_request,
    resolve_target,
)
from watchword.protocol.claims_request import NOTHING_ASKED
from watchword.protocol.client import Client
from watchword.protocol.errors import DisplayedError
from watchword.protocol.parameters import Parameters
from watchword.protocol.vocabulary import OPENID_SCOPES

DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+\Z")  # RFC 6749 appendix A.8


def refusal(parameters: Parameters, client: Client | None = None) -> RedirectedError:
    """Return how a request whose target is trusted is refused."""
    target = resolve_target(parameters, client or a_client())
    with pytest.raises(RedirectedError) as refused:
        parse_authorization_request(parameters, target, RESOURCES)
    assert DESCRIPTION.match(refused.value.error.description)
    return refused.value


def displayed(parameters: Parameters, client: Client | None) -> str:
    with pytest.raises(DisplayedError) as shown:
        resolve_target(parameters, client)
    return shown.value.page


def test_a_good_request_is_read_whole() -> None:
    request = a_request(prompt="login consent", max_age="60")
    assert request.target.redirect_uri == CALLBACK
    assert request.target.state == "af0ifjsldkj"
    assert request.scope == ("openid", "email")
    assert request.nonce == "n-0S6_WzA2Mj"
    assert request.code_challenge == CHALLENGE
    assert request.prompt == {"login", "consent"}
    assert request.max_age == 60
    assert request.resources == ()


def test_parameters_nobody_knows_are_ignored() -> None:
    unknown = {"extra": "foobar", "display": "popup", "claims_locales": "se", "ui_locales": "se", "claims": "{}"}
    assert a_request(None, *unknown.items()) == a_request()
    assert a_request(display="hologram") == a_request()


def test_an_unknown_client_is_displayed() -> None:
    assert displayed(some_parameters(), None) == "unknown_client"


@pytest.mark.parametrize(
    ("parameters", "page"),
    [
        pytest.param(some_parameters(redirect_uri="https://evil.example/cb"), "redirect_uri_mismatch", id="foreign"),
        pytest.param(some_parameters(redirect_uri=CALLBACK + "/x"), "redirect_uri_mismatch", id="longer"),
        pytest.param(some_parameters(redirect_uri=None), "redirect_uri_mismatch", id="missing with openid"),
        pytest.param(some_parameters(("redirect_uri", CALLBACK)), "invalid_request", id="redirect_uri twice"),
        pytest.param(some_parameters(("client_id", "c_rp")), "invalid_request", id="client_id twice"),
    ],
)
def test_an_untrusted_target_is_displayed_whatever_else_is_wrong(parameters: Parameters, page: str) -> None:
    assert displayed(parameters, a_client()) == page


def test_plain_oauth_may_leave_out_the_only_registered_redirect_uri() -> None:
    client = a_client(scopes=OPENID_SCOPES | {"notes:read"})
    left_out = some_parameters(("resource", API.audience), redirect_uri=None, scope="notes:read")
    assert resolve_target(left_out, client).redirect_uri == CALLBACK
    two = a_client(redirect_uris=(CALLBACK, CALLBACK + "2"))
    assert displayed(left_out, two) == "redirect_uri_mismatch"


PUBLIC = a_client(token_endpoint_auth_method="none", pkce_required=False)
LAX = a_client(pkce_required=False)
MACHINE = a_client(grant_types=frozenset({"client_credentials"}), response_types=frozenset())

REFUSED = [
    ("state twice", some_parameters(("state", "x")), None, "invalid_request"),
    ("an unknown parameter twice", some_parameters(("x", "1"), ("x", "2")), None, "invalid_request"),
    ("a long state", some_parameters(state="s" * 1025), None, "invalid_request"),
    ("a long nonce", some_parameters(nonce="n" * 513), None, "invalid_request"),
    ("a long scope", some_parameters(scope="openid " + "s" * 1024), None, "invalid_request"),
    ("a long login_hint", some_parameters(login_hint="a" * 321), None, "invalid_request"),
    ("a long id_token_hint", some_parameters(id_token_hint="a" * 8193), None, "invalid_request"),
    ("a request object", some_parameters(request="e.y.J"), None, "request_not_supported"),
    ("a request_uri", some_parameters(request_uri="https://rp.example/r"), None, "request_uri_not_supported"),
    ("a registration", some_parameters(registration="{}"), None, "registration_not_supported"),
    ("no response_type", some_parameters(response_type=None), None, "invalid_request"),
    ("the implicit flow", some_parameters(response_type="token"), None, "unsupported_response_type"),
    ("the hybrid flow", some_parameters(response_type="code id_token"), None, "unsupported_response_type"),
    ("a response_type in upper case", some_parameters(response_type="CODE"), None, "unsupported_response_type"),
    ("a client without the grant", some_parameters(), MACHINE, "unauthorized_client"),
    ("response_mode fragment", some_parameters(response_mode="fragment"), None, "invalid_request"),
    ("an unknown prompt", some_parameters(prompt="login maybe"), None, "invalid_request"),
    ("prompt none and login", some_parameters(prompt="none login"), None, "invalid_request"),
    ("max_age as words", some_parameters(max_age="soon"), None, "invalid_request"),
    ("a negative max_age", some_parameters(max_age="-1"), None, "invalid_request"),
    ("max_age in Arabic digits", some_parameters(max_age="\u0661"), None, "invalid_request"),
    ("max_age of eleven digits", some_parameters(max_age="1" * 11), None, "invalid_request"),
    ("prompt create and select_account", some_parameters(prompt="create select_account"), None, "invalid_request"),
    ("prompt none and create", some_parameters(prompt="create none"), None, "invalid_request"),
    ("claims that are no JSON", some_parameters(claims="{"), None, "invalid_request"),
    ("claims of a wrong type", some_parameters(claims='{"userinfo": []}'), None, "invalid_request"),
    ("claims beyond 4096 characters", some_parameters(claims='{"x": "' + "x" * 4090 + '"}'), None, "invalid_request"),
    ("no PKCE", some_parameters(code_challenge=None, code_challenge_method=None), None, "invalid_request"),
    ("no PKCE of a public client, whatever its policy says",
     some_parameters(code_challenge=None, code_challenge_method=None), PUBLIC, "invalid_request"),
    ("PKCE plain", some_parameters(code_challenge_method="plain"), None, "invalid_request"),
    ("PKCE without a method, which means plain", some_parameters(code_challenge_method=None), None, "invalid_request"),
    ("PKCE plain where PKCE is optional", some_parameters(code_challenge_method="plain"), LAX, "invalid_request"),
    ("a method without a challenge", some_parameters(code_challenge=None), LAX, "invalid_request"),
    ("PKCE s256 in lower case", some_parameters(code_challenge_method="s256"), None, "invalid_request"),
    ("a short challenge", some_parameters(code_challenge=CHALLENGE[:-1]), None, "invalid_request"),
    ("a verifier in place of a challenge", some_parameters(code_challenge="~" * 43), None, "invalid_request"),
    ("an unknown resource", some_parameters(("resource", "https://other.example")), None, "invalid_target"),
    ("a resource the client has no scope at", some_parameters(("resource", API.audience)), None, "invalid_target"),
    ("one resource of two that the client has no scope at",
     some_parameters(("resource", FILES.audience), ("resource", API.audience)),
     a_client(scopes=frozenset({"openid", "files:read"})), "invalid_target"),
    ("one unknown resource of two",
     some_parameters(("resource", API.audience), ("resource", "https://other.example")), None, "invalid_target"),
    ("no scope", some_parameters(scope=None), None, "invalid_scope"),
    ("a scope that is not the client's", some_parameters(scope="notes:read"), None, "invalid_scope"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "client", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_request_that_fails_a_check_is_redirected(parameters: Parameters, client: Client | None, error: str) -> None:
    refused = refusal(parameters, client)
    assert refused.error.error == error
    assert refused.target.redirect_uri == CALLBACK


def test_a_refusal_hands_the_state_back_unless_it_was_ambiguous() -> None:
    assert refusal(some_parameters(scope=None)).target.state == "af0ifjsldkj"
    assert refusal(some_parameters(scope=None, state=None)).target.state is None
    assert refusal(some_parameters(("state", "x"), scope=None)).target.state is None


def test_every_check_has_a_refusal_here_and_the_first_failing_one_answers() -> None:
    """A request that breaks every rule is refused by each check in turn as the ones before are satisfied."""
    wrong: dict[str, str | None] = {
        "nonce": "n" * 513,
        "request": "x",
        "response_type": "token",
        "response_mode": "fragment",
        "prompt": "maybe",
        "max_age": "soon",
        "claims": "[]",
        "code_challenge_method": "plain",
        "scope": "nothing",
    }
    more = [("x", "1"), ("x", "2"), ("resource", "https://other.example")]
    said = [refusal(some_parameters(*more, **wrong)).error.description]
    more = more[2:]
    for name in list(wrong)[:-1]:
        said.append(refusal(some_parameters(*more, **wrong)).error.description)
        del wrong[name]
    said.append(refusal(some_parameters(*more, **wrong)).error.description)
    said.append(refusal(some_parameters(**wrong)).error.description)
    assert len(set(said)) == len(CHECKS) == 11
    assert [next(word for word in text.replace(".", "").split() if word in ORDER) for text in said] == ORDER


ORDER = ["x", "nonce", "Request", "response_type=code", "response_mode", "prompt", "max_age",
         "claims", "code_challenge_method=S256", "resource", "scopes"]  # fmt: skip


def test_optional_pkce_binds_once_it_is_sent() -> None:
    assert a_request(LAX, code_challenge=None, code_challenge_method=None).code_challenge is None
    assert a_request(LAX).code_challenge == CHALLENGE


def test_long_but_reasonable_values_pass() -> None:
    request = a_request(state="s" * 1024, nonce="n" * 512)
    assert request.target.state == "s" * 1024
    assert a_request(max_age="0").max_age == 0


def test_max_age_falls_back_to_the_clients_default() -> None:
    client = a_client(default_max_age=3600)
    assert a_request(client).max_age == 3600
    assert a_request(client, max_age="60").max_age == 60
    assert a_request().max_age is None


READER = a_client(scopes=frozenset({"openid", "notes:read"}))


def test_scopes_keep_their_order_and_lose_what_the_client_may_not_have() -> None:
    request = a_request(READER, ("resource", API.audience), scope="notes:write notes:read email openid openid x")
    assert request.scope == ("notes:read", "openid")


def test_a_resources_scope_needs_the_resource() -> None:
    assert a_request(READER, scope="openid notes:read").scope == ("openid",)
    assert a_request(READER, ("resource", FILES.audience), scope="openid notes:read").scope == ("openid", "notes:read")


def test_the_default_resource_stands_in_when_none_is_named() -> None:
    client = a_client(scopes=READER.scopes, default_resource=API.audience)
    assert a_request(client, scope="openid notes:read").resources == (API.audience,)
    assert a_request(client, ("resource", FILES.audience)).resources == (FILES.audience,)


APP = a_client(redirect_uris=("com.example.app:/cb",), token_endpoint_auth_method="none")


@pytest.mark.parametrize(
    ("parameters", "client", "mode"),
    [
        (some_parameters(), None, "query"),
        (some_parameters(response_mode="query"), None, "query"),
        (some_parameters(response_mode="form_post"), None, "form_post"),
        (some_parameters(response_mode="fragment"), None, "query"),
        (some_parameters(("response_mode", "query"), response_mode="form_post"), None, "query"),
        (some_parameters(response_mode="form_post", redirect_uri="com.example.app:/cb"), APP, "query"),
    ],
)
def test_an_answer_travels_as_it_was_asked_to_and_in_the_query_where_that_is_unclear(
    parameters: Parameters, client: Client | None, mode: str
) -> None:
    assert resolve_target(parameters, client or a_client()).response_mode == mode


def test_an_app_behind_a_private_scheme_cannot_be_posted_to() -> None:
    wrong = refusal(some_parameters(response_mode="form_post", redirect_uri="com.example.app:/cb"), APP)
    assert (wrong.error.error, wrong.target.response_mode) == ("invalid_request", "query")
    assert "redirect_uri" in wrong.error.description
    assert a_request(APP, redirect_uri="com.example.app:/cb").target.response_mode == "query"


def test_what_an_oauth_request_says_of_claims_is_nothing_to_us() -> None:
    client = a_client(scopes=frozenset({"notes:read", "email"}))
    asked = a_request(client, ("resource", API.audience), scope="notes:read", claims='{"userinfo": {"email": null}}')
    assert asked.claims == NOTHING_ASKED
