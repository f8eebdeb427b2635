"""From a view to HTML: what is escaped, which addresses are offered, which texts and files a page asks for."""

import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
from jinja2 import UndefinedError

from tests.pages.gallery import sample_views
from watchword.locale import load_catalogues
from watchword.pages import outlines
from watchword.pages.brand import Brand
from watchword.pages.render import Pages
from watchword.pages.scopes import describe_word, describe_words
from watchword.pages.views import (
    ApplicationsPage,
    CodePage,
    ConsentPage,
    ContinuePage,
    ErrorPage,
    FormPostPage,
    IdentifierPage,
    LeavingPage,
    MailboxMessage,
    MailboxPage,
    SelectAccountPage,
    SignedOutPage,
    View,
)
from watchword.protocol.claims_request import SCOPE_OF_CLAIM

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onfocus=alert(1) autofocus='",
    "</title><svg onload=alert(1)>",
    "{{ brand }}{% raw %}{client}{to}",
    "\ue000client\ue001",
    "\u202egnp.exe\u2066",
    "a&b;&lt;script&gt;",
    "javascript:alert(1)",
)
CATALOGUES = load_catalogues()
PAGES = Pages(Brand(), CATALOGUES)


class Markup(HTMLParser):
    """The elements of a document, with their attributes, and its text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def skeleton(self) -> list[tuple[str, list[str]]]:
        return [(tag, sorted(attributes)) for tag, attributes in self.elements]


def views_around(text: str) -> tuple[View, ...]:
    """Views with `text` in every place that somebody outside may fill."""
    samples = sample_views("en")
    first, code, consent, mailbox = (samples[name] for name in ("identifier-error", "code-error", "consent", "mailbox"))
    choice, answer, allowed = (samples[name] for name in ("select-account", "form-post", "applications"))
    assert isinstance(choice, SelectAccountPage)
    assert isinstance(answer, FormPostPage)
    assert isinstance(allowed, ApplicationsPage)
    one = allowed.applications[0]
    assert isinstance(first, IdentifierPage)
    assert isinstance(code, CodePage)
    assert isinstance(consent, ConsentPage)
    assert isinstance(mailbox, MailboxPage)
    message = MailboxMessage(text, text, text, text, text, text, text, mailbox.messages[0].sent_at)
    return (
        replace(first, client_name=text, identifier=text, error=text, interaction=text, csrf=text, region=text),
        replace(code, sent_to=text, identifier=text, error=text),
        replace(consent, client_name=text, account_label=text, resources=(text,)),
        replace(consent, scopes=(describe_word(text, CATALOGUES["en"]),)),
        ErrorPage(title=text, description=text, request_id=text, status=400),
        ContinuePage(next_url="/authorize", client_name=text),
        replace(choice, client_name=text, account_label=text, shown_to=text),
        replace(answer, client_name=text, fields=((text, text),)),
        LeavingPage(next_url="https://notes.example/", host=text, client_name=text),
        SignedOutPage(told=(text,), next_url="/next", client_name=text),
        replace(consent, client_host=text),
        replace(allowed, applications=(replace(one, client_id=text, name=text, host=text),), withdrawn=text),
        replace(mailbox, messages=(message,), to=text),
    )


@pytest.mark.parametrize("locale", sorted(CATALOGUES))
@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_never_becomes_markup(text: str, locale: str) -> None:
    for hostile, harmless in zip(views_around(text), views_around("harmless"), strict=True):
        document = Markup(PAGES.render(hostile, locale=locale))
        assert document.skeleton == Markup(PAGES.render(harmless, locale=locale)).skeleton
        assert text in document.text


@pytest.mark.parametrize("locale", sorted(CATALOGUES))
@pytest.mark.parametrize("text", [*HOSTILE, "", "100 %s %(csrf)s", "asha@example.com"])
def test_a_filled_outline_is_what_the_template_makes(text: str, locale: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn around other values, filled with these, and then rendered without an outline."""
    pages = Pages(Brand(), CATALOGUES)
    for view in sample_views(locale).values():
        pages.render(view, locale=locale)
        values: dict[str, Any] = dict.fromkeys(view.blanks, text)
        changed = replace(view, **values)
        filled = pages.render(changed, locale=locale)
        with monkeypatch.context() as patch:
            patch.setattr(type(view), "blanks", ())
            assert filled == pages.render(changed, locale=locale)


def test_what_marks_a_blank_is_another_in_each_process_and_never_shown() -> None:
    """Or a client could have a form's token written into its name, or into the address of its policy."""
    pages = Pages(Brand(), CATALOGUES)
    mark = pages._outlines._mark
    assert len(mark) == 32
    assert mark != Pages(Brand(), CATALOGUES)._outlines._mark
    for view in sample_views("en").values():
        assert mark not in pages.render(view, locale="en")


