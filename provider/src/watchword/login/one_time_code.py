"""The one-time code: derived when it is sent and when it is checked, stored nowhere.

HMAC-SHA-256 under the pepper, over everything the code belongs to. The seed lives only in the challenge, the pepper
only outside both stores: no store, queue, log or backup alone gives a code, or something to try offline. Channel and
number of the send are not part of it, so a resend and another channel carry the same live code.
"""

import hashlib
import hmac
import re

from watchword.login.challenge import Challenge
from watchword.protocol.digests import join_fields

_VERSION = b"watchword one-time code 1"
_DIGITS = b"0123456789"
_LONGEST = 64  # characters; what a paste with its blanks may have
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015]")


def derive_one_time_code(pepper: bytes, challenge: Challenge, *, issuer: str) -> str:
    """Return the code of a challenge: `challenge.length` decimal digits."""
    message = join_fields(
        _VERSION,
        issuer.encode(),
        challenge.purpose.encode(),
        challenge.id.encode(),
        challenge.seed,
        challenge.identifier.value.encode(),
        challenge.client_id.encode(),
        challenge.binding_hash,
        _DIGITS,
        str(challenge.length).encode(),
    )
    number = int.from_bytes(hmac.digest(pepper, message, hashlib.sha256)[:16], "big")
    return str(number % 10**challenge.length).zfill(challenge.length)


def tidy(typed: str, length: int) -> str | None:
    """Return the digits a person typed, without spaces and dashes; None when they cannot be a code.

    ASCII digits only: a code has one spelling.
    """
    if len(typed) > _LONGEST:
        return None
    digits = _SEPARATORS.sub("", typed)
    return digits if len(digits) == length and digits.isascii() and digits.isdigit() else None


def is_right(expected: str, typed: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(expected.encode(), typed.encode())
