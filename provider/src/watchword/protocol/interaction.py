"""What a person must still do before an authorization request can be answered.

Pages never point at one another: each returns to /authorize, and `next_step` decides again from the facts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from watchword.protocol.authorization_request import AuthorizationRequest
from watchword.protocol.errors import AccessDenied, ConsentRequired, LoginRequired, ProtocolError
from watchword.protocol.vocabulary import OPENID_SCOPES


@dataclass(frozen=True, slots=True)
class Session:
    """A browser signed in at the provider. `id` is the `sid` of tokens; `amr` names what was truly used."""

    id: UUID
    account_id: UUID
    auth_time: datetime
    amr: tuple[str, ...]


# Where scopes are kept that were allowed for no protected resource: OpenID's own.
NO_RESOURCE: Final = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's yes to one client: the scopes it may have, by the resource they are for."""

    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def to(cls, scope: Iterable[str], resources: Iterable[str] = ()) -> "Consent":
        """Return the yes to what one request asks."""
        asked, named = frozenset(scope), tuple(resources)
        return cls({NO_RESOURCE: asked & OPENID_SCOPES if named else asked, **dict.fromkeys(named, asked)})

    def covers(self, scope: Iterable[str], resources: Iterable[str]) -> bool:
        """Say whether it allows these scopes at each of these resources."""
        asked = frozenset(scope)
        return all(asked <= self.scopes.get(name, frozenset()) for name in tuple(resources) or (NO_RESOURCE,))


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened in this interaction so far. `started_at` is when the request arrived."""

    started_at: datetime
    cancelled: bool = False
    consented: Consent | None = None
    consented_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """The person must prove an identifier."""


@dataclass(frozen=True, slots=True)
class AskConsent:
    """The person must say yes to what the client may have."""


@dataclass(frozen=True, slots=True)
class Reject:
    """The client gets an error."""

    error: ProtocolError


@dataclass(frozen=True, slots=True)
class Issue:
    """The client gets an authorization code."""

    session: Session


NextStep = Login | AskConsent | Reject | Issue


def next_step(
    request: AuthorizationRequest,
    session: Session | None,
    *,
    progress: Progress,
    remembered: Consent,
    hinted_subject: str | None,
    now: datetime,
) -> NextStep:
    """Decide what comes next (OpenID Connect Core section 3.1.2.3).

    Args:
        request: the checked request.
        session: the browser's live session, if it has one.
        progress: what this interaction saw already.
        remembered: the consent this account gave the client before.
        hinted_subject: the subject of a verified `id_token_hint`.
        now: the current time.
    """
    if progress.cancelled:
        return Reject(AccessDenied("The person did not go on."))
    silent = "none" in request.prompt
    if session is not None and _is_another(session, hinted_subject) and session.auth_time > progress.started_at:
        return Reject(LoginRequired("Another person signed in than the id_token_hint names."))
    if session is None or not _fresh_enough(request, session, progress, now) or _is_another(session, hinted_subject):
        return Reject(LoginRequired("Nobody suitable is signed in.")) if silent else Login()
    if _needs_consent(request, session, progress, remembered):
        return Reject(ConsentRequired("The person has not agreed yet.")) if silent else AskConsent()
    return Issue(session)


def _fresh_enough(request: AuthorizationRequest, session: Session, progress: Progress, now: datetime) -> bool:
    """`prompt=login` and `select_account` are satisfied only by a sign-in after the interaction's start."""
    if request.prompt & {"login", "select_account"} and session.auth_time <= progress.started_at:
        return False
    if request.max_age is None:
        return True
    if session.auth_time > progress.started_at:
        return True  # signed in for this very request, however slowly the rest of it goes
    return now - session.auth_time <= timedelta(seconds=request.max_age)


def _is_another(session: Session, hinted_subject: str | None) -> bool:
    return hinted_subject is not None and hinted_subject != str(session.account_id)


def _needs_consent(request: AuthorizationRequest, session: Session, progress: Progress, remembered: Consent) -> bool:
    just_now = progress.consented if progress.consented_by == session.account_id else None
    if just_now is not None and _covers(just_now, request):
        return False
    if "consent" in request.prompt:
        return True
    return not request.client.first_party and not _covers(remembered, request)


def _covers(consent: Consent, request: AuthorizationRequest) -> bool:
    return consent.covers(request.scope, request.resources)
