"""What every hosted page keeps: seen in a real Chromium under the strict Content-Security-Policy."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.pages.gallery import LANGUAGES, sample_views
from tests.pages.looking import AXE_RULES, EYES, NO_SCRIPTS, Eyes, looking

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

VIEWS = sorted(sample_views("en"))


@pytest.mark.parametrize("eyes", EYES, ids=lambda eyes: eyes.name)
@pytest.mark.parametrize("view", VIEWS)
async def test_a_page_has_no_axe_violation_no_sideways_scroll_and_a_quiet_console(
    chromium: Browser, base: str, view: str, eyes: Eyes
) -> None:
    async with looking(chromium, base, view, eyes) as (page, complaints):
        results = await Axe().run(page, options=AXE_RULES)
        sideways = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        small = await page.evaluate(SMALL_TARGETS)
    assert results.violations_count == 0, results.generate_report()
    assert sideways == 0
    assert small == []
    assert [text for text in complaints if "stays-here" not in text] == []


# Everything that is pressed is at least 44 CSS pixels high, save links inside a sentence and the skip link.
SMALL_TARGETS = """() => [...document.querySelectorAll("button, .button, input, select, footer a, .links a")]
  .filter((e) => e.type !== "hidden" && !e.classList.contains("unseen") && e.getClientRects().length)
  .filter((e) => e.getBoundingClientRect().height < 43.5)
  .map((e) => e.outerHTML)"""


# Pages with nothing to go on to, and the mailbox, whose buttons may all come with its script.
ENDS = {
    "applications-none",
    "error",
    "finished",
    "mailbox",
    "mailbox-empty",
    "signed-out",
    "signed-out-told",
    "signed-out-told-long",
}


@pytest.mark.parametrize("view", VIEWS)
async def test_a_page_says_the_same_without_scripts(chromium: Browser, base: str, view: str) -> None:
    async with looking(chromium, base, view, NO_SCRIPTS) as (page, complaints):
        headings = await page.get_by_role("heading", level=1).all_inner_texts()
        buttons = await page.locator("button:visible, .button:visible").count()
        reachable = await page.locator("button[aria-disabled]").count()
    assert len(headings) == 1
    assert buttons >= 1 or view in ENDS
    assert reachable == 0
    assert [text for text in complaints if "stays-here" not in text] == []


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("identifier", ["identifier", "region", "continue", "cancel"]),
        ("identifier-error", ["identifier", "region", "continue"]),
        ("code-error", ["one-time-code", "continue", "resend", "change", "cancel"]),
        ("consent", ["continue", "cancel"]),
        ("logout", ["continue", "cancel"]),
        ("select-account", ["continue", "another", "cancel"]),
        ("form-post", ["continue"]),
        ("leaving", ["continue"]),
        ("signed-out-going-on", ["continue"]),
    ],
)
async def test_tab_goes_through_a_page_in_the_order_of_reading(
    chromium: Browser, base: str, view: str, expected: list[str]
) -> None:
    async with looking(chromium, base, view, NO_SCRIPTS) as (page, _):
        if view in AUTOFOCUSED:
            await expect(page.locator(f"#{expected[0]}")).to_be_focused()
        visited = await tab_stops(page, len(expected))
    assert visited == expected


AUTOFOCUSED = {"identifier", "identifier-error", "code-error"}


async def tab_stops(page: Page, count: int) -> list[str]:
    """The ids of the next controls that Tab reaches, the one that has the focus already first."""
    visited: list[str] = []
    for _ in range(count + 4):
        focused = page.locator("*:focus")
        identifier = await focused.get_attribute("id") if await focused.count() else None
        visited += [identifier] if identifier else []
        await page.keyboard.press("Tab")
    return visited[:count]


async def test_the_first_tab_on_a_page_without_fields_offers_to_skip_to_the_content(
    chromium: Browser, base: str
) -> None:
    async with looking(chromium, base, "error") as (page, _):
        await page.keyboard.press("Tab")
        assert await page.locator("*:focus").get_attribute("href") == "#main"
        await page.keyboard.press("Enter")
        assert await page.locator("*:focus").get_attribute("id") == "main"


@pytest.mark.parametrize(("view", "field"), [("identifier-error", "identifier"), ("code-error", "one-time-code")])
async def test_an_error_is_in_the_title_announced_and_tied_to_its_field(
    chromium: Browser, base: str, view: str, field: str
) -> None:
    async with looking(chromium, base, view) as (page, _):
        assert (await page.title()).startswith("Error: ")
        said = await page.get_by_role("alert").inner_text()
        box = page.locator(f"#{field}")
        assert await box.get_attribute("aria-invalid") == "true"
        described_by = (await box.get_attribute("aria-describedby") or "").split()
        assert await page.locator(f"#{described_by[0]}").inner_text() == said
        await expect(box).to_be_focused()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_the_first_step_posts_what_was_typed(chromium: Browser, base: str, scripts: bool) -> None:
    async with looking(chromium, base, "identifier", Eyes("any", scripts=scripts)) as (page, _):
        await expect(page.locator("#identifier")).to_be_focused()
        await page.keyboard.type("98123 45678")
        await page.locator("#region").select_option("GB")
        await page.locator("#continue").click()
        await page.wait_for_url("**/post")
        assert await page.locator("body").inner_text() == (
            "/post\ninteraction=i\ncsrf=c\nidentifier=98123 45678\nregion=GB"
        )


async def test_the_country_is_asked_only_for_a_number_without_its_plus(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "identifier") as (page, _):
        region = page.locator("#region")
        for typed, asked in {
            "": False,
            "98123": True,
            "98@b.example": False,
            "+91 98123": False,
            "asha": False,
            "९८१२३": True,
        }.items():
            await page.locator("#identifier").fill(typed)
            assert await region.is_visible() == asked, typed


async def test_enter_continues_and_cancel_needs_no_identifier(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "identifier") as (page, _):
        await expect(page.locator("#identifier")).to_be_focused()
        await page.keyboard.type("asha@example.com")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/post")
        assert "identifier=asha@example.com" in await page.locator("body").inner_text()
        await page.goto(f"{base}/view/identifier")
        await page.locator("#cancel").click()
        await page.wait_for_url("**/post")


async def test_typing_a_code_never_sends_it_by_itself(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "code-error") as (page, _):
        await expect(page.locator("#one-time-code")).to_be_focused()
        await page.keyboard.type("481920")
        assert page.url.endswith("/view/code-error?ui_locales=en")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/post")
        assert await page.locator("body").inner_text() == "/post\ninteraction=i\ncsrf=c\none_time_code=481920"


@pytest.mark.parametrize("pasted", ["481920", "481 920", "481-920", "Your Notes code is 481920. Call 18001234567."])
async def test_a_pasted_code_is_cleaned_and_sent_at_once(chromium: Browser, base: str, pasted: str) -> None:
    async with looking(chromium, base, "code") as (page, _):
        await expect(page.locator("#one-time-code")).to_be_focused()
        await page.evaluate(PASTE, pasted)
        await page.wait_for_url("**/post")
        assert "one_time_code=481920" in await page.locator("body").inner_text()


@pytest.mark.parametrize("pasted", ["48192", "4819201", "no code here"])
async def test_a_paste_that_holds_no_whole_code_is_left_to_the_person(
    chromium: Browser, base: str, pasted: str
) -> None:
    async with looking(chromium, base, "code") as (page, _):
        await expect(page.locator("#one-time-code")).to_be_focused()
        await page.evaluate(PASTE, pasted)
        assert "/view/code" in page.url
        assert await page.locator("#status").inner_text() != "Checking the code"


PASTE = """(text) => {
  const data = new DataTransfer();
  data.setData("text", text);
  document.activeElement.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


async def test_a_code_filled_in_by_the_browser_is_sent_once(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "code") as (page, _):
        await page.route("**/post", lambda route: route.fulfill(status=204))
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        async with page.expect_request("**/post"):
            await page.locator("#one-time-code").fill("481920")
        await expect(page.locator("#one-time-code")).to_be_focused()
        await page.evaluate(PASTE, "481920")
        await page.locator("#continue").click(force=True)
        assert len(sent) == 1


async def test_a_code_the_browser_reads_from_the_sms_is_sent(chromium: Browser, base: str) -> None:
    """WebOTP exists only on phones: the browser's side of it is played here."""
    async with looking(chromium, base, "code") as (page, _):
        await page.add_init_script(WEB_OTP)
        await page.goto(f"{base}/view/code-sms")
        await page.wait_for_url("**/post")
        assert "one_time_code=4819204819" in await page.locator("body").inner_text()


WEB_OTP = """
window.OTPCredential = class {};
navigator.credentials.get = async ({ otp, signal }) =>
  otp.transport[0] === "sms" && !signal.aborted ? { code: "4819204819" } : null;
"""


async def test_another_code_can_be_asked_for_when_the_wait_is_over(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "code") as (page, _):
        await page.clock.install()
        await page.reload()
        resend, status = page.locator("#resend"), page.locator("#status")
        assert await page.locator("#resend-wait").inner_text() == "Available in 1:35"
        assert await status.inner_text() == "Available in 1:35"
        await resend.click(force=True)
        assert "/view/code" in page.url
        await page.clock.run_for(60_000)
        assert await page.locator("#resend-wait").inner_text() == "Available in 0:35"
        assert await status.inner_text() == "Available in 1:35"
        await page.clock.run_for(36_000)
        assert await status.inner_text() == "You can ask again now."
        await resend.click()
        await page.wait_for_url("**/resend")


async def test_without_scripts_the_server_decides_about_another_code(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "code", NO_SCRIPTS) as (page, _):
        assert await page.locator("#resend-wait").inner_text() == "Available in 1:35"
        await page.locator("#resend").click()
        await page.wait_for_url("**/resend")
        assert await page.locator("body").inner_text() == "/resend\ninteraction=i\ncsrf=c"


@pytest.mark.parametrize(("button", "decision"), [("continue", "allow"), ("cancel", "deny")])
async def test_consent_posts_the_decision_of_the_button(
    chromium: Browser, base: str, button: str, decision: str
) -> None:
    async with looking(chromium, base, "consent") as (page, _):
        await page.locator(f"#{button}").click()
        await page.wait_for_url("**/post")
        assert (
            await page.locator("body").inner_text() == f"/post\ninteraction=i\ncsrf=c\nshown_to=s\ndecision={decision}"
        )


async def test_a_form_is_sent_once_however_often_it_is_pressed(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "consent") as (page, _):
        await page.route("**/post", lambda route: route.fulfill(status=204))
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        async with page.expect_request("**/post"):
            await page.locator("#continue").dblclick()
        await page.locator("#cancel").click(force=True)
        assert len(sent) == 1


async def test_the_mailbox_copies_a_code(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "mailbox") as (page, _):
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.get_by_role("button", name="Copy 481920").click()
        await expect(page.locator("#status")).to_have_text("Copied")
        assert await page.evaluate("navigator.clipboard.readText()") == "481920"


async def test_the_footer_offers_every_language_and_marks_the_one_in_use(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "identifier", Eyes("hindi", locale="hi")) as (page, _):
        assert await page.locator("html").get_attribute("lang") == "hi"
        assert await page.locator("nav [aria-current]").all_inner_texts() == [LANGUAGES[1].label]
        await page.get_by_role("link", name="English").click()
        await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_high_contrast_keeps_the_edges_of_buttons_fields_and_errors(chromium: Browser, base: str) -> None:
    async with looking(chromium, base, "code-error", Eyes("forced-colors", forced_colors="active")) as (page, _):
        for selector in ("#continue", "#one-time-code", ".alert"):
            edge = await page.locator(selector).evaluate("e => getComputedStyle(e).borderTopStyle")
            assert edge == "solid", selector


async def test_text_spacing_set_by_the_reader_cuts_nothing_off(chromium: Browser, base: str) -> None:
    """WCAG 2.2 section 1.4.12."""
    spacing = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    async with looking(chromium, base, "consent", Eyes("small", width=320, height=640)) as (page, _):
        await page.evaluate(ADD_STYLES, spacing)
        assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


ADD_STYLES = """(text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets = [sheet];
}"""
