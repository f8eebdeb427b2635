"""What stands in tokens and at /userinfo, to the last member."""

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from tests.protocol.builders import ISSUER, NOW
from watchword.protocol.access_token import access_token_claims
from watchword.protocol.claims import userinfo_claims
from watchword.protocol.id_token import half_hash, id_token_claims
from watchword.protocol.vocabulary import SCOPE_CLAIMS, SigningAlgorithm

ISSUED = int(NOW.timestamp())
SIGNED_IN = NOW - timedelta(minutes=5)


def id_token(**changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "issuer": ISSUER,
        "subject": "sub-1",
        "client_id": "c_rp",
        "session_id": "sid-1",
        "auth_time": SIGNED_IN,
        "amr": ("otp",),
        "nonce": "n",
        "acr": "urn:watchword:otp:email",
        "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        "asked": {},
        "now": NOW,
        "lifetime": timedelta(minutes=15),
    }
    return id_token_claims(**(facts | changes))


def access_token(**changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "issuer": ISSUER,
        "subject": "sub-1",
        "audience": ("https://api.example",),
        "client_id": "c_rp",
        "scope": ("openid", "notes:read"),
        "grant_id": "gid-1",
        "session_id": "sid-1",
        "auth_time": SIGNED_IN,
        "acr": "urn:watchword:otp:email",
        "jti": "j",
        "now": NOW,
        "lifetime": timedelta(minutes=15),
        "epoch": 0,
    }
    return access_token_claims(**(facts | changes))


def test_an_id_token_is_slim() -> None:
    assert id_token() == {
        "iss": ISSUER,
        "sub": "sub-1",
        "aud": "c_rp",
        "exp": ISSUED + 900,
        "iat": ISSUED,
        "auth_time": ISSUED - 300,
        "amr": ["otp"],
        "acr": "urn:watchword:otp:email",
        "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        "sid": "sid-1",
        "nonce": "n",
    }


def test_an_id_token_holds_no_nonce_that_was_not_sent_and_no_session_that_is_not_there() -> None:
    assert id_token().keys() - id_token(nonce=None, session_id=None).keys() == {"nonce", "sid"}


EXAMPLE = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_at_hash_is_the_one_of_the_specifications_own_example(algorithm: SigningAlgorithm) -> None:
    """OpenID Connect Core appendix A.4."""
    assert half_hash(EXAMPLE, algorithm) == "77QmUPtjPfzWtF2AnpK9RQ"


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_at_hash_beside_ed25519_is_half_of_a_sha_512(algorithm: SigningAlgorithm) -> None:
    whole = hashlib.sha512(EXAMPLE.encode()).digest()
    assert half_hash(EXAMPLE, algorithm) == base64.urlsafe_b64encode(whole[:32]).rstrip(b"=").decode()


def test_an_id_token_tells_of_the_account_what_was_asked_for_and_nothing_in_place_of_its_own_claims() -> None:
    asked = {"email": "asha@example.com", "sub": "somebody else", "nonce": "another"}
    assert id_token(asked=asked) == id_token() | {"email": "asha@example.com"}


def test_an_unknown_acr_is_left_out() -> None:
    assert "acr" not in id_token(acr=None).keys() | access_token(acr=None).keys()


def test_an_access_token_says_for_whom_what_and_how_long() -> None:
    assert access_token() == {
        "iss": ISSUER,
        "sub": "sub-1",
        "aud": "https://api.example",
        "client_id": "c_rp",
        "scope": "openid notes:read",
        "exp": ISSUED + 900,
        "iat": ISSUED,
        "jti": "j",
        "gid": "gid-1",
        "sid": "sid-1",
        "auth_time": ISSUED - 300,
        "acr": "urn:watchword:otp:email",
    }


def test_two_audiences_stand_as_a_list() -> None:
    assert access_token(audience=("https://a", "https://b"))["aud"] == ["https://a", "https://b"]


def test_a_machines_token_has_no_person_no_grant_and_no_session() -> None:
    claims = access_token(grant_id=None, session_id=None, auth_time=None, acr=None, scope=())
    assert claims.keys() == {"iss", "sub", "aud", "client_id", "exp", "iat", "jti"}


def test_after_a_restore_an_access_token_says_from_which_epoch_it_is() -> None:
    assert access_token(epoch=2) == access_token() | {"epoch": 2}


KNOWN: dict[str, Any] = {
    "name": "Asha Rao",
    "email": "asha@example.com",
    "email_verified": True,
    "phone_number": "+919812345678",
    "phone_number_verified": False,
    "address": {},
    "nickname": "",
    "picture": None,
    "updated_at": 0,
    "internal": "hidden",
}


@pytest.mark.parametrize(
    ("scopes", "names"),
    [
        ("openid", {"sub"}),
        ("openid email", {"sub", "email", "email_verified"}),
        ("openid phone", {"sub", "phone_number", "phone_number_verified"}),
        ("openid profile", {"sub", "name", "updated_at"}),
        ("openid address offline_access notes:read", {"sub"}),
    ],
)
def test_scopes_show_their_claims_and_what_is_unknown_is_absent(scopes: str, names: set[str]) -> None:
    answer = userinfo_claims(subject="sub-1", scopes=scopes.split(), known=KNOWN)
    assert answer.keys() == names
    assert all(value not in (None, "", {}) for value in answer.values())


def test_a_claim_that_was_asked_for_by_itself_is_shown_beside_those_of_the_scopes() -> None:
    answer = userinfo_claims(subject="s", scopes=["openid", "phone"], asked=["name", "picture"], known=KNOWN)
    assert answer.keys() == {"sub", "phone_number", "phone_number_verified", "name"}


def test_what_is_no_standard_claim_is_never_shown_whoever_asks() -> None:
    known = KNOWN | {"sub": "x"}
    assert userinfo_claims(subject="s", scopes=[], asked=["internal", "sub"], known=known) == {"sub": "s"}


def test_nothing_known_can_change_the_subject() -> None:
    assert userinfo_claims(subject="sub-1", scopes=["openid"], known={"sub": "sub-2"}) == {"sub": "sub-1"}


def test_profile_holds_the_fourteen_claims_of_the_specification() -> None:
    assert len(SCOPE_CLAIMS["profile"]) == 14
    answer = userinfo_claims(subject="s", scopes=["profile"], known=dict.fromkeys(SCOPE_CLAIMS["profile"], "x"))
    assert len(answer) == 15
