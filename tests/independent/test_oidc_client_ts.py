"""oidc-client-ts in a real Chromium: a public client on another origin, with the code of its recipe page."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.independent.node import Workshop
from tests.independent.recipes import Recipe
from tests.independent.static_site import served_site
from tests.support.provider import RunningProvider, free_port, http_client
from tests.support.secrecy import remember_secret

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SECONDS = 15


@dataclass
class Visit:
    """A person at the site, with a browser context of their own."""

    provider: RunningProvider
    origin: str
    page: Page
    identifier: str = field(default_factory=lambda: f"faye.{secrets.token_hex(4)}@example.com")

    async def sign_in(self) -> dict[str, Any]:
        """Press the site's button and go through the login; returns the user that the library has then."""
        page = self.page
        await page.goto(self.origin)
        await self.ready()
        async with page.expect_navigation(url=f"{self.provider.issuer}/**"):
            await page.evaluate("() => { window.app.signIn() }")
        await page.fill("#identifier", remember_secret(self.identifier))
        await page.click("#continue")
        await page.wait_for_selector("#one-time-code")
        message = await self.provider.newest_message(self.identifier)
        await page.fill("#one-time-code", message["one_time_code"])  # pasted whole, it is sent at once
        await page.click("[name=decision]#continue")
        await self.ready()
        return await self.user()

    async def ready(self) -> None:
        """Wait until the site's own script is through."""
        await self.page.wait_for_url(f"{self.origin}/")
        await self.page.wait_for_selector("body[data-ready]")

    async def user(self) -> dict[str, Any]:
        """Return what the library knows of the person."""
        user: dict[str, Any] = await self.page.evaluate("window.app.login.getUser()")
        for name in ("access_token", "refresh_token", "id_token"):
            remember_secret(user[name])
        return user

    async def userinfo(self, token: str) -> httpx2.Response:
        """Ask with a token, from outside the browser."""
        async with http_client(headers={"authorization": f"Bearer {token}"}) as http:
            return await http.get(f"{self.provider.issuer}/userinfo")

    async def error_of(self, call: str) -> str | None:
        """Return the OAuth error that a call of the library throws."""
        error: str | None = await self.page.evaluate(f"{call}.then(() => null, problem => problem.error)")
        return error


@pytest.fixture(scope="module")
def origin(provider: RunningProvider, workshop: Workshop) -> Iterator[str]:
    port, page = free_port(), "https://app.example.com"
    recipe, origin = Recipe("oidc-client-ts"), f"http://127.0.0.1:{port}"
    client = recipe.register(provider, **{page: origin})
    app = recipe.text("javascript", provider, **{page: origin, "CLIENT_ID": client["client_id"]})
    with served_site(port, workshop.packages, app):
        yield origin


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium: Browser, provider: RunningProvider, origin: str) -> AsyncIterator[Visit]:
    await until_scripts_may_call(provider, origin)
    context = await chromium.new_context(ignore_https_errors=True)
    context.set_default_timeout(SECONDS * 1000)
    try:
        yield Visit(provider, origin, await context.new_page())
    finally:
        await context.close()


async def until_scripts_may_call(provider: RunningProvider, origin: str) -> None:
    """Wait until the registration reached the provider's list of origins."""
    asks = {"origin": origin, "access-control-request-method": "POST"}
    async with http_client(headers=asks) as http, asyncio.timeout(SECONDS):
        while True:
            answer = await http.options(f"{provider.issuer}/token")
            if "access-control-allow-origin" in answer.headers:
                return
            await asyncio.sleep(0.05)


async def test_a_page_signs_a_person_in_and_reads_their_profile(visit: Visit) -> None:
    user = await visit.sign_in()
    assert user["profile"]["email"] == visit.identifier
    assert user["profile"]["email_verified"] is True
    assert visit.page.url == f"{visit.origin}/"


async def test_a_page_renews_by_its_refresh_token_without_a_frame(visit: Visit) -> None:
    first = await visit.sign_in()
    await visit.page.evaluate("window.app.renew()")
    second = await visit.user()
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert second["profile"]["sub"] == first["profile"]["sub"]
    assert len(visit.page.frames) == 1


async def test_a_page_signs_a_person_out_everywhere(visit: Visit) -> None:
    user = await visit.sign_in()
    await visit.page.evaluate("() => { window.app.signOut() }")
    await visit.ready()
    assert await visit.page.evaluate("window.user") is None
    assert (await visit.userinfo(user["access_token"])).status_code == 401
    await visit.page.evaluate("() => { window.app.signIn() }")
    await visit.page.wait_for_selector("#identifier")


async def test_a_page_revokes_its_tokens_alone(visit: Visit) -> None:
    user = await visit.sign_in()
    assert (await visit.userinfo(user["access_token"])).status_code == 200
    await visit.page.evaluate("window.app.forget()")
    assert await visit.page.evaluate("window.app.login.getUser()") is None
    assert (await visit.userinfo(user["access_token"])).status_code == 401


async def test_a_page_reads_why_its_refresh_was_refused(visit: Visit) -> None:
    await visit.sign_in()
    await visit.page.evaluate("window.app.login.revokeTokens(['refresh_token'])")
    restored = "window.app.login.storeUser(Object.assign(window.user, { refresh_token: 'never-was-a-token' }))"
    await visit.page.evaluate(restored)
    assert await visit.error_of("window.app.renew()") == "invalid_grant"
