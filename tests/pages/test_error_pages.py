"""Every problem a person can be shown: said in every language, on a page as good as the others."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from tests.pages.looking import AXE_RULES, Eyes, about_to_look
from watchword.locale import load_catalogues
from watchword.protocol.errors import ProtocolError, TemporarilyUnavailable

CATALOGUES = load_catalogues()
PROBLEMS = sorted(
    key.removeprefix("error.").removesuffix("_title")
    for key in CATALOGUES["en"].texts
    if key.startswith("error.") and key.endswith("_title")
)
# A page of its own says it: it is no error of anybody.
SAID_ELSEWHERE = {"interaction_finished"}
# What the browser is sent back with, or what only programs are told: no page says it.
FOR_CLIENTS_ALONE = re.compile(r"invalid_|unauthorized_|unsupported_|insufficient_|unmet_|_required$|_not_supported$")


def displayed_errors() -> set[str]:
    """Every problem that the provider's code shows to a person."""
    package = Path(str(files("watchword")))
    sources = "\n".join(path.read_text("utf-8") for path in package.rglob("*.py"))
    return set(re.findall(r'DisplayedError\(\s*"([a-z_]+)"', sources)) | {
        name for pair in re.findall(r'DisplayedError\(\s*"([a-z_]+)" if .+ else "([a-z_]+)"', sources) for name in pair
    }


def codes(kind: type[ProtocolError]) -> Iterator[str]:
    """The error codes of all below a class; what passes by itself is one problem to a person, whatever its code."""
    for each in kind.__subclasses__():
        yield "unavailable" if issubclass(each, TemporarilyUnavailable) else each.error
        yield from codes(each)


@pytest.mark.parametrize("locale", sorted(CATALOGUES))
def test_every_problem_has_a_title_and_a_sentence_that_says_what_to_do(locale: str) -> None:
    shown = displayed_errors()
    assert {"unknown_client", "cookies_blocked", "interaction_lost", "redirect_uri_mismatch"} <= shown
    own = CATALOGUES[locale].texts
    for problem in shown - SAID_ELSEWHERE:
        assert f"error.{problem}_title" in own, problem
    for problem in PROBLEMS:
        title, sentence = own[f"error.{problem}_title"], own[f"error.{problem}"]
        assert isinstance(title, str)
        assert isinstance(sentence, str)
        assert len(title) <= 60
        assert sentence.endswith((".", "।"))
        assert locale == "en" or not re.search("[a-z]{4}", title + sentence), problem


def test_every_code_that_a_person_may_meet_has_words_of_its_own() -> None:
    import watchword.app  # noqa: F401 - every module with an error of its own is loaded

    met = {code for code in codes(ProtocolError) if not FOR_CLIENTS_ALONE.search(code)}
    beside_a_field = {code for code in met if f"error.{code}" in CATALOGUES["en"].texts}
    assert met - beside_a_field - set(PROBLEMS) - {"access_denied"} == set()


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("locale", sorted(CATALOGUES))
async def test_every_problem_is_a_page_without_an_axe_violation(chromium: Browser, base: str, locale: str) -> None:
    """Colours and sizes are the same on all of them, and looked at by test_page_quality."""
    eyes = Eyes("small", width=320, height=640)
    async with about_to_look(chromium, eyes) as page:
        for problem in PROBLEMS:
            await page.goto(f"{base}/problem/{problem}?ui_locales={locale}")
            results = await Axe().run(page, options=AXE_RULES)
            assert results.violations_count == 0, f"{problem}: {results.generate_report()}"
            title = CATALOGUES[locale].text(f"error.{problem}_title")
            assert await page.get_by_role("heading", level=1).inner_text() == title
            assert title in await page.title()
            assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
