"""The one-time code: derived when it is sent and when it is checked, stored nowhere.

HMAC-SHA-256 under the pepper, over everything the code belongs to. The seed lives only in the challenge, the pepper
only outside both stores: no store, queue, log or backup alone gives a code, or something to try offline. Channel and
number of the send are not part of it, so a resend and another channel carry the same live code.
"""

import hmac
import re

from watchword.login.challenge import DIGITS, Challenge
from watchword.protocol.digests import join_fields, mac

_VERSION = b"watchword one-time code 1"
_LONGEST = 64  # characters; what a paste with its blanks may have
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015]")


def derive_one_time_code(pepper: bytes, challenge: Challenge, *, issuer: str) -> str:
    """Return the code of a challenge: `challenge.length` characters of `challenge.alphabet`."""
    message = join_fields(
        _VERSION,
        issuer.encode(),
        challenge.purpose.encode(),
        challenge.id.encode(),
        challenge.seed,
        challenge.identifier.value.encode(),
        challenge.client_id.encode(),
        challenge.binding_hash,
        challenge.alphabet.encode(),
        str(challenge.length).encode(),
    )
    number = int.from_bytes(mac(pepper, message)[:16], "big")
    return _spell(number, challenge.alphabet, challenge.length)


def _spell(number: int, alphabet: str, length: int) -> str:
    """Write the last `length` places of a number whose digits are the letters of `alphabet`."""
    places: list[str] = []
    for _ in range(length):
        number, place = divmod(number, len(alphabet))
        places.append(alphabet[place])
    return "".join(reversed(places))


def tidy(typed: str, length: int, alphabet: str = DIGITS) -> str | None:
    """Return the code a person typed, without spaces and dashes; None when it cannot be one.

    ASCII only, for a code has one spelling; but letters may be small.
    """
    if len(typed) > _LONGEST:
        return None
    code = _SEPARATORS.sub("", typed)
    if len(code) != length or not code.isascii():
        return None
    return code.upper() if set(code.upper()) <= set(alphabet) else None


def is_right(expected: str, typed: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(expected.encode(), typed.encode())
