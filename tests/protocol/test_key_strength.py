"""Keys that are too weak are refused."""

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from watchword.protocol.key_strength import check_strength


@pytest.mark.parametrize("bits", [2048, 3072])
def test_long_rsa_keys_are_strong_enough(bits: int) -> None:
    check_strength(RSAKey.generate_key(bits))


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_two_curves_are_strong_enough(curve: str) -> None:
    check_strength(ECKey.generate_key(curve))


def test_a_short_rsa_key_is_refused() -> None:
    with pytest.warns(SecurityWarning):
        key = RSAKey.generate_key(1024)
    with pytest.raises(ValueError, match="1024 bits is too weak"):
        check_strength(key)


@pytest.mark.parametrize("curve", ["P-521", "secp256k1"])
def test_another_curve_is_refused(curve: str) -> None:
    with pytest.raises(ValueError, match=f"the curve {curve}"):
        check_strength(ECKey.generate_key(curve))
