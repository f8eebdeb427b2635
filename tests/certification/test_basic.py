"""Basic OP and Form Post OP: the cases of both profiles, each in both response modes."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt

from tests.certification.suite import (
    ALGORITHMS,
    BY_SCOPE,
    ID_TOKEN_CLAIMS,
    Browser,
    Client,
    Suite,
    check_claims,
    check_token_error,
    check_token_response,
)
from tests.support.jwt import claims_of, header_of

SILENT = {"login_required", "interaction_required", "account_selection_required", "consent_required"}


async def test_the_code_flow_completes_and_the_id_token_is_slim(suite: Suite, client: Client, browser: Browser) -> None:
    tokens = await suite.tokens(browser, client)
    assert tokens["claims"].keys() <= ID_TOKEN_CLAIMS
    claims = (await suite.userinfo(tokens["access_token"])).json()
    assert claims == {"sub": tokens["claims"]["sub"]}


async def test_a_missing_response_type_is_told_to_the_client(suite: Suite, client: Client, browser: Browser) -> None:
    request = suite.request(client, response_type=None)
    await suite.ask(browser, request)
    assert suite.answer(browser, request)["error"] in {"invalid_request", "unsupported_response_type"}


async def test_the_default_signature_is_rs256_with_a_kid(suite: Suite, client: Client, browser: Browser) -> None:
    header = header_of((await suite.tokens(browser, client))["id_token"])
    assert header["alg"] == "RS256"
    assert header["kid"]


async def test_nothing_is_ever_unsigned(certified: Suite) -> None:
    for name, values in certified.metadata.items():
        if name.endswith("_alg_values_supported"):
            assert "none" not in values, name


async def test_userinfo_takes_the_token_in_every_allowed_way(suite: Suite, client: Client, browser: Browser) -> None:
    tokens = await suite.tokens(browser, client)
    address, bearer = suite.metadata["userinfo_endpoint"], {"authorization": f"Bearer {tokens['access_token']}"}
    async with suite.http() as http:
        answers = [
            await http.get(address, headers=bearer),
            await http.post(address, headers=bearer),
            await http.post(address, data={"access_token": tokens["access_token"]}),
        ]
        in_query = await http.get(address, params={"access_token": tokens["access_token"]})
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["sub"] == tokens["claims"]["sub"]
    assert in_query.status_code == 401


async def test_a_request_without_a_nonce_succeeds(suite: Suite, client: Client, browser: Browser) -> None:
    assert "nonce" not in (await suite.tokens(browser, client, nonce=None))["claims"]


@pytest.mark.parametrize("scope", ["profile", "email", "address", "phone", "profile email address phone"])
async def test_a_scope_shows_all_its_claims_at_userinfo_and_none_in_the_id_token(
    suite: Suite, client: Client, browser: Browser, scope: str
) -> None:
    tokens = await suite.tokens(browser, client, scope=f"openid {scope}")
    check_claims((await suite.userinfo(tokens["access_token"])).json(), scope)
    assert not tokens["claims"].keys() & set().union(*BY_SCOPE.values())


async def test_the_order_of_scopes_and_parameters_does_not_matter(
    suite: Suite, client: Client, browser: Browser
) -> None:
    request = suite.request(client, scope="email phone profile openid")
    await suite.ask(browser, dict(reversed(request.items())))
    await suite.sign_in(browser)
    await suite.exchange(client, suite.answer(browser, request)["code"])


@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap", "hologram"])
async def test_no_display_fails(suite: Suite, client: Client, browser: Browser, display: str) -> None:
    await suite.tokens(browser, client, display=display)


async def test_prompt_login_asks_again_and_auth_time_moves(suite: Suite, client: Client, browser: Browser) -> None:
    first = (await suite.tokens(browser, client))["claims"]
    suite.wait(2)
    request = suite.request(client, prompt="login")
    await suite.ask(browser, request)
    assert browser.asked_to_sign_in
    await suite.sign_in(browser)
    response = await suite.exchange(client, suite.answer(browser, request)["code"])
    second = claims_of(response["id_token"])
    assert second["auth_time"] > first["auth_time"]


async def test_prompt_none_without_a_session_is_told_with_its_long_state(
    suite: Suite, client: Client, browser: Browser
) -> None:
    request = suite.request(client, prompt="none", state="s" * 64 + "S" * 64)
    await suite.ask(browser, request)
    answer = suite.answer(browser, request)
    assert answer["error"] in SILENT
    assert "code" not in answer


async def test_prompt_none_with_a_session_answers_at_once(suite: Suite, client: Client, browser: Browser) -> None:
    first = (await suite.tokens(browser, client))["claims"]
    request = suite.request(client, prompt="none")
    await suite.ask(browser, request)
    response = await suite.exchange(client, suite.answer(browser, request)["code"])
    second = claims_of(response["id_token"])
    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])


async def test_max_age_of_a_second_asks_again(suite: Suite, client: Client, browser: Browser) -> None:
    first = (await suite.tokens(browser, client))["claims"]
    suite.wait(2)
    request = suite.request(client, max_age="1")
    await suite.ask(browser, request)
    assert browser.asked_to_sign_in
    await suite.sign_in(browser)
    response = await suite.exchange(client, suite.answer(browser, request)["code"])
    assert claims_of(response["id_token"])["auth_time"] > first["auth_time"]


async def test_a_long_max_age_does_not_ask_and_auth_time_stays(suite: Suite, client: Client, browser: Browser) -> None:
    first = (await suite.tokens(browser, client, max_age="15000"))["claims"]
    request = suite.request(client, max_age="10000")
    await suite.ask(browser, request)
    response = await suite.exchange(client, suite.answer(browser, request)["code"])
    assert claims_of(response["id_token"])["auth_time"] == first["auth_time"]


async def test_an_unknown_parameter_is_ignored(suite: Suite, client: Client, browser: Browser) -> None:
    await suite.tokens(browser, client, extra="foobar")


async def test_an_id_token_hint_in_silence_gives_the_same_person(
    suite: Suite, client: Client, browser: Browser
) -> None:
    first = await suite.tokens(browser, client)
    suite.wait(7200)  # an expired hint still names somebody
    request = suite.request(client, prompt="none", id_token_hint=first["id_token"])
    await suite.ask(browser, request)
    response = await suite.exchange(client, suite.answer(browser, request)["code"])
    second = claims_of(response["id_token"])
    assert (second["sub"], second["auth_time"]) == (first["claims"]["sub"], first["claims"]["auth_time"])


async def test_a_login_hint_of_a_stranger_leads_to_a_page_where_it_can_be_changed(
    suite: Suite, client: Client, browser: Browser
) -> None:
    request = suite.request(client, login_hint="buffy@localhost")
    await suite.ask(browser, request)
    assert browser.page is not None
    assert browser.page.form_with("identifier").fields["identifier"] == "buffy@localhost"
    await suite.sign_in(browser)
    await suite.exchange(client, suite.answer(browser, request)["code"])


@pytest.mark.parametrize("name", ["ui_locales", "claims_locales"])
async def test_a_locale_we_do_not_speak_is_ignored(suite: Suite, client: Client, browser: Browser, name: str) -> None:
    await suite.tokens(browser, client, **{name: "se"})


async def test_acr_values_give_an_acr_that_was_asked_for(suite: Suite, client: Client, browser: Browser) -> None:
    offered = suite.metadata["acr_values_supported"]
    assert offered
    assert (await suite.tokens(browser, client, acr_values=" ".join(offered)))["claims"]["acr"] in offered


async def test_a_code_used_again_is_refused_and_after_a_while_its_token_is_dead(
    suite: Suite, client: Client, browser: Browser
) -> None:
    code = (await suite.authorize(browser, client))["code"]
    tokens = await suite.exchange(client, code)
    again = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uri}
    check_token_error(await suite.token(client, **again), "invalid_grant")
    suite.wait(30)
    check_token_error(await suite.token(client, **again), "invalid_grant")
    assert (await suite.userinfo(tokens["access_token"])).status_code == 401


async def test_an_unregistered_redirect_uri_is_shown_and_never_followed(
    suite: Suite, client: Client, browser: Browser
) -> None:
    for uri in (client.redirect_uri + "/more", client.redirect_uri + "?more=1", client.redirect_uri.upper()):
        await suite.ask(browser, suite.request(client, redirect_uri=uri))
        assert browser.landed is None
        assert browser.page is not None
        assert browser.page.status == 400
        assert browser.delivered is None
        assert browser.page.refresh is None


async def test_a_request_posted_from_another_site_succeeds(suite: Suite, client: Client, browser: Browser) -> None:
    request = suite.request(client)
    await browser._follow("POST", suite.metadata["authorization_endpoint"], request)
    await suite.sign_in(browser)
    await suite.exchange(client, suite.answer(browser, request)["code"])


async def test_a_secret_in_the_form_authenticates(suite: Suite, certified: Suite, browser: Browser) -> None:
    by_post = await certified.register(token_endpoint_auth_method="client_secret_post")
    await suite.tokens(browser, by_post)


@pytest.mark.parametrize("name", ["request", "request_uri"])
async def test_request_objects_are_refused_by_name(suite: Suite, client: Client, browser: Browser, name: str) -> None:
    unsigned = "eyJhbGciOiJub25lIn0.e30."
    value = unsigned if name == "request" else "https://client.example/request.jwt#hash"
    request = suite.request(client, **{name: value})
    await suite.ask(browser, request)
    assert suite.answer(browser, request)["error"] == f"{name}_not_supported"
    assert suite.metadata[f"{name}_parameter_supported"] is False
    supported = suite.metadata["request_object_signing_alg_values_supported"]
    assert "RS256" in supported


async def test_an_essential_claim_is_at_userinfo_alone(suite: Suite, client: Client, browser: Browser) -> None:
    asked = json.dumps({"userinfo": {"name": {"essential": True}}})
    tokens = await suite.tokens(browser, client, claims=asked)
    claims = (await suite.userinfo(tokens["access_token"])).json()
    assert claims.keys() == {"sub", "name"}
    assert "name" not in tokens["claims"]


async def test_a_claim_asked_for_in_the_id_token_is_there(suite: Suite, client: Client, browser: Browser) -> None:
    asked = json.dumps({"id_token": {"email": None, "auth_time": {"essential": True}}})
    tokens = await suite.tokens(browser, client, claims=asked)
    assert tokens["claims"]["email"] == "certified@people.example"


async def test_a_refresh_token_gives_a_new_id_token_and_is_its_clients_alone(
    suite: Suite, client: Client, other: Client, browser: Browser
) -> None:
    scope = "openid email offline_access"
    first = await suite.tokens(browser, client, scope=scope, prompt="consent")
    suite.wait(2)
    answer = await suite.token(client, grant_type="refresh_token", refresh_token=first["refresh_token"], scope=scope)
    refreshed = check_token_response(answer)
    before, after = first["claims"], jwt.decode(refreshed["id_token"], suite.keys, algorithms=ALGORITHMS).claims
    for name in ("iss", "sub", "aud", "auth_time"):
        assert after[name] == before[name]
    assert after["iat"] > before["iat"]
    stolen = await suite.token(other, grant_type="refresh_token", refresh_token=refreshed["refresh_token"])
    check_token_error(stolen, "invalid_grant")


async def test_pkce_works_with_a_confidential_client(suite: Suite, client: Client, browser: Browser) -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636 appendix B
    asked: dict[str, Any] = {"code_challenge": challenge, "code_challenge_method": "S256"}
    code = (await suite.authorize(browser, client, **asked))["code"]
    await suite.exchange(client, code, code_verifier=verifier)


async def test_head_gives_nothing_away(suite: Suite, client: Client, browser: Browser) -> None:
    await suite.tokens(browser, client)
    answer = await browser.http.head(f"{suite.metadata['authorization_endpoint']}?{urlencode(suite.request(client))}")
    assert "location" not in answer.headers
    assert answer.status_code == 405


async def test_a_request_object_does_not_cure_an_unregistered_redirect_uri(
    suite: Suite, client: Client, browser: Browser
) -> None:
    request = suite.request(client, redirect_uri="https://client.example/other", request="eyJhbGciOiJub25lIn0.e30.")
    await suite.ask(browser, request)
    assert browser.landed is None
    assert browser.delivered is None
    assert browser.page is not None
    assert browser.page.status == 400


async def test_any_state_comes_back_byte_for_byte(suite: Suite, client: Client, browser: Browser) -> None:
    state = "  a b+c%20&d=e\"><'\\;/?#[]@éॐ \t" + "~" * 100 + " "
    await suite.tokens(browser, client, state=state)
    for changes in ({"prompt": "none", "max_age": "0"}, {"response_type": "token"}, {"claims": "no JSON"}):
        suite.wait(1)
        request = suite.request(client, state=state, **changes)
        await suite.ask(browser, request)
        assert suite.answer(browser, request)["error"]


async def test_every_token_error_is_json_in_plain_characters(
    certified: Suite, client: Client, other: Client, browser: Browser
) -> None:
    code = (await certified.authorize(browser, client))["code"]
    good = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uri}
    hostile = '"\\\r\n\téॐ'
    for changes, error in (
        ({"grant_type": hostile}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
        ({"code": hostile}, "invalid_grant"),
        ({"redirect_uri": hostile}, "invalid_grant"),
        ({"redirect_uri": client.redirect_uri + "/"}, "invalid_grant"),
        ({"code_verifier": hostile}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": hostile}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"resource": hostile}, "invalid_target"),
    ):
        check_token_error(await certified.token(client, **(good | changes)), error)
    check_token_error(await certified.token(other, **good), "invalid_grant")
    await certified.exchange(client, code)


async def test_who_is_not_the_client_is_challenged_in_the_way_it_used(certified: Suite, client: Client) -> None:
    wrong = Client(client.client_id, client.redirect_uri, "wrong")
    for by_post in (False, True):
        wrong.by_post = by_post
        answer = await certified.token(wrong, grant_type="refresh_token", refresh_token="x")
        check_token_error(answer, "invalid_client", status=401)
        challenge = answer.headers.get("www-authenticate", "")
        assert challenge.startswith("Basic") is not by_post
