"""Front-channel logout, and the page that says who was told."""

import re
from collections.abc import AsyncIterator, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.endpoints.telling import client_told, sign_out, signed_in
from tests.support.jwt import claims_of
from tests.support.logout_sink import Sink, running_sink, until
from tests.support.person import Page, Person, read_page
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty

UNREACHED = "https://localhost:8443/told"  # the provider of these tests posts to the public Internet alone


@pytest.fixture(scope="module")
def site() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


@pytest.fixture
def sink(site: Sink) -> Sink:
    site.loaded.clear()
    return site


@pytest.fixture(scope="module")
def bye(site: Sink) -> str:
    return site.address("/bye")


@pytest.fixture(scope="module")
def framed(provider: RunningProvider, site: Sink, bye: str) -> RelyingParty:
    return client_told(
        provider,
        "Framed <notes>",
        redirect_uris=["http://127.0.0.1:8999/callback", site.address("/callback")],
        post_logout_redirect_uris=[bye],
        frontchannel_logout_uri=site.address("/framed?tenant=a&b=c"),
        frontchannel_logout_session_required=True,
    )


@pytest.fixture(scope="module")
def both(provider: RunningProvider, site: Sink, bye: str) -> RelyingParty:
    """A client that is told in both ways."""
    return client_told(
        provider,
        "Both",
        redirect_uris=["http://127.0.0.1:8999/callback", site.address("/callback", host="localhost")],
        post_logout_redirect_uris=[bye],
        backchannel_logout_uri=UNREACHED,
        frontchannel_logout_uri=site.address("/both", host="localhost"),
    )


@pytest.fixture(scope="module")
def behind(provider: RunningProvider, bye: str) -> RelyingParty:
    """A client that is told by the back channel alone."""
    uris: dict[str, Any] = {"backchannel_logout_uri": UNREACHED, "post_logout_redirect_uris": [bye]}
    return client_told(provider, "Behind", **uris)


@pytest.fixture(scope="module")
def quiet(provider: RunningProvider, bye: str) -> RelyingParty:
    return client_told(provider, "Quiet", post_logout_redirect_uris=[bye])


@pytest.fixture
async def person() -> AsyncIterator[Person]:
    async with Person() as somebody:
        yield somebody


def frames(page: Page) -> list[str]:
    return [unescape(found) for found in re.findall(r'<iframe[^>]* src="([^"]+)"', page.text)]


def frame_sources(page: Page) -> list[str]:
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
    return policy.get("frame-src", "").split()


async def page_after(person: Person, answer: httpx2.Response) -> Page:
    """The page that an answer leads to, without what it leads to itself."""
    assert answer.status_code == 303, answer.text
    return read_page(await person.http.get(answer.headers["location"]))


async def test_the_page_loads_the_clients_of_the_session_and_goes_on_with_the_state(
    provider: RunningProvider, framed: RelyingParty, both: RelyingParty, behind: RelyingParty, quiet: RelyingParty,
    person: Person, sink: Sink, bye: str,
) -> None:  # fmt: skip
    async with Person() as elsewhere:
        await signed_in(elsewhere, both)
        tokens = await signed_in(person, framed, behind, quiet)
        answer = await sign_out(person, framed, tokens[0], post_logout_redirect_uri=bye, state="a&b")
        assert "Max-Age=0" in answer.headers["set-cookie"]
        page = await page_after(person, answer)
    assert page.status == 200
    assert page.url.startswith(f"{provider.issuer}/logout/done?request=")
    (frame,) = frames(page)
    parts = urlsplit(frame)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == sink.address("/framed")
    sid = claims_of(tokens[0]["id_token"])["sid"]
    assert parse_qsl(parts.query) == [("tenant", "a"), ("b", "c"), ("iss", provider.issuer), ("sid", sid)]
    assert frame_sources(page) == [f"http://127.0.0.1:{sink.port}"]
    assert page.refresh == f"{bye}?state=a%26b"
    assert "Framed &lt;notes&gt;" in page.text
    assert "Behind" in page.text
    assert "Both" not in page.text
    assert "Quiet" not in page.text
    await person.open(framed.authorization_url(prompt="none"))
    assert person.answer()["error"] == "login_required"
    assert (await framed.userinfo(tokens[0]["access_token"])).status_code == 401


async def test_a_client_of_both_ways_is_told_in_both_and_named_once(
    both: RelyingParty, person: Person, sink: Sink
) -> None:
    (tokens,) = await signed_in(person, both)
    page = await page_after(person, await sign_out(person, both, tokens))
    assert [urlsplit(frame).path for frame in frames(page)] == ["/both"]
    assert frame_sources(page) == [f"http://localhost:{sink.port}"]
    assert len(re.findall(r"\bBoth\b", page.text)) == 1
    assert page.refresh is None


async def test_without_a_return_address_the_page_names_who_hears_of_it_behind_its_back(
    behind: RelyingParty, person: Person, sink: Sink
) -> None:
    (tokens,) = await signed_in(person, behind)
    page = await page_after(person, await sign_out(person, behind, tokens))
    assert "Behind" in page.text
    assert (frames(page), frame_sources(page), page.refresh) == ([], [], None)


