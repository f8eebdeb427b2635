"""Clients, how they register, and protected resources."""

from dataclasses import dataclass
from typing import ClassVar

from watchword.events.catalogue.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAuthenticationFailed(Event):
    """A client did not authenticate."""

    name: ClassVar[str] = "client.auth_failed"
    bounded: ClassVar[bool] = True
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCreated(Event):
    """A client was registered: by the operator, by a token, or by itself. `registration` is the id of that token."""

    name: ClassVar[str] = "client.created"
    registered_by: str
    registration: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientChanged(Event):
    """A client's metadata was replaced, by the operator or by itself."""

    name: ClassVar[str] = "client.changed"
    changed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRegistrationRefused(Event):
    """A client was not registered, changed or shown to itself. `reason` is the error's code."""

    name: ClassVar[str] = "client.registration_refused"
    bounded: ClassVar[bool] = True
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecretRotated(Event):
    """The operator gave a client a new secret; the one before it works for `overlap` seconds more."""

    name: ClassVar[str] = "client.secret_rotated"
    overlap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRemoved(Event):
    """A client was taken out of use, by the operator or by itself."""

    name: ClassVar[str] = "client.removed"
    removed_by: str = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationAllowed(Event):
    """The operator made an initial access token, which so many clients may be registered with."""

    name: ClassVar[str] = "registration.allowed"
    registration: str
    uses: int
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationWithdrawn(Event):
    """The operator removed an initial access token."""

    name: ClassVar[str] = "registration.withdrawn"
    registration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRegistered(Event):
    """The operator registered or changed a protected resource."""

    name: ClassVar[str] = "resource.registered"
    audience: str
