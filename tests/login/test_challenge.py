"""Challenges as values: their names, their life, and what is kept of them."""

import re
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from tests.login.examples import ASHA, ISSUER, NOW, challenge
from watchword.accounts import Identifier
from watchword.delivery.message import Channel
from watchword.login.challenge import Challenge, challenge_id, new_seed, read_challenge, write_challenge

FIVE_MINUTES = timedelta(minutes=5)
NAMED: dict[str, Any] = {
    "issuer": ISSUER,
    "purpose": "login",
    "client_id": "c_notes",
    "identifier": ASHA,
    "binding": "b" * 43,
}


def test_a_challenge_is_found_again_by_what_it_is_for() -> None:
    assert challenge_id(**NAMED) == challenge_id(**NAMED)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", challenge_id(**NAMED))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("issuer", "https://id.example.net"),
        ("purpose", "step_up"),
        ("client_id", "c_other"),
        ("identifier", Identifier("email", "ravi@example.com", "ravi@example.com")),
        ("identifier", Identifier("phone", "asha@example.com", "asha@example.com")),
        ("binding", "c" * 43),
    ],
)
def test_anything_else_names_another_challenge(field: str, value: object) -> None:
    assert challenge_id(**(NAMED | {field: value})) != challenge_id(**NAMED)


def test_no_two_fields_run_into_one_another() -> None:
    shifted = NAMED | {"purpose": "loginc", "client_id": "_notes"}
    assert challenge_id(**shifted) != challenge_id(**NAMED)


def test_the_display_form_of_an_identifier_names_no_other_challenge() -> None:
    again = Identifier("email", "asha@example.com", "ASHA@example.com")
    assert challenge_id(**(NAMED | {"identifier": again})) == challenge_id(**NAMED)


def test_what_was_written_is_read_again() -> None:
    written = challenge(channel=Channel.SMS, sends=3, client_name='quoted "client" \u0928')
    assert read_challenge(write_challenge(written)) == written


def test_a_resend_lengthens_the_life() -> None:
    later = NOW + timedelta(seconds=31)
    again = challenge().sent_again(later, FIVE_MINUTES)
    assert (again.sends, again.sent_at, again.expires_at) == (2, later, later + FIVE_MINUTES)
    assert (again.seed, again.created_at) == (challenge().seed, challenge().created_at)


@pytest.mark.parametrize("sent_after", [300, 301, 420, 599])
def test_no_resend_lengthens_the_life_beyond_ten_minutes(sent_after: int) -> None:
    again = challenge().sent_again(NOW + timedelta(seconds=sent_after), FIVE_MINUTES)
    assert again.expires_at == NOW + timedelta(seconds=600)


@pytest.mark.parametrize(("most", "expected"), [(1, []), (3, [30, 60]), (5, [30, 60, 60, 60])])
def test_every_further_send_waits_for_its_time_until_there_is_none(most: int, expected: list[int]) -> None:
    configured = (timedelta(seconds=30), timedelta(seconds=60))
    live, waits = challenge(), []
    while (resend_at := live.resend_at(configured, most)) is not None:
        waits.append((resend_at - live.sent_at).total_seconds())
        live = live.sent_again(resend_at, FIVE_MINUTES)
    assert waits == expected
    assert live.sends == most


def test_a_new_seed_is_another_origin_of_the_same_challenge() -> None:
    first, second = challenge(seed=new_seed()), challenge(seed=new_seed())
    assert (first.id, first.key) == (second.id, second.key)
    assert first.origin != second.origin
    assert first.origin == challenge(seed=first.seed, sends=4, channel=Channel.SMS).origin


def test_a_challenge_cannot_be_without_its_end() -> None:
    """A-03."""
    facts = {field.name: getattr(challenge(), field.name) for field in fields(Challenge)}
    del facts["expires_at"]
    with pytest.raises(TypeError, match="expires_at"):
        Challenge(**facts)


def test_a_challenge_shows_neither_seed_nor_identifier() -> None:
    shown = repr(challenge(seed=b"\x01" * 16))
    assert "asha" not in shown.lower()
    assert repr(b"\x01" * 16) not in shown
    assert repr(b"b" * 32) not in shown
