"""No form of ours can be posted from elsewhere: by another site, without the page's token, or without its cookie."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.login.doors import ask, fresh_email, page_of, register_itself, rows
from tests.support.person import Person
from tests.support.relying_party import RelyingParty
from watchword.pages import PAGES

ROUTES = sorted(page.path for page in PAGES if "POST" in page.methods)
FIELDS = {"identifier": "asha@example.com", "one_time_code": "123456", "decision": "allow"}


def test_every_form_of_the_pages_is_known_here() -> None:
    assert ROUTES == [
        "/account/applications",
        "/consent", "/login", "/login/cancel", "/login/change", "/login/code", "/login/resend", "/login/select-account",
        "/logout/confirm",
    ]  # fmt: skip


def _written(party: RelyingParty) -> list[dict[str, Any]]:
    """Everything that a form could have changed."""
    tables = ("session", "consent", "outbox", "account", "guess", "device")
    told = rows(party.provider, "SELECT id, name FROM audit_event")  # what else stands in them is sealed in time
    return [{"audit_event": told}, *({table: rows(party.provider, f"SELECT * FROM {table}")} for table in tables)]


@pytest.fixture
async def signed_in(party: RelyingParty) -> Any:
    """A browser with a session, an open interaction, a question whether to sign out, and an application it allowed."""
    async with Person() as person:
        await person.type_code(await ask(person, party, fresh_email()))
        await person.open(f"{party.provider.issuer}/logout")
        logout = page_of(person)
        assert urlsplit(logout.url).path == "/logout/confirm"
        stranger = await register_itself(party.provider)
        await person.open(stranger.authorization_url())
        await person.submit(page_of(person).form_with("continue"), "continue")
        await person.open(f"{party.provider.issuer}/account/applications")
        applications = page_of(person)
        await person.open(party.authorization_url(prompt="login"))
        yield person, page_of(person).form_with("identifier").fields, logout, applications


def _target(party: RelyingParty, route: str, signed_in: Any) -> tuple[str, dict[str, str]]:
    """The address and the fields with which this browser's own form would be taken."""
    _, fields, logout, applications = signed_in
    if route == "/account/applications":
        return applications.forms[0].action, dict(applications.forms[0].fields)
    if route == "/logout/confirm":
        return logout.forms[0].action, {"csrf": logout.forms[0].fields["csrf"], "decision": "sign_out"}
    return f"{party.provider.issuer}{route}", fields | FIELDS


FOREIGN = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "ours"},
    {"sec-fetch-site": "nonsense"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:8999"},
)


@pytest.mark.parametrize("route", ROUTES)
async def test_a_form_from_another_site_is_refused(party: RelyingParty, signed_in: Any, route: str) -> None:
    person, before = signed_in[0], _written(party)
    url, fields = _target(party, route, signed_in)
    for headers in FOREIGN:
        sent = {name: value.replace("ours", party.provider.issuer) for name, value in headers.items()}
        answer = await person.http.post(url, data=fields, headers=sent)
        assert answer.status_code == 403, headers
        assert "This page has expired" in answer.text
        assert "set-cookie" not in answer.headers
    assert _written(party) == before


@pytest.mark.parametrize("route", ROUTES)
async def test_a_form_without_its_own_token_is_refused(party: RelyingParty, signed_in: Any, route: str) -> None:
    person, first, logout, _ = signed_in
    url, fields = _target(party, route, signed_in)
    own = fields.pop("csrf")
    async with Person() as stranger:
        await stranger.open(party.authorization_url())
        of_another_browser = page_of(stranger).form_with("identifier").fields["csrf"]
    of_another_purpose = ({first["csrf"], logout.forms[0].fields["csrf"]} - {own}).pop()
    before = _written(party)
    for token in (None, "", "0" * 64, own[:-1], "\u00e9" * 64, of_another_browser, of_another_purpose):
        forged = fields if token is None else fields | {"csrf": token}
        answer = await person.http.post(url, data=forged, headers={"sec-fetch-site": "same-origin"})
        assert answer.status_code == 403, token
        assert "This page has expired" in answer.text
    assert _written(party) == before


@pytest.mark.parametrize("route", ROUTES)
async def test_a_form_without_the_browsers_cookie_is_refused(party: RelyingParty, signed_in: Any, route: str) -> None:
    url, fields = _target(party, route, signed_in)
    before = _written(party)
    async with Person() as stranger:
        answer = await stranger.http.post(url, data=fields, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == (403 if route in {"/logout/confirm", "/account/applications"} else 400)
    assert _written(party) == before


@pytest.mark.parametrize("route", ROUTES)
async def test_only_a_posted_form_acts(party: RelyingParty, signed_in: Any, route: str) -> None:
    person, before = signed_in[0], _written(party)
    url, fields = _target(party, route, signed_in)
    got = await person.http.get(url, params=fields | dict(p.split("=") for p in urlsplit(url).query.split("&") if p))
    as_json = await person.http.post(url, json=fields, headers={"sec-fetch-site": "same-origin"})
    assert got.status_code in {200, 303, 405}
    assert as_json.status_code == 400
    assert _written(party) == before


async def test_the_form_of_the_page_itself_is_taken_by_browsers_old_and_new(party: RelyingParty) -> None:
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": party.provider.issuer}, {}):
        async with Person() as person:
            await person.open(party.authorization_url())
            form = page_of(person).form_with("identifier")
            answer = await person.http.post(
                form.action, data=form.fields | {"identifier": fresh_email()}, headers=headers
            )
            assert answer.status_code == 303


async def test_a_form_that_is_too_large_is_refused_with_a_page(party: RelyingParty, signed_in: Any) -> None:
    person, fields, *_ = signed_in
    answer = await person.http.post(
        f"{party.provider.issuer}/login",
        data=fields | {"identifier": "a" * 33_000},
        headers={"origin": party.provider.issuer},
    )
    assert answer.status_code == 413
    assert "That was too much" in answer.text
