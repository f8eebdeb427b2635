"""Accounts, their browsers, sessions and consents."""

from dataclasses import dataclass
from typing import ClassVar

from watchword.events.catalogue.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCreated(Event):
    """An account was made on the first proof of an identifier, or by the operator."""

    name: ClassVar[str] = "user.created"
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatusChanged(Event):
    """The operator disabled or enabled an account."""

    name: ClassVar[str] = "user.status_changed"
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRemembered(Event):
    """A browser signed in with an account for the first time, or again after it was forgotten."""

    name: ClassVar[str] = "device.remembered"
    device_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesForgotten(Event):
    """The operator had an account forget its browsers: all of them are strangers again."""

    name: ClassVar[str] = "device.forgotten"
    devices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInDenied(Event):
    """Somebody proved an identifier of an account that may not sign in."""

    name: ClassVar[str] = "session.denied"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCreated(Event):
    """A browser signed in."""

    name: ClassVar[str] = "session.created"
    amr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRenewed(Event):
    """A browser signed in again with the account of its session, which goes on under a new secret."""

    name: ClassVar[str] = "session.renewed"
    amr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """A session is over, and the grants that hung on it."""

    name: ClassVar[str] = "session.ended"
    reason: str
    grants: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutTold(Event):
    """A client took the news over the back channel that a session is over."""

    name: ClassVar[str] = "logout.told"
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutNotTold(Event):
    """A client did not take the news that a session is over. `final`: it is given up."""

    name: ClassVar[str] = "logout.tell_failed"
    failure: str
    attempt: int
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGranted(Event):
    """A person said yes to a client."""

    name: ClassVar[str] = "consent.granted"
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawn(Event):
    """A person took back what a client was allowed; the client's grants are over with it."""

    name: ClassVar[str] = "consent.withdrawn"
    grants: int
