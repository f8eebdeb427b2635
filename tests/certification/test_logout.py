"""RP-Initiated, Back-Channel and Front-Channel Logout."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.certification.suite import ALGORITHMS, Browser, Client, Suite
from tests.support.jwt import claims_of, header_of

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
async def leaver(certified: Suite) -> Client:
    """A client that wants its browsers back."""
    return await certified.register(
        post_logout_redirect_uris=[f"{certified.site.origin}/post_logout_redirect"],
        grant_types=["authorization_code", "refresh_token"],
    )


async def leave(suite: Suite, browser: Browser, **parameters: str) -> None:
    await browser.open(f"{suite.metadata['end_session_endpoint']}?{urlencode(parameters)}")


def back(suite: Suite) -> str:
    return f"{suite.site.origin}/post_logout_redirect"


async def check_over(suite: Suite, browser: Browser, client: Client) -> None:
    """See that nobody is signed in any more."""
    request = suite.request(client, prompt="none")
    await suite.ask(browser, request)
    assert suite.answer(browser, request)["error"] == "login_required"


@pytest.mark.parametrize("state", [{"state": "s" * 128}, {}])
async def test_a_hint_ends_the_session_and_the_browser_is_sent_back_with_its_state(
    certified: Suite, leaver: Client, browser: Browser, state: dict[str, str]
) -> None:
    tokens = await certified.tokens(browser, leaver)
    await leave(certified, browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=back(certified), **state)
    assert browser.landed == back(certified) + ("?" + urlencode(state) if state else "")
    await check_over(certified, browser, leaver)
    assert (await certified.userinfo(tokens["access_token"])).status_code == 401


@pytest.mark.parametrize("more", ["/more", "?foo=bar"])
async def test_another_return_address_is_an_error_page(
    certified: Suite, leaver: Client, browser: Browser, more: str
) -> None:
    tokens = await certified.tokens(browser, leaver)
    await leave(certified, browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=back(certified) + more)
    check_error_page(browser)


async def test_a_hint_that_we_did_not_sign_is_an_error_page(certified: Suite, leaver: Client, browser: Browser) -> None:
    tokens = await certified.tokens(browser, leaver)
    claims, kid = claims_of(tokens["id_token"]), header_of(tokens["id_token"])["kid"]
    unsigned = "eyJhbGciOiJub25lIn0." + tokens["id_token"].split(".")[1] + "."
    by_secret = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(leaver.secret or ""))
    by_own_key = jwt.encode({"alg": "RS256", "kid": kid}, claims, RSAKey.generate_key(2048))
    for hint in (unsigned, by_secret, by_own_key, tokens["id_token"][:-8] + "AAAAAAAA"):
        await leave(certified, browser, id_token_hint=hint, post_logout_redirect_uri=back(certified))
        check_error_page(browser)


async def test_a_return_address_without_a_hint_is_an_error_page(
    certified: Suite, leaver: Client, browser: Browser
) -> None:
    await certified.tokens(browser, leaver)
    await leave(certified, browser, post_logout_redirect_uri=back(certified), state="s")
    check_error_page(browser)


@pytest.mark.parametrize("parameters", [(), ("id_token_hint",), ("state",)])
async def test_without_a_return_address_the_person_ends_on_our_page(
    certified: Suite, leaver: Client, browser: Browser, parameters: tuple[str, ...]
) -> None:
    tokens = await certified.tokens(browser, leaver)
    values = {"id_token_hint": tokens["id_token"], "state": "s"}
    await leave(certified, browser, **{name: values[name] for name in parameters})
    assert browser.page is not None
    if any("decision" in each.get("name", "") for form in browser.page.forms for each in form.buttons.values()):
        await browser.submit(browser.page.form_with("continue"), "continue")
    assert browser.landed is None
    assert browser.page is not None
    assert browser.page.status == 200
    await check_over(certified, browser, leaver)


async def test_a_back_channel_client_is_told_by_a_logout_token(certified: Suite, browser: Browser) -> None:
    address = f"{certified.site.origin}/backchannel_logout"
    client = await certified.register(
        post_logout_redirect_uris=[back(certified)],
        backchannel_logout_uri=address,
        backchannel_logout_session_required=True,
    )
    tokens = await certified.tokens(browser, client)
    await leave(
        certified, browser,
        id_token_hint=tokens["id_token"], post_logout_redirect_uri=back(certified), state="after",
    )  # fmt: skip
    assert browser.landed == back(certified) + "?state=after"
    path, form, media_type = await asyncio.to_thread(certified.site.posts.get, timeout=20)
    assert (path, media_type) == ("/backchannel_logout", "application/x-www-form-urlencoded")
    assert form.keys() == {"logout_token"}
    assert certified.site.versions[-1] == "TLSv1.3"
    check_logout_token(certified, client, form["logout_token"][0], tokens["claims"])
    await check_over(certified, browser, client)


def check_logout_token(suite: Suite, client: Client, token: str, id_token: dict[str, Any]) -> None:
    decoded = jwt.decode(token, suite.keys, algorithms=ALGORITHMS)
    assert decoded.header["typ"] == "logout+jwt"
    assert decoded.header["alg"] == "RS256"
    claims = decoded.claims
    assert claims["events"] == {EVENT: {}}
    assert (claims["iss"], claims["aud"]) == (suite.issuer, client.client_id)
    assert (claims["sub"], claims["sid"]) == (id_token["sub"], id_token["sid"])
    assert claims["jti"]
    now = suite.wait(0)
    assert claims["iat"] <= now + 5
    assert now < claims["exp"] <= claims["iat"] + 300
    assert "nonce" not in claims


async def test_a_front_channel_client_is_loaded_in_a_frame_with_issuer_and_session(
    certified: Suite, browser: Browser
) -> None:
    callback = certified.callback()
    client = await certified.register(
        redirect_uris=[callback],
        post_logout_redirect_uris=[back(certified)],
        frontchannel_logout_uri=f"{certified.site.origin}/frontchannel_logout?kept=1",
        frontchannel_logout_session_required=True,
    )
    tokens = await certified.tokens(browser, client)
    parameters = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": back(certified), "state": "after"}
    address = f"{certified.metadata['end_session_endpoint']}?{urlencode(parameters)}"
    answer = await browser.http.get(address, follow_redirects=True)
    assert str(answer.url).startswith(certified.issuer)
    assert answer.status_code == 200
    assert certified.site.origin in answer.headers["content-security-policy"].partition("frame-src ")[2]
    source = answer.text.partition("<iframe")[2].partition('src="')[2].partition('"')[0].replace("&amp;", "&")
    asked = parse_qs(urlsplit(source).query)
    assert asked == {"kept": ["1"], "iss": [certified.issuer], "sid": [tokens["claims"]["sid"]]}
    assert back(certified) + "?state=after" in answer.text
    await check_over(certified, browser, client)


def check_error_page(browser: Browser) -> None:
    assert browser.landed is None
    assert browser.page is not None
    assert browser.page.status == 400
    assert browser.page.refresh is None
