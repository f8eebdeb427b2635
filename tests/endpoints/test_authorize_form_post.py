"""response_mode=form_post: the answer is a form that the browser posts to the client, success and errors alike."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from playwright.async_api import Browser

from tests.endpoints.parties import ANSWER, REFUSAL, posted_answer, self_registered
from tests.endpoints.people import ASHA, CODE, authorized, prove
from tests.login.doors import page_of
from tests.support.person import Page, Person, read_page
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty
from tests.support.secrecy import remember_secret

FORM_POST = {"response_mode": "form_post"}


def directive(headers: httpx2.Headers, name: str) -> str:
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    return policy[name]


async def test_success_is_a_form_with_code_state_and_issuer_and_nothing_else(
    provider: RunningProvider, party: RelyingParty
) -> None:
    state = 'a b&c=d"><script>alert(1)</script>' + "é" * 60
    async with Person() as person:
        await person.open(party.authorization_url(**FORM_POST, state=state))
        await prove(person)
        page = page_of(person)
        answer = posted_answer(page)
    assert answer.keys() == ANSWER
    assert (answer["state"], answer["iss"]) == (state, provider.issuer)
    assert (await party.exchange(answer["code"])).status_code == 200
    assert "<script>alert" not in page.text
    assert answer["code"] not in page.url


async def test_the_page_is_kept_by_nobody_and_may_post_to_web_addresses_alone(
    provider: RunningProvider, party: RelyingParty
) -> None:
    secure = self_registered(provider, redirect_uris=["https://rp.example/cb"], scope="openid")
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(**FORM_POST))
        headers = page_of(person).headers
        assert page_of(person).status == 200
        assert headers["cache-control"] == "no-store"
        assert directive(headers, "form-action") == "http: https:"
        assert (directive(headers, "script-src"), directive(headers, "default-src")) == ("'self'", "'none'")
        assert directive(headers, "frame-ancestors") == "'none'"
        await person.open(secure.authorization_url(**FORM_POST, prompt="none"))
        assert directive(page_of(person).headers, "form-action") == "https:"
        assert posted_answer(page_of(person), "https://rp.example/cb")["error"] == "consent_required"


async def test_a_signed_in_browser_is_answered_at_once_in_silence_too(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        for changes in ({}, {"prompt": "none"}):
            await person.open(party.authorization_url(**FORM_POST, **changes))
            assert posted_answer(page_of(person)).keys() == ANSWER


async def test_the_page_speaks_the_language_of_the_request_or_the_one_its_person_chose(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url(**FORM_POST, prompt="none", ui_locales="se hi"))
        assert '<html lang="hi"' in page_of(person).text
        await person.open(party.authorization_url(**FORM_POST))
        await person.open(page_of(person).url + "&ui_locales=hi")
        await prove(person)
        assert '<html lang="hi"' in page_of(person).text
        assert posted_answer(page_of(person)).keys() == ANSWER


async def test_who_cancels_sends_the_client_access_denied_in_a_form(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url(**FORM_POST))
        await person.submit(page_of(person).form_with("cancel"), "cancel")
        answer = posted_answer(page_of(person))
    assert (answer["error"], answer["state"]) == ("access_denied", party.state)


ERRORS: list[tuple[str, dict[str, str | None], str, str]] = [
    ("no response_type", {"response_type": None}, "", "invalid_request"),
    ("another response_type", {"response_type": "id_token"}, "", "unsupported_response_type"),
    ("a request object", {"request": "x"}, "", "request_not_supported"),
    ("a request_uri", {"request_uri": "https://rp.example/x"}, "", "request_uri_not_supported"),
    ("a nonce twice", {}, "&nonce=x", "invalid_request"),
    ("no scope", {"scope": None}, "", "invalid_scope"),
    ("a hint that is none", {"id_token_hint": "x.y.z"}, "", "invalid_request"),
    ("nobody signed in", {"prompt": "none"}, "", "login_required"),
]


@pytest.mark.parametrize(("changes", "more", "error"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_error_is_a_form_with_the_state_and_the_issuer(
    provider: RunningProvider,
    party: RelyingParty,
    changes: dict[str, str | None],
    more: str,
    error: str,
    method: str,
) -> None:
    query = urlsplit(party.authorization_url(**FORM_POST, **changes, state="s" * 128)).query + more
    async with Person() as person:
        if method == "GET":
            await person.open(f"{provider.issuer}/authorize?{query}")
            page = page_of(person)
        else:
            page = await by_post(person, provider, query)
        answer = posted_answer(page)
    assert answer.keys() == REFUSAL
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "s" * 128, provider.issuer)
    assert page.headers["cache-control"] == "no-store"


async def by_post(person: Person, provider: RunningProvider, query: str) -> Page:
    """Send a request as a form of another site, which brings no cookies, and follow it as a browser does."""
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": "https://rp.example"}
    async with httpx2.AsyncClient() as elsewhere:
        sent = await elsewhere.post(f"{provider.issuer}/authorize", content=query, headers=headers)
    if sent.status_code != 303:
        return read_page(sent)
    assert "set-cookie" not in sent.headers
    await person.open(sent.headers["location"])
    return page_of(person)


async def test_a_request_by_post_is_answered_by_a_form_in_the_browsers_session(
    provider: RunningProvider, party: RelyingParty
) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        for changes in ({}, {"prompt": "none"}):
            query = urlsplit(party.authorization_url(**FORM_POST, **changes)).query
            assert posted_answer(await by_post(person, provider, query)).keys() == ANSWER


async def test_a_request_by_post_from_a_browser_that_never_was_here_signs_in_and_is_answered_by_a_form(
    provider: RunningProvider, party: RelyingParty
) -> None:
    async with Person() as person:
        page = await by_post(person, provider, urlsplit(party.authorization_url(**FORM_POST)).query)
        assert "identifier" in page.form_with("identifier").fields
        await prove(person, ASHA)
        assert posted_answer(page_of(person)).keys() == ANSWER


@pytest.mark.parametrize("mode", ["response_mode=fragment", "response_mode=form_post&response_mode=form_post"])
def test_an_unclear_response_mode_is_an_error_in_the_query(http: httpx2.Client, party: RelyingParty, mode: str) -> None:
    answer = http.get(f"{party.authorization_url()}&{mode}")
    assert answer.status_code == 303
    told = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert (told["error"], told["state"]) == ("invalid_request", party.state)


async def test_without_a_trusted_target_nothing_is_posted_anywhere(http: httpx2.Client, party: RelyingParty) -> None:
    for changes in ({"client_id": "c_nobody"}, {"redirect_uri": "https://evil.example/"}):
        answer = http.get(party.authorization_url(**FORM_POST, **changes))
        assert answer.status_code == 400
        assert "<form" not in answer.text
        assert directive(answer.headers, "form-action") == "'self'"


async def test_head_issues_nothing(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        assert (await person.http.head(party.authorization_url(**FORM_POST))).status_code == 405


@pytest.fixture
def client_site() -> Iterator[tuple[int, list[bytes]]]:
    """A client's own site on a port of its own: it takes posts, notes them, and leads on to another origin."""
    taken: list[bytes] = []

    class Site(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(303)
            self.send_header("location", f"http://localhost:{self.server.server_port}/notes")  # type: ignore[attr-defined]
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"signed in")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, taken
        server.shutdown()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("script", [True, False])
async def test_a_real_browser_posts_the_answer_and_follows_the_client_onward(
    party: RelyingParty, chromium: Browser, client_site: tuple[int, list[bytes]], script: bool
) -> None:
    """With our script by itself, without it by the button; and the client may redirect to yet another place."""
    port, taken = client_site
    redirect_uri = f"http://127.0.0.1:{port}/callback"
    context = await chromium.new_context(java_script_enabled=script)
    try:
        page = await context.new_page()
        await page.goto(party.authorization_url(**FORM_POST, redirect_uri=redirect_uri))
        await page.fill("#identifier", ASHA)
        await page.click("#continue")
        await page.fill("#one-time-code", CODE)  # with our script six digits go by themselves
        if not script:
            await page.click("#continue")
            await page.click("#response #continue")
        await page.wait_for_url(f"http://localhost:{port}/notes")
    finally:
        await context.close()
    [body] = taken
    answer = dict(parse_qsl(body.decode()))
    assert answer.keys() == ANSWER
    assert answer["state"] == party.state
    assert (await party.exchange(remember_secret(answer["code"]), redirect_uri=redirect_uri)).status_code == 200
