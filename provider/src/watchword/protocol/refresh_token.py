"""Refresh tokens as generations of a family: their format, and what the presentation of one means.

A token names its family and its generation and carries a tag that only the provider can make; the store keeps one row a
family. Possible because of that: any number of parallel refreshes give the same successor, a lost answer signs nobody
out, and an old copy is recognised for ever.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from watchword.protocol.base64url import encode_segment
from watchword.protocol.digests import join_fields

VERSION = "wr1"
PUBLIC_GRACE = timedelta(seconds=30)
_FORM = re.compile(
    VERSION + r"\.([A-Za-z0-9_-]{1,43})\.([0-9a-f]{32})\.([1-9][0-9]{0,15}|0)\.([A-Za-z0-9_-]{43})\Z", re.ASCII
)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a refresh token says. Only `is_genuine` tells whether we wrote it."""

    mac_kid: str
    family_id: UUID
    generation: int
    tag: str = field(repr=False)


def read_refresh_token(text: str) -> RefreshToken | None:
    """Read a refresh token; None when it does not have our form."""
    match = _FORM.match(text)
    if match is None:
        return None
    return RefreshToken(match[1], UUID(match[2]), int(match[3]), match[4])


def write_refresh_token(
    mac_key: bytes, *, issuer: str, mac_kid: str, family_id: UUID, generation: int, family_secret: bytes, epoch: int
) -> str:
    """Write the token of one generation. The restore epoch makes tokens from before a restore worthless."""
    message = join_fields(
        b"watchword refresh token",
        issuer.encode(),
        mac_kid.encode(),
        family_id.bytes,
        str(generation).encode(),
        family_secret,
        str(epoch).encode(),
    )
    tag = encode_segment(hmac.digest(mac_key, message, hashlib.sha256)).decode("ascii")
    return f"{VERSION}.{mac_kid}.{family_id.hex}.{generation}.{tag}"


def is_genuine(presented: str, expected: str) -> bool:
    """Compare two tokens in constant time."""
    return hmac.compare_digest(presented.encode(), expected.encode())


class Presentation(Enum):
    """What presenting a genuine token means."""

    ROTATE = auto()  # the current generation: the family moves on
    REPEAT = auto()  # the one before, within its grace: the same successor once more
    REPLAY = auto()  # an older copy: the family is over
    LOST_COMMIT = auto()  # newer than the row, whose commit was lost: counts as current


def judge_presentation(
    presented: int, *, current: int, rotated_at: datetime, bound: bool, now: datetime
) -> Presentation:
    """Judge a genuine token by its generation.

    `bound` says that the client authenticated or proved its key: then the previous generation stays good until its
    successor is presented, for nobody else could use it. A public bearer client has 30 seconds.
    """
    if presented == current:
        return Presentation.ROTATE
    if presented > current:
        return Presentation.LOST_COMMIT
    if presented == current - 1 and (bound or now - rotated_at <= PUBLIC_GRACE):
        return Presentation.REPEAT
    return Presentation.REPLAY