def test_outlines_keep_no_value_and_do_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlines, "_MOST", 3)
    pages = Pages(Brand(), CATALOGUES)
    view = sample_views("en")["code"]
    assert isinstance(view, CodePage)
    for number in range(20):
        person = f"person{number}@example.com"
        shown = replace(view, sent_to=person, identifier=person, interaction=f"i{number}", csrf=f"c{number}")
        assert person in pages.render(shown, locale="en")
    assert len(pages._outlines._known) == 1
    assert "person0@" not in repr(pages._outlines._known)
    for number in range(20):
        pages.render(replace(view, minutes_left=number), locale="en")
        assert len(pages._outlines._known) <= 3


def test_a_brand_name_never_becomes_markup() -> None:
    document = Markup(Pages(Brand(name="<b>&"), CATALOGUES).render(sample_views("en")["error"], locale="en"))
    assert "b" not in {tag for tag, _ in document.elements}
    assert "<b>&" in document.text


@pytest.mark.parametrize("name", sorted(sample_views("en")))
@pytest.mark.parametrize("locale", sorted(CATALOGUES))
def test_no_page_holds_a_script_a_style_or_an_event_attribute_of_its_own(name: str, locale: str) -> None:
    for tag, attributes in Markup(PAGES.render(sample_views(locale)[name], locale=locale)).elements:
        assert tag != "style"
        assert tag != "script" or attributes["src"].startswith("/login/static/")
        assert not [attribute for attribute in attributes if attribute == "style" or attribute.startswith("on")]


@pytest.mark.parametrize("name", sorted(sample_views("en")))
@pytest.mark.parametrize("locale", sorted(CATALOGUES))
def test_a_page_is_whole_and_in_its_language(name: str, locale: str) -> None:
    document = Markup(PAGES.render(sample_views(locale)[name], locale=locale))
    assert document.elements[0] == ("html", {"lang": locale, "dir": "ltr"})
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert not re.search(r"\bNone\b|Undefined|\{[a-z_]+\}", document.text)


def test_a_page_in_a_language_without_texts_is_english() -> None:
    assert '<html lang="en" dir="ltr">' in PAGES.render(sample_views("en")["error"], locale="fr")


def test_a_template_that_asks_for_what_the_view_lacks_fails() -> None:
    class Incomplete(View):
        template = "error.html"

    with pytest.raises(UndefinedError):
        PAGES.render(Incomplete(), locale="en")


def test_a_page_that_moves_on_shows_the_link_it_follows() -> None:
    url = '/authorize?interaction=a&x="; url=https://elsewhere.example/'
    elements = Markup(PAGES.render(ContinuePage(next_url=url), locale="en")).elements
    assert ("meta", {"http-equiv": "refresh", "content": f"0;url={url}"}) in elements
    assert next(found["href"] for tag, found in elements if found.get("id") == "continue") == url


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("locale", sorted(CATALOGUES))
def test_the_guesses_left_are_counted_in_the_right_number(locale: str, count: int) -> None:
    code = sample_views(locale)["code-error"]
    assert isinstance(code, CodePage)
    expected = CATALOGUES[locale].text("code.attempts_left", count=count)
    assert expected in PAGES.render(replace(code, attempts_left=count), locale=locale)
    assert expected not in PAGES.render(replace(code, attempts_left=None), locale=locale)


@pytest.mark.parametrize("locale", sorted(CATALOGUES))
def test_who_is_to_make_an_account_is_told_so_and_what_happens_if_there_is_one(locale: str) -> None:
    text = CATALOGUES[locale].text
    page = PAGES.render(sample_views(locale)["identifier-creating"], locale=locale)
    assert text("login.creating") in page
    assert text("login.creating_hint") in page
    assert text("login.heading") + "</h1>" not in page


def test_a_phone_is_asked_for_with_the_keyboard_of_a_phone() -> None:
    fields = {
        name: next(
            found for _, found in Markup(PAGES.render(view, locale="en")).elements if found.get("id") == "identifier"
        )
        for name, view in sample_views("en").items()
        if isinstance(view, IdentifierPage)
    }
    assert fields["identifier-phone"]["inputmode"] == "tel"
    assert fields["identifier-phone"]["autocomplete"] == "tel"
    assert {fields[name]["autocomplete"] for name in ("identifier", "identifier-email")} == {"username"}


