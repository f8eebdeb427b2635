import pytest

from watchword_asgi.browser.cookies import CookieNames, TooLargeForCookies, parse_cookies, read_pieces
from watchword_asgi.browser.sealing import Sealer

KEY = "0123456789abcdefghijklmnopqrstuvwxyz"
NAMES = CookieNames(secure=True, mark="m")
SESSION = NAMES.session


@pytest.mark.parametrize(
    "cookies",
    [
        {},
        {SESSION: ""},
        {SESSION: "x"},
        {SESSION: "1."},
        {SESSION: "0.x"},
        {SESSION: "6.x"},
        {SESSION: "99999999999.x"},
        {SESSION: "-1.x"},
        {SESSION: "1e9.x"},
        {SESSION: "\u0662.x"},
        {SESSION: "2.x"},
        {SESSION: "3.x", f"{SESSION}_2": "z"},
        {f"{SESSION}_1": "y"},
    ],
)
def test_pieces_that_are_not_in_order_make_no_value(cookies: dict[str, str]) -> None:
    assert read_pieces(SESSION, cookies) is None


@pytest.mark.parametrize("size", [1, 3700, 3900, 4096, 7600, 15000, 18000])
def test_a_value_of_any_size_comes_back_whole(size: int) -> None:
    value = "v" * size
    headers = NAMES.write_pieces(SESSION, value, seconds=86400, sent={})
    assert all(len(text) <= 3900 for _, text in headers)
    pairs = [text.decode().split(";")[0].partition("=") for _, text in headers]
    assert read_pieces(SESSION, {name: text for name, _, text in pairs}) == value


def test_a_value_for_six_cookies_is_refused() -> None:
    with pytest.raises(TooLargeForCookies):
        NAMES.write_pieces(SESSION, "v" * 20000, seconds=86400, sent={})


def test_a_cookie_header_is_read_leniently_and_the_first_of_a_name_counts() -> None:
    header = b"a=1; b=2;; =3; c; a=4;d=x=y ; e=\xff"
    assert parse_cookies([(b"cookie", header)]) == {"a": "1", "b": "2", "": "3", "d": "x=y", "e": "\xff"}


def test_a_cookie_header_of_a_megabyte_is_not_read() -> None:
    assert parse_cookies([(b"cookie", b"a=1; " * 200_000)]) == {}


def test_a_sealed_text_opens_only_for_its_purpose() -> None:
    sealer = Sealer([KEY])
    sealed = sealer.seal(b"value", purpose="session")
    assert sealer.open(sealed, purpose="session") == b"value"
    assert sealer.open(sealed, purpose="login") is None


@pytest.mark.parametrize("text", ["", "A", "AAAA", "é", "A" * 37, "A" * 100, "====", "\0" * 40, "A A"])
def test_a_text_that_was_not_sealed_here_does_not_open(text: str) -> None:
    assert Sealer([KEY]).open(text, purpose="session") is None


def test_every_changed_byte_is_noticed() -> None:
    sealer = Sealer([KEY])
    sealed = sealer.seal(b"value", purpose="session")
    for place in range(0, len(sealed) - 1, 3):
        other = "A" if sealed[place] != "A" else "B"
        assert sealer.open(sealed[:place] + other + sealed[place + 1 :], purpose="session") is None
