"""The secrets everything else hangs on, derived from the operator's secret key: one key per use (HKDF, RFC 5869)."""

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
_FORMAT = b"\x01"


class UndecipherableKey(Exception):
    """A stored secret does not open under the secret key: it is another key's, or was tampered with."""


@dataclass(frozen=True, slots=True)
class Root:
    """The keys derived from one secret key. `kid` names it without telling it."""

    kid: str
    key_encryption: bytes = field(repr=False)
    pepper: bytes = field(repr=False)
    forms: bytes = field(repr=False)

    @classmethod
    def derive(cls, secret_key: str) -> "Root":
        """Derive every key of one secret key."""
        material = secret_key.encode()
        return cls(
            kid=_derive(material, b"watchword/kid/v1")[:4].hex(),
            key_encryption=_derive(material, b"watchword/key-encryption/v1"),
            pepper=_derive(material, b"watchword/one-time-code/v1"),
            forms=_derive(material, b"watchword/forms/v1"),
        )


@dataclass(frozen=True, slots=True)
class Roots:
    """The current root and, while the secret key rotates, the one before it."""

    current: Root
    previous: Root | None = None

    @classmethod
    def derive(cls, secret_key: str, previous: str | None) -> "Roots":
        """Derive from the settings."""
        return cls(Root.derive(secret_key), Root.derive(previous) if previous else None)

    def by_kid(self, kid: str) -> Root | None:
        """Return the root of a kid."""
        return next((root for root in (self.current, self.previous) if root is not None and root.kid == kid), None)

    def encrypt(self, plain: bytes, *, place: str) -> bytes:
        """Encrypt a secret for one place (table, column, row); elsewhere it does not open. AES-256-GCM."""
        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self.current.key_encryption).encrypt(nonce, plain, place.encode())
        return _FORMAT + bytes.fromhex(self.current.kid) + nonce + sealed

    def decrypt(self, stored: bytes, *, place: str) -> bytes:
        """Open what `encrypt` made for the same place.

        Raises:
            UndecipherableKey: another secret key, another place, or other bytes.
        """
        kid, nonce, sealed = stored[1:5].hex(), stored[5 : 5 + _NONCE], stored[5 + _NONCE :]
        root = self.by_kid(kid)
        if root is None or stored[:1] != _FORMAT:
            raise UndecipherableKey(f"the secret of {place} was sealed under another secret key")
        try:
            return AESGCM(root.key_encryption).decrypt(nonce, sealed, place.encode())
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise UndecipherableKey(f"the secret of {place} is damaged") from None

    def reseal(self, stored: bytes, *, place: str) -> bytes:
        """Return `stored` as it is if it opens under the current root, and sealed anew if only the previous opens it.

        Raises:
            UndecipherableKey: as `decrypt`.
        """
        plain = self.decrypt(stored, place=place)
        return stored if stored[1:5].hex() == self.current.kid else self.encrypt(plain, place=place)


def _derive(material: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(material)
