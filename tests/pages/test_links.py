"""Which addresses of others may stand in a page, as links and as pictures."""

import pytest

from tests.pages.gallery import LOGO, sample_views
from tests.pages.test_rendering import CATALOGUES, PAGES, Markup
from watchword.pages.brand import Brand
from watchword.pages.links import displayable_image, displayable_link, displayable_logo, host_of, logo_origin
from watchword.pages.render import Pages
from watchword.pages.views import LeavingPage, SignedOutPage, StillSignedInPage


@pytest.mark.parametrize(
    "address",
    [
        "https://notes.example/terms",
        "http://127.0.0.1:9001/",
        "/help",
        "mailto:help@example.com",
        "com.example.notes:/signed-out",
    ],
)
def test_an_ordinary_address_is_offered(address: str) -> None:
    assert displayable_link(address) == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "https:",
        "https://[broken/",
        "file:///etc/passwd",
        "relative",
    ],
)
def test_an_address_that_is_no_place_to_send_a_person_is_not_offered(address: str | None) -> None:
    assert displayable_link(address) is None
    assert "Go to" not in PAGES.render(StillSignedInPage(client_name="Notes", home_url=address), locale="en")
    for view in (
        SignedOutPage(next_url=address, client_name="Notes", frames=(address or "",)),
        LeavingPage(next_url=address or "", host="notes.example", client_name="Notes"),
    ):
        elements = Markup(PAGES.render(view, locale="en")).elements
        assert [tag for tag, found in elements if found.get("id") == "continue" or tag == "iframe"] == []


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://reports.example/logo.svg", "https://reports.example"),
        ("HTTPS://Reports.Example:8443/l.png?size=2", "https://reports.example:8443"),
        ("http://127.0.0.1:8999/logo.png", "http://127.0.0.1:8999"),
        ("http://[::1]:8999/logo.png", "http://[::1]:8999"),
        ("http://reports.example/logo.png", None),
        ("data:image/png;base64,AAAA", None),
        ("https://reports.example;script-src/logo.png", None),
        ("https://*/logo.png", None),
        ("https://reports.example:99999/logo.png", None),
        ("https://a b.example/", None),
        ("//reports.example/logo.png", None),
        ("/logo.png", None),
        ("", None),
        (None, None),
    ],
)
def test_a_logo_is_loaded_from_one_origin_that_can_stand_in_a_policy(address: str | None, origin: str | None) -> None:
    assert logo_origin(address) == origin
    assert (displayable_logo(address) is None) is (origin is None)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Reports.Example/callback", "reports.example"),
        ("http://127.0.0.1:8999/callback", "127.0.0.1:8999"),
        ("com.example.notes:/signed-in", "com.example.notes"),
    ],
)
def test_a_person_is_shown_where_an_address_leads(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(("address", "shown"), [("/logo.svg", True), (LOGO, True), ("https://x.example/l.png", False)])
def test_only_an_image_the_policy_lets_load_is_shown(address: str, shown: bool) -> None:
    assert (displayable_image(address) == address) is shown
    brand = Brand(name="Example", logo_url=address)
    document = Markup(Pages(brand, CATALOGUES).render(sample_views("en")["error"], locale="en"))
    assert ({"class": "logo", "src": address, "alt": "Example"} in [found for _, found in document.elements]) is shown


@pytest.mark.parametrize("address", ["data:text/html,x", "//elsewhere.example/x.png", "data:image/png", None])
def test_anything_else_is_not_an_image(address: str | None) -> None:
    assert displayable_image(address) is None
