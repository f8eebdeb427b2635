"""Keys of clients: a weak, private or symmetric one never becomes a client's."""

import warnings
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from watchword.protocol.errors import InvalidClientMetadata
from watchword.protocol.key_strength import check_strength
from watchword.protocol.registration import client_metadata, parse_client_metadata

DOCUMENT = {"redirect_uris": ["https://app.example.com/callback"], "token_endpoint_auth_method": "private_key_jwt"}


def _short_rsa() -> RSAKey:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RSAKey.generate_key(1024)


WEAK: dict[str, Any] = {"RSA with 1024 bits": _short_rsa(), "another curve": ECKey.generate_key("secp256k1")}
STRONG: dict[str, Any] = {
    "RSA": RSAKey.generate_key(2048),
    "P-256": ECKey.generate_key("P-256"),
    "Ed25519": OKPKey.generate_key("Ed25519"),
}


@pytest.mark.parametrize("key", WEAK.values(), ids=WEAK.keys())
@pytest.mark.parametrize("private", [True, False])
def test_a_weak_key_never_becomes_a_clients(key: RSAKey | ECKey, private: bool) -> None:
    with pytest.raises(InvalidClientMetadata, match="jwks"):
        parse_client_metadata(
            DOCUMENT | {"jwks": {"keys": [key.as_dict(private=private)]}}, client_id="c", trusted=True
        )


@pytest.mark.parametrize("key", STRONG.values(), ids=STRONG.keys())
def test_a_strong_public_key_becomes_a_clients_and_its_private_half_does_not(key: RSAKey | ECKey | OKPKey) -> None:
    public = {"keys": [key.as_dict(private=False)]}
    client = parse_client_metadata(DOCUMENT | {"jwks": public}, client_id="c", trusted=False)
    assert client_metadata(client)["jwks"] == public
    private = {"keys": [key.as_dict(private=True)]}
    with pytest.raises(InvalidClientMetadata, match="private or symmetric"):
        parse_client_metadata(DOCUMENT | {"jwks": private}, client_id="c", trusted=True)


@pytest.mark.parametrize(
    "key", [{"kty": "EC", "crv": "P-256", "x": 'a"\\', "y": "\u2603"}, {"kty": "RSA", "n": [], "e": '"'}, {}]
)
def test_what_is_wrong_with_a_key_is_told_in_characters_that_may_be_sent(key: dict[str, Any]) -> None:
    with pytest.raises(InvalidClientMetadata) as refused:
        parse_client_metadata(DOCUMENT | {"jwks": {"keys": [key]}}, client_id="c", trusted=True)
    description = refused.value.description
    assert description.isascii()
    assert description.isprintable()
    assert not set(description) & set('"\\')


@pytest.mark.parametrize("method", ["client_secret_jwt", "tls_client_auth", "self_signed_tls_client_auth"])
def test_a_way_to_authenticate_that_we_do_not_know_is_refused(method: str) -> None:
    with pytest.raises(InvalidClientMetadata):
        parse_client_metadata(DOCUMENT | {"token_endpoint_auth_method": method}, client_id="c", trusted=True)


@pytest.mark.parametrize("key", WEAK.values(), ids=WEAK.keys())
def test_the_rule_that_judges_them_refuses_what_is_weak(key: RSAKey | ECKey) -> None:
    with pytest.raises(ValueError, match=r"is too weak|is none of"):
        check_strength(key)
