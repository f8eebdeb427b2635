"""What messages say, in every channel and language."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.delivery.examples import NOW
from tests.delivery.test_names import HOSTILE
from watchword.delivery.message import Channel, Message
from watchword.delivery.render import Brand, CodeNotice, render_one_time_code
from watchword.locale import load_catalogues

GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
LANGUAGES = sorted(load_catalogues())


def _render(channel: Channel, **wording: Any) -> Message:
    defaults: dict[str, Any] = {
        "to": "asha@mail.example",
        "one_time_code": "012345",
        "expires_at": NOW + timedelta(minutes=5),
        "brand": Brand("Example", "help@example.com"),
        "client_name": "Payroll",
        "origin_host": "id.example.com",
        "locale": "en",
        "delivery_id": "delivery-7f3a",
        "sent_at": NOW,
    }
    facts = {**defaults, **wording}
    to, delivery_id = facts.pop("to"), facts.pop("delivery_id")
    return render_one_time_code(channel, CodeNotice(**facts), to=to, delivery_id=delivery_id)


class _Html(HTMLParser):
    """The tags and the text nodes of a mail."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend((tag, name, value) for name, value in attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def _html(message: Message) -> _Html:
    assert message.html is not None
    return _Html(message.html)


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_channel_and_language_carries_the_code_and_its_facts(channel: Channel, language: str) -> None:
    message = _render(channel, locale=language)
    assert (message.id, message.channel, message.to) == ("delivery-7f3a", channel, "asha@mail.example")
    assert (message.one_time_code, message.locale) == ("012345", language)
    assert message.expires_at == NOW + timedelta(minutes=5)
    assert "012345" in message.text
    assert "Example" in message.text
    assert "{" not in message.text
    assert (message.subject is not None) == (message.html is not None) == (channel is Channel.EMAIL)
    assert message.link is None


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_holds_a_link(channel: Channel, language: str) -> None:
    message = _render(channel, locale=language)
    assert "://" not in message.text + (message.html or "")
    assert "www." not in message.text
    if message.html is not None:
        assert "a" not in _html(message).tags


def test_the_code_comes_first_where_a_notification_shows_it() -> None:
    assert (_render(Channel.EMAIL).subject or "").startswith("012345 ")
    assert _render(Channel.SMS).text.startswith("012345 ")
    assert _render(Channel.WHATSAPP).text.startswith("*012345* ")


def test_the_subject_of_a_mail_is_the_code_and_the_brand() -> None:
    assert _render(Channel.EMAIL).subject == "012345 is your Example code"


def test_the_text_of_a_mail_has_its_lines_in_order_and_the_code_alone() -> None:
    lines = [line for line in _render(Channel.EMAIL).text.splitlines() if line]
    assert lines[0] == "Example"
    assert lines[1] == "012345"
    assert lines[2].startswith("Enter it on the page where you asked for it. It expires at 09:05 UTC (5 minutes).")
    assert lines[3] == "It signs you in to Payroll."
    assert "ignore this email" in lines[4]
    assert "Never share it" in lines[5]
    assert lines[6] == "Questions? help@example.com"


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_says_what_the_text_says(language: str) -> None:
    message = _render(Channel.EMAIL, locale=language)
    shown = " ".join(_html(message).texts)
    for line in filter(None, message.text.splitlines()):
        assert line in shown


def test_html_is_small_and_fetches_nothing() -> None:
    message = _render(Channel.EMAIL)
    html = _html(message)
    assert len((message.html or "").encode()) < 15 * 1024
    assert not {"img", "link", "script", "iframe", "svg", "form", "a"} & set(html.tags)
    assert not [
        name for _, name, _ in html.attributes if name in {"src", "href", "background"} or name.startswith("on")
    ]
    assert "url(" not in (message.html or "")
    assert "@import" not in (message.html or "")


def test_html_holds_the_code_as_one_text_that_copies_well() -> None:
    html = _html(_render(Channel.EMAIL))
    assert html.texts.count("012345") == 1
    assert ("div", "dir", "ltr") in html.attributes


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_names_its_language_and_adapts_to_the_dark(language: str) -> None:
    message = _render(Channel.EMAIL, locale=language)
    html = _html(message)
    assert ("html", "lang", language) in html.attributes
    assert ("html", "dir", "ltr") in html.attributes
    assert ("meta", "content", "light dark") in html.attributes
    assert "prefers-color-scheme: dark" in (message.html or "")
    assert {value for tag, name, value in html.attributes if (tag, name) == ("table", "role")} == {"presentation"}


