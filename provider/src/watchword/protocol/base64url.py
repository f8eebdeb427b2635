"""Base64url without padding (RFC 7515 appendix C), written and read in its one canonical form."""

import base64
import binascii
import re

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+\Z")


def encode_segment(data: bytes) -> bytes:
    """Return the base64url of some bytes, as ASCII bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decode_segment(text: str) -> bytes:
    """Decode canonical base64url: no padding, no foreign characters, no stray bits.

    Raises:
        ValueError: anything else.
    """
    if not _SEGMENT.match(text):
        raise ValueError("base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("base64url") from None
    if encode_segment(data) != text.encode("ascii"):
        raise ValueError("base64url is not canonical")
    return data
