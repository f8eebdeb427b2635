"""The authorization endpoint and the one dispatcher of interactions (RFC 6749 section 3.1, OpenID Connect Core 3.1.2).

Every page returns here, and `next_step` decides again from the facts. Before client and redirect URI are trusted an
error is displayed; after that it is redirected.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from watchword import sessions, tokens
from watchword.database import Transaction, consents, grants
from watchword.database.grants import AuthorizationCode
from watchword.endpoints.authorization_answer import refuse, succeed
from watchword.events import record, record_alone
from watchword.events.catalogue.protocol import AuthorizationCodeIssued, AuthorizationInvalid
from watchword.login import interactions
from watchword.login.interactions import Interaction
from watchword.login.methods import acr_values, session_acr
from watchword.protocol.authorization_request import (
    AuthorizationRequest,
    RedirectedError,
    parse_authorization_request,
    resolve_target,
)
from watchword.protocol.claims_request import write_claims_request
from watchword.protocol.digests import fingerprint
from watchword.protocol.errors import DisplayedError, InvalidRequest, InvalidToken, ProtocolError
from watchword.protocol.interaction import (
    AskConsent,
    Consent,
    Issue,
    Login,
    NextStep,
    Progress,
    Reject,
    SelectAccount,
    Session,
    Visitor,
    next_step,
)
from watchword.protocol.parameters import Parameters
from watchword.services import Services
from watchword.web.answers import see_other
from watchword.web.cookies import Browser, known_browser, session_cookie
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

CODE_LIFETIME = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at a request: its parameters, the interaction it waits in, if it does, and the browser that asks."""

    exchange: Exchange
    parameters: Parameters
    interaction: Interaction | None
    browser: Browser

    def language(self) -> str:
        """The language its person chose, or that of the request and the browser."""
        chosen = self.interaction.locale if self.interaction is not None else ""
        return chosen or self.exchange.locale(self.parameters.get("ui_locales"))


async def authorize(exchange: Exchange) -> Answer:
    """Answer an authorization request, or go on with one that waited for a person.

    A signed-in browser: the session (one statement), what its person allowed the client (one, none for a first-party
    client), then one transaction of two. Otherwise one step of the ephemeral store begins an interaction. No signature.
    """
    browser = known_browser(exchange)
    interaction_id = exchange.query.get("interaction")
    if interaction_id is None:
        return await _advance(Visit(exchange, exchange.query, None, browser))
    # One that came by POST waits unclaimed: a browser without a secret claims it with the one it gets now.
    interaction = await interactions.find(exchange.services, interaction_id, binding=browser.secret)
    if interaction is None:
        raise DisplayedError("cookies_blocked" if browser.is_new else "interaction_lost")
    if interaction.finished:
        raise DisplayedError("interaction_finished")
    return await _advance(Visit(exchange, interaction.parameters, interaction, browser))


async def authorize_by_post(exchange: Exchange) -> Answer:
    """Take a request sent as a form, from whatever site. One step of the ephemeral store.

    Such a POST carries no cookies (SameSite=Lax), so it is kept as an interaction and goes on with a GET, which does.
    """
    form = await exchange.form()
    try:
        await _checked(exchange, form)
    except RedirectedError as refused:
        return await refuse(exchange, refused, language=lambda: exchange.locale(form.get("ui_locales")))
    interaction = await interactions.begin(exchange.services, form, binding=None)
    # No cookie came, so none may be replaced: the GET sets one where the browser has none.
    return see_other(interactions.location(exchange.services, "/authorize", interaction))


async def _advance(visit: Visit) -> Answer:
    exchange = visit.exchange
    try:
        request = await _checked(exchange, visit.parameters)
        step = await _decide(visit, request, await sessions.find(exchange.services, session_cookie(exchange)))
    except RedirectedError as refused:
        return await refuse(exchange, refused, language=visit.language)
    match step:
        case Issue(session=session):
            return await _issue(visit, request, session)
        case Reject(error=reason):
            return await _reject(visit, RedirectedError(reason, request.target))
        case Login():
            return await _send_to("/login", visit)
        case SelectAccount():
            return await _send_to("/login/select-account", visit)
        case AskConsent():
            return await _send_to("/consent", visit)


async def _checked(exchange: Exchange, parameters: Parameters) -> AuthorizationRequest:
    """Run the checks; a displayed error is recorded before it is shown."""
    registry = exchange.services.registry
    client = await registry.client(parameters.get("client_id", ""))
    try:
        target = resolve_target(parameters, client)
    except DisplayedError as displayed:
        event = AuthorizationInvalid(client_id=client.id if client else None, reason=displayed.page)
        await record_alone(exchange.services.database, event, exchange.caller)
        raise
    return parse_authorization_request(parameters, target, await registry.resources(parameters.resources))


