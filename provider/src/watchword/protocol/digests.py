"""What is hashed, and how: a random secret before it is kept, several fields before one MAC or digest covers them."""

import hashlib
from functools import lru_cache

FINGERPRINT_BYTES = 16
"""128 bits: as hard to find another secret for as a key of that length, and nobody gains from two of ours alike."""

_BLOCK = 64  # bytes that SHA-256 takes at a time


def fingerprint(secret: str) -> bytes:
    """Return the first half of the SHA-256 of a random secret of ours: how codes, cookies and client secrets are kept.

    A plain hash is enough for 256 random bits; it would not be for what a person chose.
    """
    return hashlib.sha256(secret.encode()).digest()[:FINGERPRINT_BYTES]


def join_fields(*fields: bytes) -> bytes:
    """Join fields with each one's length in front, so that no other list of fields gives the same bytes."""
    return b"".join([len(field).to_bytes(4, "big") + field for field in fields])


def mac(secret: bytes, message: bytes) -> bytes:
    """Return HMAC-SHA-256 (RFC 2104) under a secret of at most 64 bytes.

    The two states that follow from the secret are kept, so that a message costs two hashes and no preparation: a third
    of what `hmac.digest` takes.
    """
    prepared = _keyed(secret)
    inner, outer = prepared[0].copy(), prepared[1].copy()
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()


@lru_cache(maxsize=64)
def _keyed(secret: bytes) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    if len(secret) > _BLOCK:
        raise ValueError("the secret is longer than a block")
    block = secret.ljust(_BLOCK, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
