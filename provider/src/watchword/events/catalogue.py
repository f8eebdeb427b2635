"""Every event that can be recorded: a closed list. A name is never used for something else once it was released.

No field can hold a code, a token or a whole identifier: identifiers arrive masked.
"""

from collections.abc import Mapping
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
class SignInDenied(Event):
    """Somebody proved an identifier of an account that may not sign in."""

    name: ClassVar[str] = "session.denied"
    reason: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitExceeded(Event):
    """A guess was refused before it was compared. `limit` names the setting, `scope` what is counted."""

    name: ClassVar[str] = "limit.exceeded"
    bounded: ClassVar[bool] = True
    limit: str
    scope: str
    identifier: str = ""


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
class AttackModeOn(Event):
    """Wrong codes over all accounts are far above what is usual: browsers that nobody knows get longer codes."""

    name: ClassVar[str] = "attack_mode.on"
    failures: int
    threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackModeOff(Event):
    """Wrong codes are as usual again."""

    name: ClassVar[str] = "attack_mode.off"


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


def catalogue() -> tuple[type[Event], ...]:
    """Return every event, by name."""
    # A slotted dataclass is a second class beside the one that was written; whichever is in this module counts.
    own = (thing for thing in globals().values() if isinstance(thing, type) and issubclass(thing, Event))
    return tuple(sorted((event for event in own if event is not Event), key=lambda event: event.name))
