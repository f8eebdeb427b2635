"""Tokens that were verified before: what need not be done again, and what is done each time."""

from datetime import timedelta

import pytest
from joserfc.jwk import ECKey

from tests.protocol.builders import ISSUER, NOW
from watchword.protocol.errors import InvalidToken
from watchword.protocol.jwt import SeenTokens, SigningKey, VerifiedToken, verify_token

EXPIRES = int((NOW + timedelta(minutes=5)).timestamp())


def fresh_key() -> SigningKey:
    return SigningKey("ec-1", "ES256", ECKey.generate_key("P-256"))


def a_token(key: SigningKey, number: int = 0, typ: str = "at+jwt") -> str:
    return key.sign({"iss": ISSUER, "sub": str(number), "exp": EXPIRES}, typ=typ)


def verify(
    token: str, key: SigningKey, seen: SeenTokens, *, typ: str = "at+jwt", issuer: str = ISSUER, late: int = 0
) -> VerifiedToken:
    now = NOW + timedelta(seconds=late)
    return verify_token(token, {key.kid: key}, expected_issuer=issuer, expected_type=typ, now=now, seen=seen)


def test_a_signature_is_verified_once() -> None:
    key, seen = fresh_key(), SeenTokens()
    token = a_token(key)
    first = verify(token, key, seen)
    assert verify(token, key, seen) == first
    assert key.verifications == 1


def test_expiry_and_issuer_are_checked_each_time() -> None:
    key, seen = fresh_key(), SeenTokens()
    token = a_token(key)
    verify(token, key, seen, late=299)
    with pytest.raises(InvalidToken):
        verify(token, key, seen, late=300)
    with pytest.raises(InvalidToken):
        verify(token, key, seen, issuer="https://other.example")


def test_a_token_seen_as_one_type_is_no_other_type() -> None:
    key, seen = fresh_key(), SeenTokens()
    id_token = a_token(key, typ="JWT")
    verify(id_token, key, seen, typ="JWT")
    with pytest.raises(InvalidToken):
        verify(id_token, key, seen)


def test_a_token_is_forgotten_with_its_key() -> None:
    key, seen = fresh_key(), SeenTokens()
    token = a_token(key)
    verify(token, key, seen)
    with pytest.raises(InvalidToken):
        verify(token, fresh_key(), seen)  # another key of the same name
    with pytest.raises(InvalidToken):
        verify_token(token, {}, expected_issuer=ISSUER, expected_type="at+jwt", now=NOW, seen=seen)


def test_what_does_not_verify_is_not_remembered() -> None:
    key, seen = fresh_key(), SeenTokens()
    token = a_token(key)
    bent = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
    for _ in range(2):
        with pytest.raises(InvalidToken):
            verify(bent, key, seen)
    assert key.verifications == 2


def test_the_least_recently_used_is_forgotten_first() -> None:
    key, seen = fresh_key(), SeenTokens(most=2)
    first, second, third = (a_token(key, number) for number in range(3))
    for token in (first, second, first, third):
        verify(token, key, seen)
    assert key.verifications == 3
    verify(first, key, seen)
    assert key.verifications == 3
    verify(second, key, seen)
    assert key.verifications == 4
