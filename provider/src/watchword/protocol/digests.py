"""What is hashed, and how: a random secret before it is kept, several fields before one MAC or digest covers them."""

import hashlib


def fingerprint(secret: str) -> bytes:
    """Return the SHA-256 of a random secret of ours: how codes, cookies and client secrets are kept.

    A plain hash is enough for 256 random bits; it would not be for what a person chose.
    """
    return hashlib.sha256(secret.encode()).digest()


def join_fields(*fields: bytes) -> bytes:
    """Join fields with each one's length in front, so that no other list of fields gives the same bytes."""
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)
