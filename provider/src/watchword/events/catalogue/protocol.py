"""Authorizations and tokens."""

from dataclasses import dataclass
from typing import ClassVar

from watchword.events.catalogue.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationDenied(Event):
    """An authorization request was answered with an error."""

    name: ClassVar[str] = "authz.denied"
    bounded: ClassVar[bool] = True
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationInvalid(Event):
    """An authorization or logout request showed a page: its client or redirect URI cannot be trusted."""

    name: ClassVar[str] = "authz.invalid"
    bounded: ClassVar[bool] = True
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCodeIssued(Event):
    """A client got an authorization code."""

    name: ClassVar[str] = "code.issued"
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCodeReplayed(Event):
    """An authorization code was presented again. `revoked` says whether its grant is over."""

    name: ClassVar[str] = "code.replayed"
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssued(Event):
    """A client got tokens."""

    name: ClassVar[str] = "token.issued"
    grant_type: str
    scope: str
    grant_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRepeated(Event):
    """The generation before the current one was presented within its grace and got the same successor."""

    name: ClassVar[str] = "refresh.repeated"
    grant_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshReplayed(Event):
    """An old refresh token was presented; the whole family is over."""

    name: ClassVar[str] = "refresh.reused"
    grant_id: str
    generations_behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshAhead(Event):
    """A genuine refresh token is newer than its row: a commit was lost, by a crash or a restore."""

    name: ClassVar[str] = "refresh.ahead"
    grant_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefused(Event):
    """The token endpoint refused a request."""

    name: ClassVar[str] = "token.refused"
    bounded: ClassVar[bool] = True
    error: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntrospectionDenied(Event):
    """A client asked about a genuine token that is not its business, and was told that it is not active."""

    name: ClassVar[str] = "token.introspection_denied"
    bounded: ClassVar[bool] = True
    issued_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked(Event):
    """A client gave back one of its tokens: an access token alone, or a refresh token and with it its grant."""

    name: ClassVar[str] = "token.revoked"
    token_type: str
    grant_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationDenied(Event):
    """A client wanted to revoke a genuine token that is another client's; nothing happened."""

    name: ClassVar[str] = "token.revocation_denied"
    bounded: ClassVar[bool] = True
    issued_to: str