async def test_without_frames_the_browser_goes_back_at_once(
    behind: RelyingParty, quiet: RelyingParty, person: Person, sink: Sink, bye: str
) -> None:
    for party in (behind, quiet):
        (tokens,) = await signed_in(person, party)
        answer = await sign_out(person, party, tokens, post_logout_redirect_uri=bye, state="x")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{bye}?state=x")


async def test_where_nobody_is_told_the_page_is_the_plain_one(
    provider: RunningProvider, quiet: RelyingParty, person: Person
) -> None:
    (tokens,) = await signed_in(person, quiet)
    answer = await sign_out(person, quiet, tokens)
    assert answer.headers["location"] == f"{provider.issuer}/logout/done"


async def test_a_confirmed_sign_out_loads_the_frames_too(
    provider: RunningProvider, framed: RelyingParty, person: Person, sink: Sink, bye: str
) -> None:
    await signed_in(person, framed)
    asked = {"client_id": framed.client_id, "post_logout_redirect_uri": bye, "state": "s"}
    question = await person.http.get(f"{provider.issuer}/logout", params=asked)
    form = read_page(await person.http.get(question.headers["location"])).form_with("continue")
    posted = await person.http.post(form.action, data=form.fields | {"decision": "sign_out"})
    assert "Max-Age=0" in posted.headers["set-cookie"]
    assert posted.headers["location"].startswith(f"{provider.issuer}/logout/done?")  # a form may not leave our origin
    page = await page_after(person, posted)
    assert [urlsplit(frame).path for frame in frames(page)] == ["/framed"]
    assert page.refresh == f"{bye}?state=s"


async def test_the_page_is_for_this_browser_alone_and_may_be_loaded_again(
    framed: RelyingParty, person: Person, sink: Sink
) -> None:
    (tokens,) = await signed_in(person, framed)
    answer = await sign_out(person, framed, tokens)
    for _ in range(2):
        assert len(frames(await page_after(person, answer))) == 1
    async with Person() as stranger:
        await signed_in(stranger, framed)
        page = await page_after(stranger, answer)
    assert (page.status, frames(page)) == (200, [])
    assert "Framed" not in page.text


@pytest.mark.parametrize("name", ["", "x", "x" * 22, "%00", "é" * 22])
async def test_a_page_that_was_not_kept_is_the_plain_one_and_tells_nobody_signed_in_otherwise(
    provider: RunningProvider, quiet: RelyingParty, person: Person, name: str
) -> None:
    (tokens,) = await signed_in(person, quiet)
    for title in ("You are still signed in", "You are signed out"):
        page = read_page(await person.http.get(f"{provider.issuer}/logout/done", params={"request": name}))
        assert (page.status, frames(page)) == (200, [])
        assert title in page.title
        await sign_out(person, quiet, tokens)


async def test_the_page_is_forgotten_after_ten_minutes(
    provider: RunningProvider, framed: RelyingParty, person: Person, sink: Sink
) -> None:
    (tokens,) = await signed_in(person, framed)
    answer = await sign_out(person, framed, tokens)
    provider.advance(601)
    assert frames(await page_after(person, answer)) == []


def test_discovery_says_so(provider: RunningProvider) -> None:
    document = httpx2.get(f"{provider.issuer}/.well-known/openid-configuration").json()
    for channel in ("backchannel", "frontchannel"):
        assert document[f"{channel}_logout_supported"] is True
        assert document[f"{channel}_logout_session_supported"] is True


@pytest_asyncio.fixture(loop_scope="session")
async def signed_in_browser(framed: RelyingParty, both: RelyingParty) -> tuple[list[Any], list[Any]]:
    """Cookies of a browser that signed in at two clients, and their tokens."""
    async with Person() as somebody:
        tokens = await signed_in(somebody, framed, both)
        issuer = framed.provider.issuer
        cookies = [{"name": c.name, "value": c.value, "url": issuer} for c in somebody.http.cookies.jar]
    return cookies, tokens


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_a_real_browser_loads_every_frame_and_then_goes_back(
    chromium: Browser, signed_in_browser: tuple[list[Any], list[Any]], provider: RunningProvider, sink: Sink, bye: str
) -> None:
    cookies, tokens = signed_in_browser
    context = await chromium.new_context()
    await context.add_cookies(cookies)
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    hint = tokens[0]["id_token"]
    await page.goto(f"{provider.issuer}/logout?id_token_hint={hint}&post_logout_redirect_uri={bye}&state=s")
    await page.wait_for_url(f"{bye}?state=s")
    await context.close()
    await until(lambda: len({urlsplit(target).path for target in sink.loaded} & {"/framed", "/both"}) == 2)
    assert sink.loaded.index("/bye?state=s") > max(
        number for number, target in enumerate(sink.loaded) if target.startswith(("/framed", "/both"))
    )
    assert problems == []
