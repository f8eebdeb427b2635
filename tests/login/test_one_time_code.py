"""The derived code: what it depends on, how it is spread, and what may be typed for it."""

import hashlib
import hmac
from collections import Counter
from datetime import timedelta

import pytest

from tests.login.examples import ISSUER, NOW, PEPPER, challenge
from watchword.accounts import Identifier
from watchword.delivery.message import Channel
from watchword.login.challenge import Challenge
from watchword.login.one_time_code import derive_one_time_code, is_right, tidy

_LONG = 10  # digits: two such codes are the same by chance once in ten thousand million times


def _derive(live: Challenge, *, pepper: bytes = PEPPER, issuer: str = ISSUER) -> str:
    return derive_one_time_code(pepper, live, issuer=issuer)


def test_the_code_is_the_hmac_of_its_length_prefixed_fields() -> None:
    live = challenge()
    fields = [
        b"watchword one-time code 1", ISSUER.encode(), b"login", live.id.encode(), live.seed, b"asha@example.com",
        b"c_notes", live.binding_hash, b"0123456789", b"6",
    ]  # fmt: skip
    message = b"".join(len(part).to_bytes(4, "big") + part for part in fields)
    number = int.from_bytes(hmac.new(PEPPER, message, hashlib.sha256).digest()[:16], "big")
    assert _derive(live) == f"{number % 10**6:06}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("purpose", "step_up"),
        ("id", "another-challenge-name"),
        ("seed", b"t" * 16),
        ("identifier", Identifier("email", "ravi@example.com", "ravi@example.com")),
        ("client_id", "c_other"),
        ("binding_hash", b"c" * 32),
    ],
)
def test_every_field_the_code_is_bound_to_changes_it(field: str, value: object) -> None:
    assert _derive(challenge(length=_LONG, **{field: value})) != _derive(challenge(length=_LONG))


def test_another_pepper_or_issuer_gives_another_code() -> None:
    live = challenge(length=_LONG)
    codes = {_derive(live), _derive(live, pepper=bytes(32)), _derive(live, issuer="https://id.example.net")}
    assert len(codes) == 3


def test_the_same_characters_in_other_fields_are_another_code() -> None:
    shifted = challenge(length=_LONG, purpose="loginc", id="2VwdGVtYmVyLW1vcm5pbmc")
    assert _derive(shifted) != _derive(challenge(length=_LONG))


@pytest.mark.parametrize(
    "change",
    [
        {"channel": Channel.SMS},
        {"sends": 4},
        {"sent_at": NOW + timedelta(minutes=2)},
        {"expires_at": NOW + timedelta(minutes=9)},
        {"locale": "hi"},
    ],
)
def test_a_resend_and_another_channel_carry_the_same_code(change: dict[str, object]) -> None:
    assert _derive(challenge(**change)) == _derive(challenge())


@pytest.mark.parametrize("length", range(6, 11))
def test_a_code_has_exactly_its_length_leading_zeros_included(length: int) -> None:
    codes = [_derive(challenge(length=length, seed=number.to_bytes(16, "big"))) for number in range(200)]
    assert {len(code) for code in codes} == {length}
    assert any(code.startswith("0") for code in codes)
    assert all(code.isascii() and code.isdigit() for code in codes)


def test_codes_are_spread_evenly() -> None:
    """Chi-square of every digit at every place, 9 degrees of freedom: 33.7 is passed once in ten thousand times."""
    codes = [_derive(challenge(seed=number.to_bytes(16, "big"))) for number in range(10_000)]
    for place in range(6):
        seen = Counter(code[place] for code in codes)
        assert sum((seen[digit] - 1000) ** 2 / 1000 for digit in "0123456789") < 33.7


@pytest.mark.parametrize(
    "typed",
    ["123456", " 123456 ", "123 456", "123-456", "123\u2013456", "123\u00a0456", "\t123456\r\n", "1 2 3 4 5 6"],
)
def test_blanks_and_dashes_of_a_copied_code_are_forgiven(typed: str) -> None:
    assert tidy(typed, 6) == "123456"


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "12345", "1234567", "12345a", "0x1234", "+12345", "-", "null", "true", "[]", "123.456", "123_456",
        "\uff11\uff12\uff13\uff14\uff15\uff16",  # fullwidth
        "\u0661\u0662\u0663\u0664\u0665\u0666",  # Arabic-Indic
        "\u096a\u0968\u0969\u096a\u096b\u096c",  # Devanagari
        "12345\u00b2",  # superscript two
        "123456\u200b", "123\u0000456", "9" * 100_000,
        "123456" + " " * 60 + "7",
    ],
)  # fmt: skip
def test_nothing_else_is_read_as_a_code(typed: str) -> None:
    assert tidy(typed, 6) is None


def test_only_the_very_same_digits_are_right() -> None:
    assert is_right("012345", "012345")
    assert not is_right("012345", "12345")
    assert not is_right("012345", "012346")
    assert not is_right("012345", "")
