"""Proof Key for Code Exchange."""

import pytest

from tests.vectors import vectors
from watchword.protocol.pkce import is_code_challenge, s256

PKCE = vectors("pkce")


@pytest.mark.parametrize("vector", PKCE["answered"], ids=lambda vector: str(vector["source"]))
def test_a_verifier_answers_its_challenge(vector: dict[str, str]) -> None:
    assert s256(vector["code_verifier"]) == vector["code_challenge"]
    assert is_code_challenge(vector["code_challenge"])


@pytest.mark.parametrize("text", [text for _, text in PKCE["no_verifier"]], ids=[why for why, _ in PKCE["no_verifier"]])
def test_what_is_no_verifier_has_no_challenge(text: str) -> None:
    assert s256(text) is None


@pytest.mark.parametrize(
    "text", [text for _, text in PKCE["no_challenge"]], ids=[why for why, _ in PKCE["no_challenge"]]
)
def test_what_is_no_challenge_is_told(text: str) -> None:
    assert not is_code_challenge(text)


def test_a_verifier_may_have_128_characters() -> None:
    assert s256("a" * 128) is not None
