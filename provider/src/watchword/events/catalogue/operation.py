"""Keys, workers, the trail itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from watchword.events.catalogue.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMade(Event):
    """A signing key was made: `active` signs at once, `next` is published and will."""

    name: ClassVar[str] = "key.made"
    kid: str
    algorithm: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotated(Event):
    """Another key signs. The one before it was destroyed but for its public part, which stays published for a while."""

    name: ClassVar[str] = "key.rotated"
    kid: str
    algorithm: str
    retiring: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRetired(Event):
    """A key is published no more, for no token lives that it signed."""

    name: ClassVar[str] = "key.retired"
    kid: str
    algorithm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyImported(Event):
    """The operator brought a key from elsewhere: to be the next one, or to verify (`retiring`)."""

    name: ClassVar[str] = "key.imported"
    kid: str
    algorithm: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevoked(Event):
    """The operator revoked a key: nothing it signed is good any more. `successor` signs in its place, if it signed."""

    name: ClassVar[str] = "key.revoked"
    kid: str
    algorithm: str
    successor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStarted(Event):
    """A worker began to serve."""

    name: ClassVar[str] = "startup"
    replica: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStopped(Event):
    """A worker ended in order. One that was killed leaves no such event."""

    name: ClassVar[str] = "shutdown"
    replica: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored(Event):
    """The operator restored a backup: what was issued before is dead."""

    name: ClassVar[str] = "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailVerified(Event):
    """The operator had the audit trail verified."""

    name: ClassVar[str] = "audit.verified"
    events: int
    seals: int
    problems: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsSuppressed(Event):
    """Within a minute a worker saw more refusals than it writes: how many it left out, by name."""

    name: ClassVar[str] = "audit.suppressed"
    counts: Mapping[str, int]
