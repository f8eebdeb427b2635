"""Proof Key for Code Exchange, S256 only (RFC 7636)."""

import hashlib
import re

from watchword.protocol.base64url import encode_segment

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")


def is_code_challenge(text: str) -> bool:
    """Say whether `text` can be an S256 `code_challenge`: 43 characters (RFC 7636 section 4.2)."""
    return _CHALLENGE.match(text) is not None


def s256(code_verifier: str) -> str | None:
    """Return the `code_challenge` of a verifier, or None when it is not one (RFC 7636 section 4.1)."""
    if not _VERIFIER.match(code_verifier):
        return None
    return encode_segment(hashlib.sha256(code_verifier.encode("ascii")).digest()).decode("ascii")
