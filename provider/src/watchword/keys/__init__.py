"""Keys: the roots derived from the operator's secret, and the keyring that signs tokens."""

from watchword.keys.keyring import Keyring, load_keyring, make_first_keys, reseal_keys
from watchword.keys.roots import Root, Roots, UndecipherableKey, fingerprint

__all__ = [
    "Keyring",
    "Root",
    "Roots",
    "UndecipherableKey",
    "fingerprint",
    "load_keyring",
    "make_first_keys",
    "reseal_keys",
]
