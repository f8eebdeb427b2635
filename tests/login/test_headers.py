"""Headers of every answer: the strict policy on pages, no sniffing anywhere, and no cache but where it was decided."""

import re
from typing import Any

import httpx2
import pytest

from tests.login.doors import ask, fresh_email, page_of, post, register_itself, wrong
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty
from watchword.endpoints import ENDPOINTS
from watchword.pages import PAGES

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
CACHED = {"/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}
ROUTES = sorted({endpoint.path for endpoint in (*ENDPOINTS, *PAGES)})


def check_page(answer: httpx2.Response) -> None:
    """Everything an HTML answer must carry, and what must not be in it."""
    headers = answer.headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-security-policy"] == POLICY
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "Accept-Language" in headers["vary"]
    check_answer(answer)
    assert not re.search(
        r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:|<base|<iframe", answer.text, re.IGNORECASE
    )
    assert re.search(r"[?&]code=", answer.text) is None


def check_answer(answer: httpx2.Response, *, cached: bool = False) -> None:
    """What every answer must carry."""
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])
    assert ("no-store" in answer.headers["cache-control"]) is not cached
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers  # http: browsers ignore it, and it would be wrong
    assert answer.status_code not in {301, 302, 307, 308}


async def _login_pages(person: Person, party: RelyingParty) -> Any:
    """Every page of a sign-in, as answers."""
    get = person.http.get
    await person.open(party.authorization_url(prompt="login"))
    yield await get(page_of(person).url)
    yield await post(person, page_of(person).form_with("identifier"), identifier="nobody")
    code = await ask(person, party, fresh_email(), prompt="login")
    form = page_of(person).form_with("one_time_code")
    yield await get(page_of(person).url)
    party.provider.advance(5)
    yield await post(person, page_of(person).form_with("resend"))
    yield await post(person, form, one_time_code="123")
    yield await post(person, form, one_time_code=wrong(code))
    yield await post(person, form, one_time_code=code)  # the page that moves on
    yield await person.http.post(form.action, data=form.fields)
    yield await person.http.post(form.action, data={}, headers={"sec-fetch-site": "cross-site"})


async def _consent_and_logout_pages(person: Person, party: RelyingParty) -> Any:
    get, issuer = person.http.get, party.provider.issuer
    other = await register_itself(party.provider)
    await person.open(other.authorization_url())
    assert "/consent" in page_of(person).url
    yield await get(page_of(person).url)
    yield await post(person, page_of(person).form_with("continue"), decision="deny")
    await person.open(f"{issuer}/logout")
    yield await get(page_of(person).url)
    yield await get(f"{issuer}/logout/done")


async def _error_pages(person: Person, party: RelyingParty) -> Any:
    get, issuer = person.http.get, party.provider.issuer
    for path in (
        "/authorize",
        "/nowhere",
        "/login",
        "/login/cancel",
        "/consent",
        "/dev/mailbox",
        "/logout?id_token_hint=x",
    ):
        yield await get(issuer + path)
    yield await get(party.authorization_url(redirect_uri="https://evil.example/"))
    yield await get(f"{issuer}/authorize?{'x' * 9000}")
    yield await person.http.post(
        f"{issuer}/login", content=b"x=%ff", headers={"content-type": "application/x-www-form-urlencoded"}
    )


@pytest.mark.parametrize("pages", [_login_pages, _consent_and_logout_pages, _error_pages])
async def test_every_page_is_under_the_strict_policy(party: RelyingParty, pages: Any) -> None:
    async with Person() as person:
        await person.type_code(await ask(person, party, fresh_email()))
        seen = [answer async for answer in pages(person, party)]
    assert len(seen) >= 4
    for answer in seen:
        check_page(answer)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_every_route_answers_every_method_properly(provider: RunningProvider, method: str) -> None:
    async with httpx2.AsyncClient() as http:
        for route in ROUTES:
            path = route.replace("/*", "/nothing.css")
            for accept in ("text/html", "application/json"):
                answer = await http.request(method, provider.issuer + path, headers={"accept": accept})
                assert answer.status_code < 500, (method, path)
                cached = path in CACHED and answer.status_code == 200
                check_answer(answer, cached=cached)
                if answer.status_code == 405:
                    assert method not in answer.headers["allow"].split(", ")
                if answer.headers.get("content-type", "").startswith("text/html"):
                    check_page(answer)


async def test_pages_give_nothing_to_other_origins(party: RelyingParty) -> None:
    async with httpx2.AsyncClient() as http:
        for path in ("/authorize", "/login", "/login/code", "/consent", "/logout", "/dev/mailbox.json", "/nowhere"):
            answer = await http.get(party.provider.issuer + path, headers={"origin": "https://evil.example"})
            assert not any(name.startswith("access-control-") for name in answer.headers)


async def test_static_files_are_kept_for_good_under_their_version_alone(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        addresses = re.findall(r'(?:href|src)="(/login/static/[^"]+)"', page_of(person).text)
        assert len(addresses) >= 4
        for address in addresses:
            answer = await person.http.get(party.provider.issuer + address)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["x-content-type-options"] == "nosniff"
            other_version = await person.http.get(party.provider.issuer + address.partition("?")[0] + "?v=00000000")
            assert other_version.headers["cache-control"] == "no-cache"


async def test_no_code_or_address_stands_in_an_address_of_ours(party: RelyingParty) -> None:
    email = fresh_email()
    seen: list[str] = []
    async with Person() as person:
        person.http.event_hooks["request"].append(_note_url(seen))
        code = await ask(person, party, email)
        await person.type_code(code)
    ours = [url for url in seen if "/dev/" not in url]
    assert len(ours) >= 5
    assert not any(email in url or code in url or "@" in url for url in ours)


def _note_url(seen: list[str]) -> Any:
    async def note(request: httpx2.Request) -> None:
        seen.append(str(request.url))

    return note
