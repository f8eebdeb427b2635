"""Before an error reaches a client that registered itself, a page tells the person where it leads (RFC 9700 4.11.2).

Outside production such clients are redirected at once, which is what the other tests of this folder see.
"""

import os
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest

from tests.endpoints.parties import REFUSAL, answer_at, posted_answer, self_registered
from tests.login.doors import page_of
from tests.support.person import Page, Person, read_page
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import REDIRECT_URI, RelyingParty, register
from tests.support.secrecy import remember_secret

HERE = "127.0.0.1:8999"


@pytest.fixture(scope="module")
def production() -> Iterator[RunningProvider]:
    """A provider as operators run it; nobody signs in here, so its mail server need not exist."""
    secret_key = remember_secret(os.urandom(32).hex())
    with running_provider(
        env="production",
        log_level="info",
        secret_key=secret_key,
        smtp_url="smtp://127.0.0.1:9",
        smtp_from="a@b.example",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def stranger(production: RunningProvider) -> RelyingParty:
    return self_registered(production)


@pytest.fixture(scope="module")
def known(production: RunningProvider) -> RelyingParty:
    return register(production, first_party=False)


def asked(provider: RunningProvider, url: str, method: str = "GET") -> httpx2.Response:
    """Ask as a browser that was never here, and go on where a form has to."""
    with httpx2.Client(timeout=30) as browser:
        if method == "GET":
            return browser.get(url)
        address, _, query = url.partition("?")
        answer = browser.post(address, data=dict(parse_qsl(query)))
        location = answer.headers.get("location", "")
        return browser.get(location) if location.startswith(provider.issuer) else answer


def link_of(page: Page) -> str:
    """Return where the page's one link to the client leads."""
    tag = page.text.partition('id="continue"')[2].partition(">")[0]
    address = tag.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert address, page.text
    return address


ERRORS = [
    ({"prompt": "none"}, "login_required"),
    ({"scope": "nothing"}, "invalid_scope"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"request": "x"}, "request_not_supported"),
    ({"id_token_hint": "x.y.z"}, "invalid_request"),
    ({"claims": '{"id_token": {"acr": {"essential": true, "value": "gold"}}}'}, "unmet_authentication_requirements"),
]


@pytest.mark.parametrize(("changes", "error"), ERRORS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_person_sees_where_an_error_leads_before_they_follow_it(
    production: RunningProvider, stranger: RelyingParty, changes: dict[str, str], error: str, method: str
) -> None:
    answer = asked(production, stranger.authorization_url(**changes), method)
    assert answer.status_code == 200
    assert "location" not in answer.headers
    page = read_page(answer)
    assert (page.refresh, page.forms) == (None, [])
    assert HERE in page.text
    assert "form-action 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    told = answer_at(link_of(page))
    assert told.keys() == REFUSAL
    assert (told["error"], told["state"], told["iss"]) == (error, stranger.state, production.issuer)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_error_that_is_to_be_posted_waits_for_the_person_too(
    production: RunningProvider, stranger: RelyingParty, method: str
) -> None:
    answer = asked(production, stranger.authorization_url(prompt="none", response_mode="form_post"), method)
    page = read_page(answer)
    assert (answer.status_code, page.refresh) == (200, None)
    assert "form_post.js" not in page.text, "nothing may send it by itself"
    assert HERE in page.text
    assert "form-action http: https:" in answer.headers["content-security-policy"]
    told = posted_answer(page)
    assert told.keys() == REFUSAL
    assert (told["error"], told["state"]) == ("login_required", stranger.state)


async def test_who_cancels_is_told_where_that_leads(production: RunningProvider, stranger: RelyingParty) -> None:
    async with Person() as person:
        await person.open(stranger.authorization_url())
        await person.submit(page_of(person).form_with("cancel"), "cancel")
        assert answer_at(link_of(page_of(person)))["error"] == "access_denied"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_client_that_the_operator_registered_is_told_at_once(
    production: RunningProvider, known: RelyingParty, method: str
) -> None:
    answer = asked(production, known.authorization_url(prompt="none"), method)
    assert answer.status_code == 303
    assert answer_at(answer.headers["location"])["error"] == "login_required"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_sign_out_that_ends_nothing_leads_to_a_stranger_by_a_link_alone(
    production: RunningProvider, method: str
) -> None:
    bye = "https://bye.stranger.example/?from=here"
    party = self_registered(production, post_logout_redirect_uris=[bye])
    form = {"client_id": party.client_id, "post_logout_redirect_uri": bye, "state": "s&s"}
    answer = asked(production, f"{production.issuer}/logout?{urlencode(form)}", method)
    assert answer.status_code == 200
    page = read_page(answer)
    assert (page.refresh, page.forms) == (None, [])
    assert "signed_out.js" not in page.text, "nothing may go on by itself"
    assert ">bye.stranger.example<" in page.text
    assert "You are signed out" in page.text
    assert "form-action 'none'" in answer.headers["content-security-policy"]
    assert link_of(page) == bye + "&state=s%26s"


def test_a_sign_out_that_ends_nothing_goes_back_to_the_operators_own_client_at_once(
    production: RunningProvider,
) -> None:
    bye = "https://bye.notes.example/"
    party = register(production, "--post-logout-redirect-uri", bye, first_party=False)
    form = {"client_id": party.client_id, "post_logout_redirect_uri": bye}
    answer = asked(production, f"{production.issuer}/logout?{urlencode(form)}")
    assert (answer.status_code, answer.headers["location"]) == (303, bye)


def test_only_what_somebody_can_sign_in_with_is_announced_as_acr(production: RunningProvider) -> None:
    """It sends email alone, so that nobody can meet a demand for a phone here."""
    document = httpx2.get(f"{production.issuer}/.well-known/openid-configuration").json()
    assert document["acr_values_supported"] == ["urn:watchword:otp:email"]


def test_what_a_stranger_calls_itself_breaks_nothing_on_the_page(production: RunningProvider) -> None:
    name = '<script>alert(1)</script>"%s{{ 7*7 }}'
    hostile = self_registered(production, client_name=name)
    page = read_page(asked(production, hostile.authorization_url(prompt="none", state='"><script>alert(2)</script>')))
    assert "<script>alert" not in page.text
    assert dict(parse_qsl(urlsplit(link_of(page)).query))["state"] == '"><script>alert(2)</script>'
    assert link_of(page).startswith(REDIRECT_URI + "?")
