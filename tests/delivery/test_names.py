"""Names that others chose, on their way into messages."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.delivery.names import plain_name

HOSTILE = [
    ("\r\nBcc: x@y", "Bcc x y"),
    ("https://evil", ""),
    ("Payroll https://evil.example/login?x=1 now", "Payroll now"),
    ("HTTPS:\\\\evil.example", ""),
    ("javascript://%0aalert(1)", ""),
    ("www.evil.example", ""),
    ("evil.example/login", "evil example login"),
    ("Booking.com", "Booking com"),
    ("evil\u200b.example", "evil example"),
    ("evil\uff0eexample", "evil example"),
    ("evil\u2024example", "evil example"),
    ("evil\u3002example", "evil example"),
    ("ht\u200btps://evil.example", ""),
    ("{{7*7}}", "7 7"),
    ("{0.__class__}", "0 class"),
    ("%(secret)s", "(secret)s"),
    ("<script>alert(1)</script>", "script alert(1) script"),
    ("\u202egro.live", "gro live"),
    ("\u2066Pay\u2069roll", "Payroll"),
    ("\u061c\u200e\u200fPayroll", "Payroll"),
    ("Pay\u00adroll", "Payroll"),
    ("\u3164\u115f\u2800", ""),
    ("\x00\x1b[31mred\x7f", "31mred"),
    ("*bold* _it_ ~gone~ `code`", "bold it gone code"),
    ("@id.example.com #123456", "id example com 123456"),
    ("line\u2028break\u2029here\u0085now", "line break here now"),
    ("Win 🎁 now", "Win now"),
    ("A" * 100, "A" * 40),
]


@pytest.mark.parametrize(("name", "plain"), HOSTILE)
def test_what_could_act_is_gone(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_a_ligature_that_unfolds_is_cut_like_any_other_text() -> None:
    assert len(plain_name("\ufdfa" * 100)) <= 40


@pytest.mark.parametrize(
    "name",
    ["Payroll", "Marks & Spencer", "L'Oréal", "Acme, Inc.", "आधार सेवा", "日本郵便", "مرحبا", "Straße 24-7", "Yahoo!"],
)
def test_an_honest_name_stays_as_it_is(name: str) -> None:
    assert plain_name(name) == name


def test_typographic_marks_become_plain_ones_that_fit_an_sms() -> None:
    assert plain_name("Joe\u2019s \u2013 Diner") == "Joe's - Diner"


@given(st.text(max_size=300), st.integers(min_value=1, max_value=80))
def test_no_text_whatever_leaves_anything_but_plain_words(name: str, limit: int) -> None:
    plain = plain_name(name, limit=limit)
    assert len(plain) <= limit
    assert plain == " ".join(plain.split())
    assert plain.isprintable()
    assert not set(plain) & set('\r\n<>{}[]@#:/\\*_~`"%$|=?;^')
    assert "." not in "".join(plain.split(". ")).rstrip(".")
    assert all(
        character == " " or unicodedata.category(character)[0] in "LMNP" or character == "+" for character in plain
    )


@given(st.text(max_size=100))
def test_a_plain_name_stays_plain(name: str) -> None:
    assert plain_name(plain_name(name)) == plain_name(name)
