"""Refresh tokens as generations of a family."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.protocol.builders import ISSUER, NOW
from watchword.protocol.refresh_token import (
    PUBLIC_GRACE,
    Presentation,
    RefreshToken,
    is_genuine,
    judge_presentation,
    read_refresh_token,
    write_refresh_token,
)

FAMILY = UUID("0b8f3c9e-1d2a-4c77-9a0e-5a6b7c8d9e0f")
FACTS: dict[str, Any] = {
    "issuer": ISSUER,
    "mac_kid": "a1b2c3d4",
    "family_id": FAMILY,
    "generation": 7,
    "family_secret": bytes(range(16)),
    "epoch": 0,
}
KEY = bytes(range(32))
TOKEN = write_refresh_token(KEY, **FACTS)


def test_a_token_reads_back_to_what_it_names() -> None:
    read = read_refresh_token(TOKEN)
    assert read is not None
    assert (read.mac_kid, read.family_id, read.generation) == ("a1b2c3d4", FAMILY, 7)
    assert TOKEN.endswith("." + read.tag)
    assert read.tag not in repr(read)


def test_the_same_facts_always_write_the_same_token() -> None:
    assert write_refresh_token(KEY, **FACTS) == TOKEN
    assert is_genuine(TOKEN, TOKEN)


def test_the_tag_is_bound_to_every_fact() -> None:
    """Length prefixes matter too: moving a byte between two fields is another message."""
    changes: list[dict[str, Any]] = [
        {"issuer": "https://evil.example"},
        {"mac_kid": "a1b2c3d5"},
        {"family_id": UUID(int=1)},
        {"generation": 8},
        {"family_secret": bytes(16)},
        {"epoch": 1},
        {"issuer": ISSUER + "a", "mac_kid": "1b2c3d4"},
    ]
    tags = {write_refresh_token(KEY, **(FACTS | change)).rpartition(".")[2] for change in changes}
    tags |= {TOKEN.rpartition(".")[2], write_refresh_token(bytes(32), **FACTS).rpartition(".")[2]}
    assert len(tags) == len(changes) + 2


HEX = FAMILY.hex
TAG = "A" * 43

MALFORMED = [
    ("empty", ""),
    ("another version", f"wr2.k.{HEX}.0.{TAG}"),
    ("upper case version", f"WR1.k.{HEX}.0.{TAG}"),
    ("no kid", f"wr1..{HEX}.0.{TAG}"),
    ("a long kid", f"wr1.{'k' * 44}.{HEX}.0.{TAG}"),
    ("a kid with a slash", f"wr1.k/k.{HEX}.0.{TAG}"),
    ("an upper case family", f"wr1.k.{HEX.upper()}.0.{TAG}"),
    ("a family with dashes", f"wr1.k.{FAMILY}.0.{TAG}"),
    ("a short family", f"wr1.k.{HEX[:-1]}.0.{TAG}"),
    ("a negative generation", f"wr1.k.{HEX}.-1.{TAG}"),
    ("a generation with a leading zero", f"wr1.k.{HEX}.01.{TAG}"),
    ("a signed generation", f"wr1.k.{HEX}.+1.{TAG}"),
    ("a generation in Arabic digits", f"wr1.k.{HEX}.\u0661.{TAG}"),
    ("a generation of 17 digits", f"wr1.k.{HEX}.{'1' * 17}.{TAG}"),
    ("no generation", f"wr1.k.{HEX}..{TAG}"),
    ("a short tag", f"wr1.k.{HEX}.0.{TAG[:-1]}"),
    ("a long tag", f"wr1.k.{HEX}.0.{TAG}A"),
    ("padding", f"wr1.k.{HEX}.0.{TAG}="),
    ("a line feed behind", f"wr1.k.{HEX}.0.{TAG}\n"),
    ("a space in front", f" wr1.k.{HEX}.0.{TAG}"),
    ("four parts", f"wr1.k.{HEX}.0"),
    ("six parts", f"wr1.k.{HEX}.0.{TAG}.x"),
    ("a JSON Web Token", "eyJhbGciOiJub25lIn0.e30."),
]  # fmt: skip


@pytest.mark.parametrize("text", [text for _, text in MALFORMED], ids=[why for why, _ in MALFORMED])
def test_text_of_another_form_is_no_refresh_token(text: str) -> None:
    assert read_refresh_token(text) is None


def test_the_forms_that_those_are_bent_from_do_parse() -> None:
    assert read_refresh_token(f"wr1.k.{HEX}.0.{TAG}") == RefreshToken("k", FAMILY, 0, TAG)
    assert read_refresh_token(f"wr1.k.{HEX}.{'1' * 16}.{TAG}") is not None


LATE = PUBLIC_GRACE + timedelta(microseconds=1)

TABLE = [
    # presented, time since the last rotation, whether the client is bound -> what it means
    (5, timedelta(0), False, Presentation.ROTATE),
    (5, timedelta(days=6), False, Presentation.ROTATE),
    (5, timedelta(days=6), True, Presentation.ROTATE),
    (4, timedelta(0), False, Presentation.REPEAT),
    (4, PUBLIC_GRACE, False, Presentation.REPEAT),
    (4, LATE, False, Presentation.REPLAY),
    (4, timedelta(0), True, Presentation.REPEAT),
    (4, LATE, True, Presentation.REPEAT),
    (4, timedelta(days=6), True, Presentation.REPEAT),
    (3, timedelta(0), False, Presentation.REPLAY),
    (3, timedelta(0), True, Presentation.REPLAY),
    (0, timedelta(0), True, Presentation.REPLAY),
    (6, timedelta(0), False, Presentation.LOST_COMMIT),
    (6, timedelta(days=6), True, Presentation.LOST_COMMIT),
    (9, timedelta(0), False, Presentation.LOST_COMMIT),
]


@pytest.mark.parametrize(("presented", "since", "bound", "expected"), TABLE)
def test_what_presenting_a_generation_means(
    presented: int, since: timedelta, bound: bool, expected: Presentation
) -> None:
    judged = judge_presentation(presented, current=5, rotated_at=NOW - since, bound=bound, now=NOW)
    assert judged is expected


def test_the_grace_of_a_public_client_is_thirty_seconds() -> None:
    assert timedelta(seconds=30) == PUBLIC_GRACE