def test_what_is_not_known_is_not_said() -> None:
    message = _render(Channel.EMAIL, brand=Brand("Example"))
    assert "Questions" not in message.text + (message.html or "")
    assert "\n\n\n" not in message.text


@pytest.mark.parametrize(
    ("left", "words"),
    [(timedelta(minutes=1), "(1 minute)"), (timedelta(seconds=299), "(5 minutes)"), (timedelta(0), "(1 minute)")],
)
def test_the_minutes_left_are_counted(left: timedelta, words: str) -> None:
    assert words in _render(Channel.EMAIL, expires_at=NOW + left).text


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.WHATSAPP])
def test_the_time_names_its_zone(channel: Channel) -> None:
    elsewhere = (NOW + timedelta(minutes=5)).astimezone(ZoneInfo("Asia/Kolkata"))
    assert "at 09:05 UTC" in _render(channel, expires_at=elsewhere).text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("host", "code"), [("id.example.com", "012345"), ("localhost", "K7PXMR42")])
def test_the_last_line_of_an_sms_binds_the_code_to_our_origin(language: str, host: str, code: str) -> None:
    lines = _render(Channel.SMS, locale=language, origin_host=host, one_time_code=code).text.split("\n")
    assert lines[-1] == f"@{host} #{code}"
    assert lines[-2] == ""
    assert len(lines) == 3


@pytest.mark.parametrize("brand", ["Example", "M" * 40, "Marks & Spencer (India) Private, Limited", "Café + Co!"])
@pytest.mark.parametrize("host", ["localhost", "id.example.com", "login." + "x" * 57 + ".example.com"])
def test_an_english_sms_is_one_gsm_7_part(brand: str, host: str) -> None:
    text = _render(Channel.SMS, brand=Brand(brand), origin_host=host, one_time_code="01234567").text
    assert set(text) <= GSM_7
    assert len(text) <= 160


def test_a_hindi_sms_says_its_part_in_one_part_of_ucs_2() -> None:
    explanation = _render(Channel.SMS, locale="hi").text.partition("\n")[0]
    assert len(explanation.encode("utf-16-le")) // 2 <= 70


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("hostile", [name for name, _ in HOSTILE])
def test_no_name_smuggles_anything_into_a_message(channel: Channel, hostile: str) -> None:
    message = _render(channel, brand=Brand(hostile), client_name=hostile)
    said = message.text + (message.subject or "") + " ".join(_html(message).texts if message.html else [])
    assert "://" not in said
    assert not re.search(r"[\u0000-\u0009\u000b-\u001f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069<>{}]", message.text)
    assert not re.search(r"[\r\n]", message.subject or "")
    assert "evil.example" not in said
    assert message.text.count("#012345") == (channel is Channel.SMS)
    if message.html is not None:
        assert "script" not in _html(message).tags


def test_a_name_with_nothing_left_gives_way_to_the_next_best() -> None:
    assert "It signs you in to Example." in _render(Channel.EMAIL, client_name="https://evil").text
    assert _render(Channel.EMAIL, brand=Brand("\u202e")).subject == "012345 is your id.example.com code"


def test_names_are_escaped_in_html() -> None:
    message = _render(Channel.EMAIL, client_name="Marks & Spencer", brand=Brand("L'Oréal", "<b>help</b>"))
    assert "Marks &amp; Spencer" in (message.html or "")
    assert "b" not in _html(message).tags


@pytest.mark.parametrize(("wanted", "used"), [("hi-IN", "hi"), ("HI", "hi"), ("ta", "en"), ("", "en")])
def test_the_nearest_language_is_taken(wanted: str, used: str) -> None:
    message = _render(Channel.EMAIL, locale=wanted)
    assert message.locale == used
    assert message.subject == _render(Channel.EMAIL, locale=used).subject


def test_a_message_shows_nothing_of_itself() -> None:
    message = replace(_render(Channel.EMAIL), link="https://id.example.com/secret")
    shown = repr(message)
    for private in ("asha", "012345", "Payroll", "Example", "secret"):
        assert private not in shown
