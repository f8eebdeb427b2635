"""What a person must still do before an authorization request can be answered.

Pages never point at one another: each returns to /authorize, and `next_step` decides again from the facts.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from watchword.protocol.authorization_request import CLAIM_WORD, AuthorizationRequest, asked_words
from watchword.protocol.claims_request import SCOPE_OF_CLAIM
from watchword.protocol.errors import (
    AccessDenied,
    ConsentRequired,
    LoginRequired,
    ProtocolError,
    UnmetAuthenticationRequirements,
)
from watchword.protocol.vocabulary import OPENID_SCOPES


@dataclass(frozen=True, slots=True)
class Session:
    """A browser signed in at the provider. `id` is the `sid` of tokens; `amr` names what was truly used.

    `read_at` is the store's time when it was looked for; `auth_time` is the store's too.
    """

    id: UUID
    account_id: UUID
    auth_time: datetime
    amr: tuple[str, ...]
    read_at: datetime | None = None


# Where scopes are kept that were allowed for no protected resource: OpenID's own.
NO_RESOURCE: Final = ""
_SCOPE_OF_WORD: Final = {CLAIM_WORD + claim: scope for claim, scope in SCOPE_OF_CLAIM.items()}
_OPENID_WORDS: Final = OPENID_SCOPES | _SCOPE_OF_WORD.keys()


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's yes to one client: the words it may have, by the resource they are for.

    A word is a scope, or `claim:<name>` for a claim that was asked for by itself.
    """

    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def to(cls, words: Iterable[str], resources: Iterable[str] = ()) -> "Consent":
        """Return the yes to what one request asks."""
        asked, named = frozenset(words), tuple(resources)
        return cls({NO_RESOURCE: asked & _OPENID_WORDS if named else asked, **dict.fromkeys(named, asked)})

    def covers(self, words: Iterable[str], resources: Iterable[str]) -> bool:
        """Say whether it allows these words at each of these resources. A scope allows each of its claims."""
        asked = frozenset(words)
        return all(_allows(self.scopes.get(name, frozenset()), asked) for name in tuple(resources) or (NO_RESOURCE,))


def _allows(words: frozenset[str], asked: frozenset[str]) -> bool:
    return all(_SCOPE_OF_WORD.get(word) in words for word in asked - words)


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened in this interaction so far. `started_at` is when the request arrived.

    `selected` is the account the person chose to go on with; `another` says that they chose to sign in anew instead.
    """

    started_at: datetime
    cancelled: bool = False
    consented: Consent | None = None
    consented_by: UUID | None = None
    selected: UUID | None = None
    another: bool = False


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever is signed in at the browser: the `sub` by which the client knows them, and the `acr` of their sign-in.

    `remembered` is the consent their account gave the client before.
    """

    session: Session
    subject: str
    acr: str | None = None
    remembered: Consent = field(default_factory=Consent)


@dataclass(frozen=True, slots=True)
class Login:
    """The person must prove an identifier."""


@dataclass(frozen=True, slots=True)
class SelectAccount:
    """The person must say whether to go on as who they are."""


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


NextStep = Login | SelectAccount | AskConsent | Reject | Issue


def next_step(
    request: AuthorizationRequest,
    visitor: Visitor | None,
    *,
    progress: Progress,
    hinted_subject: str | None,
    acr_values: Collection[str],
    now: datetime,
) -> NextStep:
    """Decide what comes next (OpenID Connect Core section 3.1.2.3).

    Args:
        request: the checked request.
        visitor: who is signed in at the browser, if anybody is.
        progress: what this interaction saw already.
        hinted_subject: the subject of a verified `id_token_hint`.
        acr_values: what a sign-in here can amount to.
        now: the current time.
    """
    if progress.cancelled:
        return Reject(AccessDenied("The person did not go on."))
    if request.acr.essential and not request.acr.within(acr_values):
        return Reject(UnmetAuthenticationRequirements("No sign-in here has an acr value that was asked for."))
    silent = "none" in request.prompt
    named = _named(request, hinted_subject)
    if visitor is None:
        return _sign_in(silent)
    if visitor.session.auth_time > progress.started_at and (refused := _signed_in_in_vain(request, visitor, named)):
        return Reject(refused)
    if not _suits(request, visitor, progress, named, acr_values, now):
        return _sign_in(silent)
    if _must_select(request, visitor, progress):
        return SelectAccount()
    if _needs_consent(request, visitor, progress):
        return Reject(ConsentRequired("The person has not agreed yet.")) if silent else AskConsent()
    return Issue(visitor.session)


