"""The pictures of the pages in the documentation: taken by the suite, so that they can be taken again."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.pages.gallery import CLIENT_LOGO, LOGO_DRAWING

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURES = {
    "consent": "consent-logo",
    "select-account": "select-account",
    "sign-out": "logout",
    "signed-out": "signed-out-told",
    "applications": "applications",
    "error": "error",
}


@pytest.mark.parametrize("name", sorted(PICTURES))
async def test_a_picture_for_the_documentation_is_taken(
    chromium: Browser, base: str, tmp_path: Path, name: str
) -> None:
    """UPDATE_SCREENSHOTS=1 replaces the one in `docs/images`."""
    folder = IMAGES if os.environ.get("UPDATE_SCREENSHOTS") == "1" else tmp_path
    context = await chromium.new_context(
        viewport={"width": 880, "height": 620}, device_scale_factor=1.5, reduced_motion="reduce"
    )
    await context.route(CLIENT_LOGO, lambda route: route.fulfill(content_type="image/svg+xml", body=LOGO_DRAWING))
    page = await context.new_page()
    await page.goto(f"{base}/view/{PICTURES[name]}")
    assert len(await page.screenshot(path=folder / f"{name}.png", full_page=True)) < 150_000
    await context.close()
    assert (IMAGES / f"{name}.png").is_file()
