"""Challenges for tests that need no provider."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from watchword.accounts import Identifier
from watchword.delivery.message import Channel
from watchword.login.challenge import Challenge

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
PEPPER = bytes(range(32))
ISSUER = "https://id.example.com"
ASHA = Identifier("email", "asha@example.com", "Asha@example.com")


def challenge(**changes: Any) -> Challenge:
    """A challenge as it stands after its first send."""
    plain = Challenge(
        id="c2VwdGVtYmVyLW1vcm5pbmc",
        purpose="login",
        identifier=ASHA,
        client_id="c_notes",
        client_name="Notes",
        binding_hash=b"b" * 32,
        seed=b"s" * 16,
        pepper_kid="p1",
        length=6,
        channel=Channel.EMAIL,
        locale="en",
        created_at=NOW,
        sent_at=NOW,
        expires_at=NOW + timedelta(seconds=300),
    )
    return replace(plain, **changes)