def _sign_in(silent: bool) -> NextStep:
    return Reject(LoginRequired("Nobody suitable is signed in.")) if silent else Login()


def _named(request: AuthorizationRequest, hinted_subject: str | None) -> frozenset[str] | None:
    """Return whom alone the answer may be about, by `id_token_hint` and `claims`; None is anybody (section 3.1.2.2)."""
    asked = request.claims.subjects
    if hinted_subject is None:
        return asked
    return frozenset({hinted_subject}) if asked is None else asked & {hinted_subject}


def _signed_in_in_vain(
    request: AuthorizationRequest, visitor: Visitor, named: frozenset[str] | None
) -> ProtocolError | None:
    """Return what is wrong although the person signed in for this very request: asking again would not end."""
    if named is not None and visitor.subject not in named:
        return LoginRequired("Another person signed in than the request names.")
    if request.acr.essential and visitor.acr not in request.acr.values:
        return UnmetAuthenticationRequirements("The person signed in, but not with an acr value that was asked for.")
    return None


def _suits(
    request: AuthorizationRequest,
    visitor: Visitor,
    progress: Progress,
    named: frozenset[str] | None,
    acr_values: Collection[str],
    now: datetime,
) -> bool:
    """Say whether this sign-in will do: whose it is, how fresh, and what it amounts to."""
    if named is not None and visitor.subject not in named:
        return False
    return _fresh_enough(request, visitor.session, progress, now) and _strong_enough(
        request, visitor, progress, acr_values
    )


def _fresh_enough(request: AuthorizationRequest, session: Session, progress: Progress, now: datetime) -> bool:
    """`prompt=login` and `create` are satisfied only by a sign-in after the interaction's start."""
    if session.auth_time > progress.started_at:
        return True  # signed in for this very request, however slowly the rest of it goes
    if progress.another or request.prompt & {"login", "create"}:
        return False
    return request.max_age is None or now - session.auth_time <= timedelta(seconds=request.max_age)


def _strong_enough(
    request: AuthorizationRequest, visitor: Visitor, progress: Progress, acr_values: Collection[str]
) -> bool:
    """What was wished for is worth one sign-in, never a refusal; what is essential must be met."""
    if not request.acr.values or visitor.acr in request.acr.values:
        return True
    if request.acr.essential:
        return False
    in_vain = "none" in request.prompt or visitor.session.auth_time > progress.started_at
    return in_vain or not request.acr.within(acr_values)


def _must_select(request: AuthorizationRequest, visitor: Visitor, progress: Progress) -> bool:
    """Whoever signed in for this request, or said so on the page, has chosen."""
    chosen = progress.selected == visitor.session.account_id or visitor.session.auth_time > progress.started_at
    return "select_account" in request.prompt and not chosen


def _needs_consent(request: AuthorizationRequest, visitor: Visitor, progress: Progress) -> bool:
    """A yes given just now answers `prompt=consent`. It is remembered too, unless it was taken back meanwhile."""
    just_now = progress.consented if progress.consented_by == visitor.session.account_id else None
    if "consent" in request.prompt and (just_now is None or not _covers(just_now, request)):
        return True
    return not request.client.first_party and not _covers(visitor.remembered, request)


def _covers(consent: Consent, request: AuthorizationRequest) -> bool:
    return consent.covers(asked_words(request), request.resources)
