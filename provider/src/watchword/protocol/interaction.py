"""What a person must still do before an authorization request can be answered.

Pages never point at one another: each returns to /authorize, and `next_step` decides again from the facts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from watchword.protocol.authorization_request import AuthorizationRequest
from watchword.protocol.errors import AccessDenied, ConsentRequired, LoginRequired, ProtocolError


@dataclass(frozen=True, slots=True)
class Session:
    """A browser signed in at the provider. `id` is the `sid` of tokens; `amr` names what was truly used."""

    id: UUID
    account_id: UUID
    auth_time: datetime
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's remembered yes: the scopes one client may have, at these resources."""

    scopes: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened in this interaction so far. `started_at` is when the request arrived."""

    started_at: datetime
    cancelled: bool = False
    consented: Consent | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """The person must prove an identifier."""


@dataclass(frozen=True, slots=True)
class AskConsent:
    """The person must say yes to what the client may have."""

    session: Session


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
    if _needs_consent(request, progress, remembered):
        return Reject(ConsentRequired("The person has not agreed yet.")) if silent else AskConsent(session)
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


def _needs_consent(request: AuthorizationRequest, progress: Progress, remembered: Consent) -> bool:
    if progress.consented is not None and _covers(progress.consented, request):
        return False
    if "consent" in request.prompt:
        return True
    return not request.client.first_party and not _covers(remembered, request)


def _covers(consent: Consent, request: AuthorizationRequest) -> bool:
    return consent.scopes.issuperset(request.scope) and consent.resources.issuperset(request.resources)
