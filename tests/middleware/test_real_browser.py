from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.middleware.browser_support import KEY
from tests.middleware.support import served
from watchword_asgi import Login, Rule, Watchword
from watchword_asgi.testing import LocalIssuer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FORM = b'<form method="post" action="/notes"><button id="post">Post</button></form>'


class ProviderDoor:
    """The issuer on a real socket, where a person who comes is signed in at once."""

    def __init__(self) -> None:
        self.issuer = LocalIssuer()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        query = scope["query_string"].decode()
        if scope["path"] == "/authorize":
            answer = httpx2.Response(303, headers={"location": self.issuer.sign_in(f"/authorize?{query}")})
        elif scope["path"] == "/logout":
            answer = httpx2.Response(303, headers={"location": parse_qs(query)["post_logout_redirect_uri"][0]})
        else:
            body = (await receive()).get("body", b"")
            answer = await self.issuer.respond(
                httpx2.Request(scope["method"], self.issuer.issuer + scope["path"], content=body)
            )
        headers = [(name.lower(), value) for name, value in answer.headers.raw]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})


async def notes(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    who = scope["watchword"].subject.encode() if scope["watchword"] else b"nobody"
    body = scope["method"].encode() + b" by " + who + FORM
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": body})


class LateApp:
    """An app that is wrapped once its own address is known."""

    def __init__(self) -> None:
        self.wrapped: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.wrapped(scope, receive, send)


@dataclass
class Road:
    app: str
    page: Page


@pytest_asyncio.fixture(loop_scope="session")
async def road(chromium: Browser) -> AsyncIterator[Road]:
    door, late = ProviderDoor(), LateApp()
    # Two sites to the browser: the provider is localhost, the app 127.0.0.1.
    async with served(door, host="localhost") as provider, served(late) as address:
        door.issuer.issuer = provider
        late.wrapped = Watchword(
            notes,
            issuer=provider,
            base_url=address,
            rules=[Rule("/", public=True)],
            login=Login(client_id="web", cookie_keys=[KEY]),
        )
        context = await chromium.new_context()
        try:
            yield Road(address, await context.new_page())
        finally:
            await context.close()
            await late.wrapped.aclose()


async def test_a_real_browser_signs_in_posts_and_signs_out(road: Road) -> None:
    page = road.page
    await page.goto(f"{road.app}/notes?x=1")
    assert page.url == f"{road.app}/notes?x=1"
    assert "GET by ada" in await page.content()
    await page.click("#post")
    assert "POST by ada" in await page.content()
    await page.goto(f"{road.app}/auth/logout")
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url(f"{road.app}/")
    assert "GET by nobody" in await page.content()
    assert await page.context.cookies() == []


async def test_a_script_in_a_real_browser_gets_401_and_no_page(road: Road) -> None:
    await road.page.goto(road.app)
    status = await road.page.evaluate("fetch('/notes').then(answer => answer.status)")
    assert status == 401


async def test_a_form_on_another_site_changes_nothing(road: Road) -> None:
    page = road.page
    await page.goto(f"{road.app}/notes")
    form = f'<form method="post" action="{road.app}/notes"><button id="evil">x</button></form>'
    await page.route("http://evil.localhost/", lambda route: route.fulfill(body=form, content_type="text/html"))
    await page.goto("http://evil.localhost/")
    async with page.expect_response(f"{road.app}/notes") as waiting:
        await page.click("#evil")
    assert (await waiting.value).status == 401


async def test_the_back_button_after_a_login_does_no_harm(road: Road) -> None:
    page = road.page
    await page.goto(road.app)
    await page.goto(f"{road.app}/notes")
    await page.go_back()
    await page.go_forward()
    assert "GET by ada" in await page.content()
