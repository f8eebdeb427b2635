"""What every event tells."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, and about whom.

    `bounded`: anybody can provoke it as often as they like, so that only so many a second are written.
    """

    name: ClassVar[str]
    bounded: ClassVar[bool] = False

    account_id: UUID | None = None
    client_id: str | None = None
    session_id: UUID | None = None
