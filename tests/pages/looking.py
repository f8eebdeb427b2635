"""Who looks at a page, and how: in a real Chromium, under the policy that the provider sends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

from playwright.async_api import Browser, Page

from tests.pages.gallery import CLIENT_LOGO, FRAME, LOGO_DRAWING

AXE_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
FRAMED = "<!doctype html><html lang=en><title>Signed out</title>"


class Eyes(NamedTuple):
    """Who looks at a page, and how."""

    name: str
    width: int = 1280
    height: int = 800
    scheme: Literal["light", "dark"] = "light"
    locale: str = "en"
    forced_colors: Literal["active", "none"] = "none"
    scripts: bool = True


EYES = (
    Eyes("light"),
    Eyes("small-dark", width=320, height=640, scheme="dark"),
    Eyes("small-hindi", width=320, height=640, locale="hi"),
)
NO_SCRIPTS = Eyes("no-scripts", scripts=False)
DESK = EYES[0]


@asynccontextmanager
async def looking(chromium: Browser, base: str, view: str, eyes: Eyes = DESK) -> AsyncIterator[tuple[Page, list[str]]]:
    """The opened page, and what its console complained of."""
    async with about_to_look(chromium, eyes) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        await page.goto(f"{base}/view/{view}?ui_locales={eyes.locale}")
        yield page, complaints


@asynccontextmanager
async def about_to_look(chromium: Browser, eyes: Eyes = DESK) -> AsyncIterator[Page]:
    """An empty page, beside clients that show their logo and say that they signed out."""
    context = await chromium.new_context(
        viewport={"width": eyes.width, "height": eyes.height},
        color_scheme=eyes.scheme,
        forced_colors=eyes.forced_colors,
        java_script_enabled=eyes.scripts,
        reduced_motion="reduce",
    )
    await context.route(CLIENT_LOGO, lambda route: route.fulfill(content_type="image/svg+xml", body=LOGO_DRAWING))
    await context.route(FRAME, lambda route: route.fulfill(content_type="text/html", body=FRAMED))
    yield await context.new_page()
    await context.close()
