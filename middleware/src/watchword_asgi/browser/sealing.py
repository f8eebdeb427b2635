"""Sealed texts: encrypted and authenticated, so that a browser can keep them for us."""

import base64
import binascii
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SHORTEST_KEY = 32  # characters or bytes
_FEWEST_DIFFERENT = 8
_NONCE_BYTES = 12


def check_key(key: str | bytes) -> bytes:
    """Return the key as bytes, or raise ValueError: shorter than 32, or a handful of characters repeated."""
    material = key.encode("utf-8") if isinstance(key, str) else key
    if len(key) < _SHORTEST_KEY or len(set(material)) < _FEWEST_DIFFERENT:
        raise ValueError("cookie_keys: each key must be at least 32 random characters (try `openssl rand -base64 32`)")
    return material


class Sealer:
    """AES-256-GCM under keys derived by HKDF. Seals with the first key, opens with any, so keys can be rotated."""

    def __init__(self, keys: Sequence[str | bytes]) -> None:
        if isinstance(keys, str | bytes) or not keys:
            raise ValueError("cookie_keys must be a list with at least one key, the newest first")
        self._ciphers = [AESGCM(_derive(check_key(key))) for key in keys]

    def seal(self, value: bytes, *, purpose: str) -> str:
        """Seal the value for a purpose; it opens for no other one."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._ciphers[0].encrypt(nonce, value, purpose.encode("utf-8"))
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def open(self, text: str, *, purpose: str) -> bytes | None:
        """The value, or None when the text was not sealed by one of the keys for this purpose."""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) & 3), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        if len(rest) < 16:
            return None
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(nonce, rest, purpose.encode("utf-8"))
            except InvalidTag:
                continue
        return None


def _derive(material: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=b"watchword-asgi cookies, version 1").derive(material)