async def _decide(visit: Visit, request: AuthorizationRequest, session: Session | None) -> NextStep:
    """Gather the facts and let `next_step` decide.

    Raises:
        RedirectedError: the request holds a hint that is none.
    """
    services, interaction = visit.exchange.services, visit.interaction
    try:
        hinted_subject = _hinted_subject(services, request)
    except ProtocolError as error:
        raise RedirectedError(error, request.target) from None
    now = services.clock.now()
    progress = interaction.progress if interaction is not None else Progress(started_at=now)
    if session is not None and session.read_at is not None:
        # A session's times are the store's. So the others are told by the store's clock, however wrong ours is.
        now, progress = session.read_at, replace(progress, started_at=progress.started_at + (session.read_at - now))
    return next_step(
        request,
        None if session is None else await _visitor(services, request, session),
        progress=progress,
        hinted_subject=hinted_subject,
        acr_values=acr_values(services) if request.acr.values else (),
        now=now,
    )


async def _visitor(services: Services, request: AuthorizationRequest, session: Session) -> Visitor:
    """Return whoever is signed in as this client knows them. One statement, none for a first-party client."""
    remembered = Consent()
    if not request.client.first_party:
        remembered = await consents.find(services.database, account_id=session.account_id, client_id=request.client.id)
    subject = str(tokens.subject_of(services, request.client, session.account_id))
    return Visitor(session, subject, session_acr(services, session), remembered)


def _hinted_subject(services: Services, request: AuthorizationRequest) -> str | None:
    """Return whom `id_token_hint` names (OpenID Connect Core section 3.1.2.1).

    Raises:
        InvalidRequest: it is not an ID token of ours for this client.
    """
    if request.id_token_hint is None:
        return None
    try:
        hint = tokens.verify_id_token_hint(services, request.id_token_hint)
    except InvalidToken:
        raise InvalidRequest("The id_token_hint is not one of our ID tokens.") from None
    if hint.claims.get("aud") != request.client.id:
        raise InvalidRequest("The id_token_hint was issued to another client.")
    return str(hint.claims.get("sub"))


async def _finish(visit: Visit) -> None:
    """Answer an interaction, if there is one: once.

    Raises:
        DisplayedError: it was answered before.
    """
    if visit.interaction is not None and not await interactions.finish(visit.exchange.services, visit.interaction):
        raise DisplayedError("interaction_finished")


async def _reject(visit: Visit, refused: RedirectedError) -> Answer:
    """Tell the client an error; an interaction is answered once."""
    await _finish(visit)
    try:
        return await refuse(visit.exchange, refused, language=visit.language)
    except Exception:
        await _reopen(visit)
        raise


async def _reopen(visit: Visit) -> None:
    """Nobody was answered, so the person may try again."""
    if visit.interaction is not None:
        await interactions.reopen(visit.exchange.services, visit.interaction)


async def _issue(visit: Visit, request: AuthorizationRequest, session: Session) -> Answer:
    """Issue an authorization code; an interaction is answered once. One transaction of two statements."""
    exchange, services = visit.exchange, visit.exchange.services
    await _finish(visit)
    authorization_code = secrets.token_urlsafe(32)
    code = _code(request, session)
    event = AuthorizationCodeIssued(
        account_id=session.account_id,
        client_id=request.client.id,
        session_id=session.id,
        scope=" ".join(request.scope),
    )

    async def work(transaction: Transaction) -> None:
        await grants.add_code(transaction, fingerprint(authorization_code), code, lifetime=CODE_LIFETIME)
        await record(transaction, event, exchange.caller)

    try:
        await services.database.transaction(work)
    except Exception:
        await _reopen(visit)
        raise
    return succeed(exchange, request.target, authorization_code=authorization_code, language=visit.language)


def _code(request: AuthorizationRequest, session: Session) -> AuthorizationCode:
    return AuthorizationCode(
        client_id=request.client.id,
        account_id=session.account_id,
        session_id=session.id,
        redirect_uri=request.target.redirect_uri,
        code_challenge=request.code_challenge,
        scope=request.scope,
        resources=request.resources,
        claims=write_claims_request(request.claims),
        nonce=request.nonce,
        auth_time=session.auth_time,
        amr=session.amr,
    )


async def _send_to(page: str, visit: Visit) -> Answer:
    """Send the browser to a page, with an interaction to come back with and a secret to be known by."""
    services, browser, interaction = visit.exchange.services, visit.browser, visit.interaction
    if interaction is None:
        interaction = await interactions.begin(services, visit.parameters, binding=browser.secret)
    return see_other(interactions.location(services, page, interaction), browser.cookies)
