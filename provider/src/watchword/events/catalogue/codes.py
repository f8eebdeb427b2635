"""One-time codes, and the limits on them."""

from dataclasses import dataclass
from typing import ClassVar

from watchword.events.catalogue.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRequested(Event):
    """A one-time code was asked for and will be sent."""

    name: ClassVar[str] = "otp.requested"
    channel: str
    identifier: str
    send: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRefused(Event):
    """A one-time code was asked for and not sent: a cool-down, a lock, an identifier that cannot be used."""

    name: ClassVar[str] = "otp.refused"
    bounded: ClassVar[bool] = True
    reason: str
    identifier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSent(Event):
    """A gateway took a message with a code."""

    name: ClassVar[str] = "otp.sent"
    channel: str
    gateway: str
    identifier: str
    delivery: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeNotSent(Event):
    """A gateway refused a message or did not answer."""

    name: ClassVar[str] = "otp.send_failed"
    channel: str
    gateway: str = ""
    failure: str
    attempt: int
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeVerified(Event):
    """A right code was typed."""

    name: ClassVar[str] = "otp.verified"
    channel: str
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFailed(Event):
    """A wrong code was typed."""

    name: ClassVar[str] = "otp.failed"
    identifier: str
    guesses_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeExhausted(Event):
    """The last guess was spent; the challenge is over."""

    name: ClassVar[str] = "otp.exhausted"
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeExpired(Event):
    """A code was typed for a challenge that is expired, spent or another browser's."""

    name: ClassVar[str] = "otp.expired"
    bounded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitExceeded(Event):
    """A guess was refused before it was compared. `limit` names the setting, `scope` what is counted."""

    name: ClassVar[str] = "limit.exceeded"
    bounded: ClassVar[bool] = True
    limit: str
    scope: str
    identifier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackModeOn(Event):
    """Wrong codes over all accounts are far above what is usual: browsers that nobody knows get longer codes."""

    name: ClassVar[str] = "attack_mode.on"
    failures: int
    threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackModeOff(Event):
    """Wrong codes are as usual again."""

    name: ClassVar[str] = "attack_mode.off"
