"""Opaque access tokens: they say nothing, open here alone, and only as they were written."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.protocol.builders import ISSUER, NOW
from watchword.protocol.errors import InvalidToken
from watchword.protocol.jwt import SeenTokens
from watchword.protocol.opaque_token import NONCE_LENGTH, PREFIX, read_opaque_token, write_opaque_token

KEYS = {"00c0ffee": bytes(range(32)), "0badcafe": bytes(range(32, 64))}
NONCE = bytes(range(100, 100 + NONCE_LENGTH))
CLAIMS: dict[str, Any] = {"iss": ISSUER, "sub": "sub-1", "scope": "notes:read", "exp": int(NOW.timestamp()) + 900}


def written(kid: str = "00c0ffee", issuer: str = ISSUER, nonce: bytes = NONCE, **changes: Any) -> str:
    return write_opaque_token(CLAIMS | changes, KEYS[kid], kid=kid, issuer=issuer, nonce=nonce)


def read(token: str, now: Any = NOW, keys: dict[str, bytes] = KEYS) -> dict[str, Any]:
    return dict(read_opaque_token(token, keys, expected_issuer=ISSUER, now=now).claims)


def content_of(token: str) -> bytes:
    text = token.removeprefix(PREFIX)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def rewritten(content: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize("kid", KEYS)
def test_what_was_written_is_read_by_the_key_it_names(kid: str) -> None:
    assert read(written(kid)) == CLAIMS


def test_a_token_that_was_seen_is_known_while_its_key_is_there_and_it_has_not_expired() -> None:
    seen, keys, token = SeenTokens(), dict(KEYS), written()

    def read_again(late: int = 0) -> dict[str, Any]:
        now = NOW + timedelta(seconds=late)
        return dict(read_opaque_token(token, keys, expected_issuer=ISSUER, now=now, seen=seen).claims)

    assert read_again() == CLAIMS
    assert seen.find(token, keys, PREFIX) == CLAIMS
    assert read_again(late=899) == CLAIMS
    with pytest.raises(InvalidToken):
        read_again(late=900)
    keys["00c0ffee"] = bytes(32)
    with pytest.raises(InvalidToken):
        read_again()


def test_a_token_that_did_not_open_is_not_remembered() -> None:
    seen, token = SeenTokens(), written(issuer="https://other.example")
    for _ in range(2):
        with pytest.raises(InvalidToken):
            read_opaque_token(token, KEYS, expected_issuer=ISSUER, now=NOW, seen=seen)
    assert seen.find(token, KEYS, PREFIX) is None


def by_hand(version: bytes) -> str:
    """Write a token as its format says, with none of our code."""
    kid, key = "00c0ffee", KEYS["00c0ffee"]
    label, header = b"watchword opaque access token", version + bytes.fromhex(kid)
    bound_to = b"".join(len(part).to_bytes(4, "big") + part for part in (label, header, ISSUER.encode()))
    once = hmac.new(key, label + NONCE[:12], hashlib.sha256).digest()
    return rewritten(header + NONCE + AESGCM(once).encrypt(NONCE[12:], json.dumps(CLAIMS).encode(), bound_to))


def test_the_format_is_the_one_that_is_documented() -> None:
    assert read(by_hand(b"\x01")) == CLAIMS


def test_a_token_of_another_version_is_not_guessed_at() -> None:
    with pytest.raises(InvalidToken, match="malformed"):
        read(by_hand(b"\x02"))


def test_a_token_longer_than_any_of_ours_is_not_opened() -> None:
    assert read(written(scope="s" * 5000))
    with pytest.raises(InvalidToken):
        read(written(scope="s" * 8000))


def test_nothing_in_it_can_be_read() -> None:
    token = written()
    assert token.startswith("ww_at_")
    assert token.count(".") == 0
    for secret in ("sub-1", "notes", ISSUER):
        assert secret.encode() not in content_of(token)


def test_two_tokens_of_the_same_claims_have_nothing_in_common() -> None:
    """Either half of the nonce is enough: one changes the key, the other what is done with it."""
    sealed = [content_of(token)[29:] for token in (written(), written(nonce=NONCE[::-1]))]
    halves = [content_of(written(nonce=n))[29:] for n in (bytes(12) + NONCE[12:], NONCE[:12] + bytes(12))]
    everything = [*sealed, *halves]
    assert len({each[:16] for each in everything}) == len(everything)


def test_no_bit_of_it_can_be_changed() -> None:
    content = content_of(written())
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        with pytest.raises(InvalidToken):
            read(rewritten(bytes(changed)))


def test_no_part_of_it_is_enough() -> None:
    token = written()
    for length in range(len(token)):
        with pytest.raises(InvalidToken):
            read(token[:length])


def test_a_token_of_another_issuer_does_not_open() -> None:
    with pytest.raises(InvalidToken):
        read(written(issuer="https://other.example"))


def test_a_token_whose_key_is_gone_or_another_does_not_open() -> None:
    for keys in ({}, {"00c0ffee": KEYS["0badcafe"]}):
        with pytest.raises(InvalidToken):
            read(written(), keys=keys)


def test_it_ends_at_its_second() -> None:
    token = written()
    assert read(token, NOW + timedelta(seconds=899))
    with pytest.raises(InvalidToken):
        read(token, NOW + timedelta(seconds=900))


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token + "=",
        lambda token: token + "A",
        lambda token: token + "é",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token.upper(),
        lambda token: token.replace("ww_at_", "ww_rt_"),
        lambda token: token + "A" * 8192,
        lambda token: "",
        lambda token: PREFIX,
        lambda token: PREFIX + "....",
    ],
)
def test_another_spelling_of_it_is_no_token(change: Any) -> None:
    with pytest.raises(InvalidToken) as refused:
        read(change(written()))
    assert "ww_at" not in refused.value.detail
