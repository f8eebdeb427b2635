"""Keys: the roots derived from the operator's secret, and the keyring that signs tokens and rotates."""

from watchword.keys.current import CurrentKeys
from watchword.keys.keyring import Keyring, WeakKey, load_keyring
from watchword.keys.making import make_first_keys
from watchword.keys.resealing import reseal_keys
from watchword.keys.roots import Root, Roots, UndecipherableKey
from watchword.keys.secret_key import load_roots, resolve_secret_key

__all__ = [
    "CurrentKeys",
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