def test_a_code_field_can_be_filled_from_the_message() -> None:
    document = Markup(PAGES.render(sample_views("en")["code"], locale="en"))
    field = next(found for _, found in document.elements if found.get("id") == "one-time-code")
    assert field["autocomplete"] == "one-time-code"
    assert field["inputmode"] == "numeric"
    assert field["type"] == "text"
    assert int(field["maxlength"]) >= 64


def test_every_claim_that_can_be_asked_for_is_described() -> None:
    for catalogue in CATALOGUES.values():
        for claim in SCOPE_OF_CLAIM:
            assert describe_word(f"claim:{claim}", catalogue).title == catalogue.text(f"consent.claim_{claim}")
        assert describe_word("claim:shoe_size", catalogue).title == "claim:shoe_size"


def test_whether_an_address_was_confirmed_needs_no_line_beside_the_address() -> None:
    words = ("openid", "claim:email", "claim:email_verified", "claim:phone_number_verified")
    lines = describe_words(words, CATALOGUES["en"])
    assert [line.name for line in lines] == ["openid", "claim:email", "claim:phone_number_verified"]


def test_a_day_is_written_as_people_write_it() -> None:
    assert "allowed on 1 March 2026" in PAGES.render(sample_views("en")["applications"], locale="en")
    assert "1 मार्च 2026 को" in PAGES.render(sample_views("hi")["applications"], locale="hi")
    for catalogue in CATALOGUES.values():
        assert len({catalogue.text(f"date.month_{month}") for month in range(1, 13)}) == 12


def test_known_scopes_are_described_and_others_shown_by_name() -> None:
    for catalogue in CATALOGUES.values():
        assert describe_word("email", catalogue).title == catalogue.text("consent.scope_email")
        assert describe_word("notes:read", catalogue).title == "notes:read"
        for name in ("openid", "profile", "email", "phone", "address", "offline_access"):
            assert describe_word(name, catalogue).description


@pytest.mark.parametrize("locale", sorted(CATALOGUES))
def test_every_text_a_template_asks_for_exists_in_every_language(locale: str) -> None:
    keys = keys_in_templates()
    assert len(keys) > 60
    assert [key for key in sorted(keys) if key not in CATALOGUES[locale].texts] == []


def keys_in_templates() -> set[str]:
    keys: set[str] = set()
    for template in files("watchword.pages").joinpath("templates").iterdir():
        keys |= set(re.findall(r"""["']([a-z]+\.[a-z_]+)["']""", template.read_text("utf-8")))
        for prefix in re.findall(r"""["']([a-z]+\.[a-z_]+_)["'] ~""", template.read_text("utf-8")):
            keys.remove(prefix)
            keys |= {prefix + ending for ending in ENDINGS[prefix]}
    return {key for key in keys if not key.endswith((".html", ".css", ".js", ".svg"))}


ENDINGS = {
    "login.identifier_": ("email", "phone", "either"),
    "code.heading_": ("email", "sms", "whatsapp"),
    "code.sent_": ("email", "sms", "whatsapp"),
}


def test_a_static_file_is_asked_for_by_the_hash_of_its_content() -> None:
    for name in ("watchword.css", "login.js", "mark.svg", "brand.css"):
        asset = PAGES.static_file(name)
        assert asset is not None
        assert PAGES.asset(name) == f"/login/static/{name}?v={hashlib.sha256(asset.content).hexdigest()[:8]}"


def test_only_the_files_of_the_pages_are_served() -> None:
    for name in ("../render.py", "..", "", "base.html"):
        assert PAGES.static_file(name) is None


def test_a_page_asks_for_nothing_but_its_few_small_files() -> None:
    elements = Markup(PAGES.render(sample_views("en")["code"], locale="en")).elements
    asked = {found.get("src") or found["href"] for tag, found in elements if tag in {"script", "link", "img"}}
    assert asked == {PAGES.asset(name) for name in ("watchword.css", "brand.css", "login.js", "mark.svg")}
    budgets = {
        "watchword.css": 12_000, "login.js": 4_096, "mark.svg": 1_000, "brand.css": 400, "form_post.js": 400,
        "signed_out.js": 600,
    }  # fmt: skip
    for name, budget in budgets.items():
        asset = PAGES.static_file(name)
        assert asset is not None
        assert len(asset.content) <= budget, name


def test_the_mark_is_one_drawing_in_the_header_and_in_the_tab() -> None:
    folder = files("watchword.pages")
    drawings = {
        re.search(r' d="([^"]+)"', folder.joinpath(where).read_text("utf-8"))[1]  # type: ignore[index]
        for where in ("static/mark.svg", "templates/mark.html")
    }
    assert len(drawings) == 1
