"""Keys of clients: none is taken yet, so none can be weak, and no protection is promised that would need one."""

import json
import warnings
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from watchword.protocol.errors import InvalidClientMetadata
from watchword.protocol.key_strength import check_strength
from watchword.protocol.registration import client_metadata, parse_client_metadata

REDIRECT = {"redirect_uris": ["https://app.example.com/callback"]}


def _short_rsa() -> RSAKey:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RSAKey.generate_key(1024)


WEAK: dict[str, Any] = {"RSA with 1024 bits": _short_rsa(), "another curve": ECKey.generate_key("secp256k1")}


@pytest.mark.parametrize("key", WEAK.values(), ids=WEAK.keys())
@pytest.mark.parametrize("private", [True, False])
def test_a_weak_key_never_becomes_a_clients(key: RSAKey | ECKey, private: bool) -> None:
    document = REDIRECT | {"jwks": {"keys": [key.as_dict(private=private)]}}
    try:
        client = parse_client_metadata(document, client_id="c", trusted=True)
    except InvalidClientMetadata:
        return
    assert "jwks" not in json.dumps(client_metadata(client))
    assert str(key.as_dict(private=False).get("n") or key.as_dict(private=False)["x"]) not in repr(client)


@pytest.mark.parametrize(
    "method", ["private_key_jwt", "client_secret_jwt", "tls_client_auth", "self_signed_tls_client_auth"]
)
def test_a_way_to_authenticate_that_would_need_a_key_is_refused(method: str) -> None:
    with pytest.raises(InvalidClientMetadata):
        parse_client_metadata(REDIRECT | {"token_endpoint_auth_method": method}, client_id="c", trusted=True)


@pytest.mark.parametrize("key", WEAK.values(), ids=WEAK.keys())
def test_the_rule_that_will_judge_them_refuses_what_is_weak(key: RSAKey | ECKey) -> None:
    with pytest.raises(ValueError, match=r"is too weak|is none of"):
        check_strength(key)
