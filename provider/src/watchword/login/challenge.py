"""A challenge: an issued prompt for a one-time code, and the ephemeral record it is."""

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from watchword.accounts import Identifier
from watchword.clock import from_microseconds, to_microseconds
from watchword.delivery.message import Channel
from watchword.protocol.base64url import encode_segment
from watchword.protocol.digests import FINGERPRINT_BYTES, join_fields

LONGEST_LIFE = timedelta(minutes=10)
DIGITS = "0123456789"
CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so that no word comes out of them
STRANGERS = "strangers"
GUARDED = "guarded"


@dataclass(frozen=True, slots=True)
class Challenge:
    """One prompt, for one identifier, in one browser, at one client.

    `id` follows from those, so asking again finds it; the seed is new whenever a challenge begins anew. `scope` says
    whose budget its guesses are counted against: strangers', their guarded one, or a remembered device's by its id.
    """

    id: str
    purpose: str
    identifier: Identifier
    client_id: str
    client_name: str
    binding_hash: bytes = field(repr=False)
    seed: bytes = field(repr=False)
    pepper_kid: str
    length: int
    channel: Channel
    locale: str
    created_at: datetime
    sent_at: datetime
    expires_at: datetime
    sends: int = 1
    alphabet: str = DIGITS
    scope: str = STRANGERS

    @property
    def key(self) -> str:
        """Where the ephemeral store keeps it."""
        return challenge_key(self.id)

    @property
    def origin(self) -> bytes:
        """What a row made by spending this challenge carries, so that it cannot be spent twice."""
        return hashlib.sha256(b"challenge" + self.id.encode() + self.seed).digest()[:FINGERPRINT_BYTES]

    @property
    def device(self) -> str | None:
        """The remembered device it was begun on; None for a stranger."""
        return None if self.scope in {STRANGERS, GUARDED} else self.scope

    def resend_at(self, waits: tuple[timedelta, ...], most_sends: int) -> datetime | None:
        """Return when it may be sent again; None when it was sent often enough. The last wait holds for all after."""
        if self.sends >= most_sends:
            return None
        return self.sent_at + waits[min(self.sends, len(waits)) - 1]

    def sent_again(self, now: datetime, lifetime: timedelta) -> "Challenge":
        """Return it with one more send, which lengthens its life."""
        return replace(
            self, sends=self.sends + 1, sent_at=now, expires_at=min(now + lifetime, self.created_at + LONGEST_LIFE)
        )


def challenge_id(*, issuer: str, purpose: str, client_id: str, identifier: Identifier, binding: str) -> str:
    """Name the challenge of an identifier, a client and a browser. 128 bits; the binding makes it unguessable."""
    fields = (issuer, purpose, client_id, identifier.kind, identifier.value, binding)
    digest = hashlib.sha256(join_fields(*map(str.encode, fields))).digest()
    return encode_segment(digest[:16]).decode("ascii")


def challenge_key(challenge_id: str) -> str:
    """Return where the ephemeral store keeps a challenge."""
    return f"challenge:{challenge_id}"


def new_seed() -> bytes:
    """Draw 128 random bits."""
    return secrets.token_bytes(16)


def write_challenge(challenge: Challenge) -> bytes:
    """Write the record."""
    return orjson.dumps(
        {
            "id": challenge.id,
            "purpose": challenge.purpose,
            "identifier": [challenge.identifier.kind, challenge.identifier.value, challenge.identifier.display],
            "client_id": challenge.client_id,
            "client_name": challenge.client_name,
            "binding_hash": challenge.binding_hash.hex(),
            "seed": challenge.seed.hex(),
            "pepper_kid": challenge.pepper_kid,
            "length": challenge.length,
            "channel": challenge.channel.value,
            "locale": challenge.locale,
            "created_at": to_microseconds(challenge.created_at),
            "sent_at": to_microseconds(challenge.sent_at),
            "expires_at": to_microseconds(challenge.expires_at),
            "sends": challenge.sends,
            "alphabet": challenge.alphabet,
            "scope": challenge.scope,
        }
    )


def read_challenge(record: bytes) -> Challenge:
    """Read what `write_challenge` wrote."""
    data: dict[str, Any] = orjson.loads(record)
    data["identifier"] = Identifier(*data["identifier"])
    data["channel"] = Channel(data["channel"])
    for name in ("binding_hash", "seed"):
        data[name] = bytes.fromhex(data[name])
    for name in ("created_at", "sent_at", "expires_at"):
        data[name] = from_microseconds(data[name])
    return Challenge(**data)
