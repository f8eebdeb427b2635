"""Which keys are strong enough, our own as well as those of clients."""

from typing import Final

from joserfc.jwk import ECKey, OKPKey, RSAKey

LEAST_RSA_BITS: Final = 2048
CURVES: Final = frozenset({"P-256", "P-384", "Ed25519"})


def check_strength(key: RSAKey | ECKey | OKPKey) -> None:
    """Refuse a key that is too weak: RSA below 2048 bits (NIST SP 800-131A), curves but P-256, P-384 and Ed25519.

    Raises:
        ValueError: saying what the key is and what it should be.
    """
    if isinstance(key, RSAKey):
        if key.raw_value.key_size < LEAST_RSA_BITS:
            raise ValueError(f"RSA with {key.raw_value.key_size} bits is too weak, it takes {LEAST_RSA_BITS}")
    elif key.curve_name not in CURVES:
        raise ValueError(f"the curve {key.curve_name} is none of {', '.join(sorted(CURVES))}")
