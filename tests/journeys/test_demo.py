"""`make demo`, then the whole road in a real Chromium: with scripts, without them, by email and by phone.

`UPDATE_SCREENSHOTS=1` writes the pictures in the documentation.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.journeys.demo import ROOT, RunningDemo, running_demo
from tests.support.person import Person
from tests.support.relying_party import REDIRECT_URI, RelyingParty, register
from tests.support.secrecy import remember_secret

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

IMAGES = ROOT / "docs" / "images"
AXE_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
ROADS = [
    pytest.param("asha@example.com", "asha@example.com", True, id="email"),
    pytest.param("ravi@example.com", "ravi@example.com", False, id="email-without-scripts"),
    pytest.param("+91 98123 45678", "+919812345678", True, id="phone"),
    pytest.param("98123 45679", "+919812345679", False, id="phone-without-scripts"),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@asynccontextmanager
async def new_person(chromium: Browser, **looks: Any) -> AsyncIterator[tuple[BrowserContext, list[str]]]:
    """A browser of its own, and what its consoles complained of."""
    context = await chromium.new_context(**{"viewport": {"width": 1000, "height": 700}} | looks)
    complaints: list[str] = []
    context.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context, complaints
    await context.close()


async def start_to_sign_in(page: Page, demo: RunningDemo, typed: str) -> None:
    """Press the button in the app and type who you are on the hosted page."""
    remember_secret(typed)
    await page.goto(demo.notes_web)
    await page.click("#sign-in")
    await page.fill("#identifier", typed)
    await page.click("#continue")
    await expect(page.locator("#one-time-code")).to_be_focused()


async def read_code(context: BrowserContext, demo: RunningDemo, identifier: str) -> str:
    """Look for the newest message in the development mailbox, in a second tab."""
    remember_secret(identifier)
    tab = await context.new_page()
    await tab.goto(demo.mailbox)
    await tab.fill("#to", identifier)
    await tab.press("#to", "Enter")
    async with asyncio.timeout(20):
        while not await tab.locator("article output").count():
            await tab.reload()
    one_time_code = await tab.locator("article output").first.inner_text()
    await tab.close()
    return remember_secret(one_time_code.strip())


async def type_code(page: Page, one_time_code: str) -> None:
    """Type the code digit by digit: one that is pasted whole would be sent at once, before the button is pressed."""
    await page.locator("#one-time-code").press_sequentially(one_time_code)
    await page.click("#continue")


async def sign_in(context: BrowserContext, demo: RunningDemo, typed: str, identifier: str) -> Page:
    """Walk from the app's welcome to the person's notes."""
    page = await context.new_page()
    await start_to_sign_in(page, demo, typed)
    assert urlsplit(page.url).netloc == urlsplit(demo.issuer).netloc
    await type_code(page, await read_code(context, demo, identifier))
    await page.wait_for_url(f"{demo.notes_web}/notes")
    return page


@pytest.mark.parametrize(("typed", "identifier", "scripts"), ROADS)
async def test_a_person_signs_in_keeps_a_note_in_the_api_and_signs_out(
    chromium: Browser, demo: RunningDemo, typed: str, identifier: str, *, scripts: bool
) -> None:
    async with new_person(chromium, java_script_enabled=scripts) as (context, complaints):
        page = await sign_in(context, demo, typed, identifier)
        await expect(page.locator("h1")).to_have_text(identifier)
        await expect(page.locator(".verified")).to_have_count(1)
        await page.fill("#text", "Water the plants")
        await page.click("#add")
        await expect(page.locator(".notes li p")).to_have_text("Water the plants")
        await page.click("#sign-out")
        await page.wait_for_url(f"{demo.notes_web}/")
        await expect(page.locator("#sign-in")).to_be_visible()
        await page.goto(f"{demo.notes_web}/notes")
        await expect(page.locator("#identifier")).to_be_visible()
    assert complaints == []


async def test_a_person_who_comes_back_finds_the_same_account_and_the_notes_in_it(
    chromium: Browser, demo: RunningDemo
) -> None:
    subjects = []
    async with new_person(chromium) as (context, _complaints):
        for _ in range(2):
            page = await sign_in(context, demo, "leela@example.com", "leela@example.com")
            subjects.append(await page.locator("#subject").inner_text())
            if len(subjects) == 1:
                await page.fill("#text", "Call Meera back")
                await page.click("#add")
            await expect(page.locator(".notes li p")).to_have_text("Call Meera back")
            await page.click("#sign-out")
            await page.wait_for_url(f"{demo.notes_web}/")
    assert subjects[0] == subjects[1]


async def test_a_note_that_is_too_long_is_refused_and_stays_in_the_field(chromium: Browser, demo: RunningDemo) -> None:
    async with new_person(chromium) as (context, _):
        page = await sign_in(context, demo, "omar@example.com", "omar@example.com")
        await page.locator("#text").evaluate("field => field.removeAttribute('maxlength')")
        await page.fill("#text", "x" * 501)
        await page.click("#add")
        await expect(page.get_by_role("alert")).to_have_text("A note needs 1 to 500 characters.")
        await expect(page.locator("#text")).to_have_value("x" * 501)


@pytest.mark.parametrize("width", [320, 1000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_apps_pages_have_no_axe_violation_and_no_sideways_scroll(
    chromium: Browser, demo: RunningDemo, scheme: str, width: int
) -> None:
    looks = {"viewport": {"width": width, "height": 700}, "color_scheme": scheme}
    async with new_person(chromium, **looks) as (context, complaints):
        page = await context.new_page()
        await page.goto(demo.notes_web)
        await check_looks(page)
        identifier = f"eyes-{scheme}-{width}@example.com"
        page = await sign_in(context, demo, identifier, identifier)
        await page.locator("summary").click()
        await page.fill("#text", "A-word-without-any-place-to-break-" * 4)
        await page.click("#add")
        await check_looks(page)
    assert complaints == []


async def check_looks(page: Page) -> None:
    """Check what axe checks, and that nothing sticks out."""
    results = await Axe().run(page, options=AXE_RULES)
    assert results.violations_count == 0, results.generate_report()
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


async def test_the_api_is_shut_to_strangers(demo: RunningDemo) -> None:
    async with httpx2.AsyncClient(base_url=demo.notes_api) as http:
        assert (await http.get("/")).status_code == 200
        for path in ("/notes", "/me", "/anything"):
            answer = await http.get(path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_another_client_asks_for_consent_and_the_api_knows_what_it_may_not_do(demo: RunningDemo) -> None:
    scopes = ("openid", "email", "notes:read")
    party = register(demo.provider, "--public", *(o for scope in scopes for o in ("--scope", scope)), first_party=False)
    async with httpx2.AsyncClient() as http, Person() as person:
        await person.open(party.authorization_url(scope=" ".join(scopes), resource=demo.notes_api))
        await person.type_identifier("guest@example.com")
        await person.type_code((await demo.provider.newest_message("guest@example.com"))["one_time_code"])
        assert person.page is not None
        assert demo.notes_api in person.page.text
        await person.submit(person.page.form_with("continue"), "continue")
        tokens = (await party.exchange(person.answer()["code"], resource=demo.notes_api)).json()
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        told = await http.get(f"{demo.notes_api}/me", headers=bearer)
        assert told.status_code == 200
        assert told.json() == (await party.userinfo(tokens["access_token"])).json()
        assert told.json()["email"] == "guest@example.com"
        assert (await http.get(f"{demo.notes_api}/notes", headers=bearer)).status_code == 200
        refused = await http.post(f"{demo.notes_api}/notes", headers=bearer, json={"text": "x"})
        assert refused.status_code == 403
        assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]


async def test_a_client_that_registered_itself_gets_no_token_for_the_api(demo: RunningDemo) -> None:
    metadata = {"client_name": "Visitor", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    async with httpx2.AsyncClient() as http, Person() as person:
        registered = await http.post(f"{demo.issuer}/register", json=metadata)
        assert registered.status_code == 201, registered.text
        party = RelyingParty(demo.provider, registered.json()["client_id"])
        await person.open(party.authorization_url(resource=demo.notes_api))
        assert person.answer()["error"] == "invalid_target"


async def test_the_pictures_in_the_documentation_are_taken(
    chromium: Browser, demo: RunningDemo, tmp_path: Path
) -> None:
    """UPDATE_SCREENSHOTS=1 puts them into the documentation."""
    images = IMAGES if os.environ.get("UPDATE_SCREENSHOTS") == "1" else tmp_path
    looks = {"viewport": {"width": 880, "height": 620}, "device_scale_factor": 1.5, "reduced_motion": "reduce"}
    async with new_person(chromium, **looks) as (context, _):
        page = await context.new_page()
        await page.goto(f"{demo.notes_web}/notes")
        await take_picture(page, images / "login.png")
        await start_to_sign_in(page, demo, "meera@example.com")
        await take_picture(page, images / "code.png")
        one_time_code = await read_code(context, demo, "meera@example.com")
        mailbox = await context.new_page()
        await mailbox.goto(f"{demo.mailbox}?to=meera@example.com")
        await take_picture(mailbox, images / "mailbox.png")
        await type_code(page, one_time_code)
        for note in ("Seeds: tomato, okra, two kinds of chilli", "Ask Ravi for the ladder"):
            await page.fill("#text", note)
            await page.click("#add")
            await expect(page.locator(".notes li p").first).to_have_text(note)
        await take_picture(page, images / "notes.png")
    async with new_person(chromium, **looks, color_scheme="dark", locale="hi-IN") as (context, _):
        page = await context.new_page()
        await page.goto(f"{demo.notes_web}/notes")
        await take_picture(page, images / "login-dark-hindi.png")
    assert {picture.name for picture in IMAGES.iterdir()} >= {
        "login.png", "code.png", "mailbox.png", "notes.png", "login-dark-hindi.png",
    }  # fmt: skip


async def take_picture(page: Page, path: Path) -> None:
    """Write a picture small enough to live in the repository."""
    await page.evaluate("document.activeElement && document.activeElement.blur()")
    await page.evaluate("scrollTo(0, 0)")
    assert len(await page.screenshot(path=path, full_page=True)) < 150_000
