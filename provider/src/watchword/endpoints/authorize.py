"""The authorization endpoint and the one dispatcher of interactions (RFC 6749 section 3.1, OpenID Connect Core 3.1.2).

Every page returns here, and `next_step` decides again from the facts. Before client and redirect URI are trusted an
error is displayed; after that it is redirected.
"""

import secrets
from datetime import timedelta

from watchword import sessions, tokens
from watchword.database import Transaction, consents, grants
from watchword.database.grants import AuthorizationCode
from watchword.events import record, record_alone
from watchword.events.catalogue import AuthorizationCodeIssued, AuthorizationDenied, AuthorizationInvalid
from watchword.login import interactions
from watchword.login.interactions import Interaction
from watchword.protocol.authorization_request import (
    AuthorizationRequest,
    RedirectedError,
    parse_authorization_request,
    resolve_target,
)
from watchword.protocol.authorization_response import error_location, success_location
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
    Session,
    next_step,
)
from watchword.protocol.parameters import Parameters
from watchword.web.answers import see_other
from watchword.web.cookies import Browser, known_browser, session_cookie
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

CODE_LIFETIME = timedelta(seconds=60)


async def authorize(exchange: Exchange) -> Answer:
    """Answer an authorization request, or go on with one that waited for a person.

    A signed-in browser: the session (one statement), what its person allowed the client (one, none for a first-party
    client), then one transaction of two. Otherwise one step of the ephemeral store begins an interaction. No signature.
    """
    browser = known_browser(exchange)
    interaction_id = exchange.query.get("interaction")
    if interaction_id is None:
        return await _advance(exchange, exchange.query, None, browser)
    # One that came by POST waits unclaimed: a browser without a secret claims it with the one it gets now.
    interaction = await interactions.find(exchange.services, interaction_id, binding=browser.secret)
    if interaction is None:
        raise DisplayedError("cookies_blocked" if browser.is_new else "interaction_lost")
    if interaction.finished:
        raise DisplayedError("interaction_finished")
    return await _advance(exchange, interaction.parameters, interaction, browser)


async def authorize_by_post(exchange: Exchange) -> Answer:
    """Take a request sent as a form, from whatever site.

    Such a POST carries no cookies (SameSite=Lax), so it is kept as an interaction and goes on with a GET, which does.
    """
    form = await exchange.form()
    try:
        await _checked(exchange, form)
    except RedirectedError as refused:
        return await _redirect_error(exchange, refused)
    interaction = await interactions.begin(exchange.services, form, binding=None)
    # No cookie came, so none may be replaced: the GET sets one where the browser has none.
    return see_other(interactions.location(exchange.services, "/authorize", interaction))


async def _advance(
    exchange: Exchange, parameters: Parameters, interaction: Interaction | None, browser: Browser
) -> Answer:
    try:
        request = await _checked(exchange, parameters)
    except RedirectedError as refused:
        return await _redirect_error(exchange, refused)
    services = exchange.services
    session = await sessions.find(services, session_cookie(exchange))
    try:
        step = await _decide(exchange, request, session, interaction)
    except ProtocolError as error:
        return await _redirect_error(exchange, RedirectedError(error, request.target))
    match step:
        case Issue(session=session):
            return await _issue(exchange, request, session, interaction)
        case Reject(error=reason):
            if interaction is not None and not await interactions.finish(services, interaction):
                raise DisplayedError("interaction_finished")
            return await _redirect_error(exchange, RedirectedError(reason, request.target))
        case Login():
            return await _send_to("/login", exchange, parameters, interaction, browser)
        case AskConsent():
            return await _send_to("/consent", exchange, parameters, interaction, browser)


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


async def _decide(
    exchange: Exchange, request: AuthorizationRequest, session: Session | None, interaction: Interaction | None
) -> NextStep:
    services = exchange.services
    now = services.clock.now()
    remembered = Consent()
    if session is not None and not request.client.first_party:
        remembered = await consents.find(services.database, account_id=session.account_id, client_id=request.client.id)
    return next_step(
        request,
        session,
        progress=interaction.progress if interaction is not None else Progress(started_at=now),
        remembered=remembered,
        hinted_subject=_hinted_subject(exchange, request),
        now=now,
    )


def _hinted_subject(exchange: Exchange, request: AuthorizationRequest) -> str | None:
    """Return whom `id_token_hint` names (OpenID Connect Core section 3.1.2.1).

    Raises:
        InvalidRequest: it is not an ID token of ours for this client.
    """
    if request.id_token_hint is None:
        return None
    try:
        hint = tokens.verify_id_token_hint(exchange.services, request.id_token_hint)
    except InvalidToken:
        raise InvalidRequest("The id_token_hint is not one of our ID tokens.") from None
    if hint.claims.get("aud") != request.client.id:
        raise InvalidRequest("The id_token_hint was issued to another client.")
    return str(hint.claims.get("sub"))


async def _issue(
    exchange: Exchange, request: AuthorizationRequest, session: Session, interaction: Interaction | None
) -> Answer:
    """Issue an authorization code; an interaction is answered once. One transaction of two statements."""
    services = exchange.services
    if interaction is not None and not await interactions.finish(services, interaction):
        raise DisplayedError("interaction_finished")
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
        if interaction is not None:  # nothing was issued, so the person may try again
            await interactions.reopen(services, interaction)
        raise
    return see_other(success_location(request.target, authorization_code=authorization_code, issuer=services.issuer))


def _code(request: AuthorizationRequest, session: Session) -> AuthorizationCode:
    return AuthorizationCode(
        client_id=request.client.id,
        account_id=session.account_id,
        session_id=session.id,
        redirect_uri=request.target.redirect_uri,
        code_challenge=request.code_challenge,
        scope=request.scope,
        resources=request.resources,
        nonce=request.nonce,
        auth_time=session.auth_time,
        amr=session.amr,
    )


async def _redirect_error(exchange: Exchange, refused: RedirectedError) -> Answer:
    event = AuthorizationDenied(client_id=refused.target.client.id, error=refused.error.error)
    await record_alone(exchange.services.database, event, exchange.caller)
    return see_other(error_location(refused.target, refused.error, issuer=exchange.services.issuer))


async def _send_to(
    page: str, exchange: Exchange, parameters: Parameters, interaction: Interaction | None, browser: Browser
) -> Answer:
    """Send the browser to a page, with an interaction to come back with and a secret to be known by."""
    if interaction is None:
        interaction = await interactions.begin(exchange.services, parameters, binding=browser.secret)
    return see_other(interactions.location(exchange.services, page, interaction), browser.cookies)
