"""Keys: the roots derived from the operator's secret, and the keyring that signs tokens."""

from watchword.keys.keyring import Keyring, WeakKey, load_keyring, make_first_keys, reseal_keys
from watchword.keys.roots import Root, Roots, UndecipherableKey
from watchword.keys.secret_key import load_roots, resolve_secret_key

__all__ = [
    "Keyring",
    "Root",
    "Roots",
    "UndecipherableKey",
    "WeakKey",
    "load_keyring",
    "load_roots",
    "make_first_keys",
    "reseal_keys",
    "resolve_secret_key",
]
