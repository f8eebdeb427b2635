"""Pages that go on by themselves, and what they load of others on the way: seen in a real Chromium."""

import asyncio
from urllib.parse import parse_qsl

import pytest
from playwright.async_api import Browser, Request, Route, expect

from tests.pages.gallery import CLIENT_LOGO, FRAME
from tests.pages.looking import NO_SCRIPTS, Eyes, about_to_look, looking

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NEXT = "**/stays-here"
FIELDS = [("code", "c0de"), ("state", 'a"b&c')]


def fields_of(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(request.post_data or "", keep_blank_values=True)


async def test_the_answer_is_posted_by_itself(chromium: Browser, base: str) -> None:
    async with about_to_look(chromium) as page:
        async with page.expect_request(NEXT) as sent:
            await page.goto(f"{base}/view/form-post", wait_until="commit")
        request = await sent.value
        assert (request.method, fields_of(request)) == ("POST", FIELDS)


async def test_without_scripts_the_answer_waits_for_the_button(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "form-post", NO_SCRIPTS) as (page, _):
        assert "press Continue" in await page.locator("main").inner_text()
        async with page.expect_request(NEXT) as sent:
            await page.locator("#continue").click()
        assert fields_of(await sent.value) == FIELDS


async def test_the_page_of_the_answer_runs_one_small_script_alone(chromium: Browser, base: str) -> None:
    """Simple engines must get through it: nothing of what makes other pages comfortable stands there."""
    async with looking(chromium, base, "form-post", NO_SCRIPTS) as (page, _):
        sources = await page.locator("script").evaluate_all("scripts => scripts.map(s => new URL(s.src).pathname)")
        assert sources == ["/login/static/form_post.js"]


async def test_a_sign_out_goes_on_once_every_application_was_told(chromium: Browser, base: str) -> None:
    told, answer = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        told.set()
        await answer.wait()
        await route.fulfill(content_type="text/html", body="<!doctype html><title>Out</title>")

    async with about_to_look(chromium) as page:
        await page.route(FRAME, hold)
        gone: list[str] = []
        page.on("request", lambda request: gone.append(request.url) if "stays-here" in request.url else None)
        await page.goto(f"{base}/view/signed-out-going-on", wait_until="commit")
        await told.wait()
        await expect(page.locator("#continue")).to_be_visible()
        assert gone == []
        async with page.expect_request(NEXT):
            answer.set()


async def test_a_sign_out_waits_five_seconds_for_an_application_that_does_not_answer(
    chromium: Browser, base: str
) -> None:
    told = asyncio.Event()

    async def hang(_: Route) -> None:
        told.set()

    async with about_to_look(chromium) as page:
        await page.clock.install()
        await page.route(FRAME, hang)
        gone: list[str] = []
        page.on("request", lambda request: gone.append(request.url) if "stays-here" in request.url else None)
        await page.goto(f"{base}/view/signed-out-going-on", wait_until="commit")
        await told.wait()
        await expect(page.locator("#continue")).to_be_visible()
        await page.clock.run_for(3_000)
        assert gone == []
        async with page.expect_request(NEXT):
            await page.clock.run_for(3_000)


async def test_without_scripts_a_sign_out_has_a_link_and_goes_on_after_a_while(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "signed-out-going-on", NO_SCRIPTS) as (page, _):
        refresh = page.locator("meta[http-equiv=refresh]")
        assert await refresh.get_attribute("content") == "5;url=/stays-here"
        async with page.expect_request(NEXT):
            await page.locator("#continue").click()


LOUD = """<!doctype html><title>Out</title><script>
document.cookie = "told=yes; Secure; SameSite=None"; document.title = "ran";
try { top.location.href = "https://elsewhere.example/"; } catch (refused) { }
open("https://elsewhere.example/"); alert("hello");
</script>"""


async def test_an_application_that_is_told_can_sign_out_and_nothing_else(chromium: Browser, base: str) -> None:
    """It runs its script on its own origin; it takes neither this page away nor the person's attention."""
    async with about_to_look(chromium) as page:
        await page.route(FRAME, lambda route: route.fulfill(content_type="text/html", body=LOUD))
        asked: list[str] = []
        page.context.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: asked.append(dialog.message))
        async with page.expect_request(NEXT):
            await page.goto(f"{base}/view/signed-out-going-on", wait_until="commit")
        frame = next(frame for frame in page.frames if frame.url == FRAME)
        assert await frame.title() == "ran"
        assert await frame.evaluate("origin") == "https://reports.example"
        assert [url for url in asked if "elsewhere" in url or "hello" in url] == []
        assert len(page.context.pages) == 1
        assert not await page.locator("iframe").is_visible()


async def test_a_logo_is_fetched_without_saying_from_which_page(chromium: Browser, base: str) -> None:
    async with about_to_look(chromium) as page:
        async with page.expect_request(CLIENT_LOGO) as sent:
            await page.goto(f"{base}/view/consent-logo")
        assert "referer" not in await (await sent.value).all_headers()
        await expect(page.locator("img.client-logo")).to_be_visible()


async def test_a_logo_that_does_not_come_leaves_no_hole(chromium: Browser, base: str) -> None:
    async with about_to_look(chromium, Eyes("desk")) as page:
        await page.route(CLIENT_LOGO, lambda route: route.fulfill(status=404))
        await page.goto(f"{base}/view/consent-logo")
        card = await page.locator("main").bounding_box()
        heading = await page.get_by_role("heading", level=1).bounding_box()
        assert card is not None
        assert heading is not None
        assert heading["y"] - card["y"] < 60


async def test_a_person_reads_where_a_client_that_nobody_checked_leads_before_going_there(
    chromium: Browser, base: str
) -> None:
    async with looking(chromium, base, "leaving") as (page, _):
        text = await page.locator("main").inner_text()
        assert "reports.example" in text
        assert "We have not checked this app" in text
        assert await page.locator("meta[http-equiv=refresh]").count() == 0
        link = page.locator("#continue")
        assert await link.get_attribute("href") == "https://reports.example/callback?error=access_denied"
