"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Mapping
from typing import Any

from watchword import sessions, tokens
from watchword.endpoints.authorization_answer import place_of
from watchword.events import record_alone
from watchword.events.catalogue.protocol import AuthorizationInvalid
from watchword.login import interactions, signing_out
from watchword.protocol.errors import DisplayedError, InvalidToken
from watchword.protocol.interaction import Session
from watchword.protocol.logout import LogoutRequest, parse_logout_request
from watchword.protocol.parameters import Parameters
from watchword.web.after_sign_out import after_sign_out
from watchword.web.answers import Allowed, page, see_other
from watchword.web.cookies import known_browser, session_cookie
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer


async def logout(exchange: Exchange) -> Answer:
    """End the browser's session when the request proves whose it is; ask the person otherwise.

    One statement to find the session, one transaction of four to end it, and in it one statement more for each grant
    and each client that is told by the back channel. One step of the ephemeral store where a page says who was told.
    """
    return await _sign_out(exchange, await _parameters(exchange))


async def logout_by_post(exchange: Exchange) -> Answer:
    """Take a request sent as a form.

    From another site it carries no cookies (SameSite=Lax): then it is kept and goes on with a GET, which does.
    """
    form = await exchange.form()
    if session_cookie(exchange) is not None:
        return await _sign_out(exchange, form)
    await _checked(exchange, form)
    waiting = await interactions.begin(exchange.services, form, binding=None)
    return see_other(interactions.location(exchange.services, "/logout", waiting))


async def _parameters(exchange: Exchange) -> Parameters:
    """Return the request's parameters, or those of a form that waited. A browser without a secret has no session."""
    waiting = exchange.query.get("interaction")
    if waiting is None:
        return exchange.query
    interaction = await interactions.find(exchange.services, waiting, binding=known_browser(exchange).secret)
    if interaction is None:
        raise DisplayedError("interaction_lost")
    return interaction.parameters


async def _sign_out(exchange: Exchange, parameters: Parameters) -> Answer:
    request = await _checked(exchange, parameters)
    session = await sessions.find(exchange.services, session_cookie(exchange))
    if session is not None and not _is_named(exchange, request, session):
        return await _ask(exchange, request)
    if session is None and (leaving := _leaving(exchange, request)) is not None:
        return leaving
    signed_out = await signing_out.sign_out(
        exchange.services,
        session,
        exchange.caller,
        next_url=request.return_location,
        client_name=request.client.name if request.client is not None else None,
    )
    return await after_sign_out(exchange, signed_out)


def _leaving(exchange: Exchange, request: LogoutRequest) -> Answer | None:
    """Let the person decide whether to follow a link of anybody's to where a client that registered itself wants.

    Nobody was signed out and nobody was asked, so that the link alone would lead there (RFC 9700 section 4.11.2).
    """
    client, redirect_uri, location = request.client, request.post_logout_redirect_uri, request.return_location
    if client is None or redirect_uri is None or location is None:
        return None
    if not client.self_registered or exchange.services.settings.development:
        return None
    view = exchange.renderer.leaving_page(
        next_url=location, host=place_of(redirect_uri), client_name=client.name, signed_out=True
    )
    return page(exchange, view, allowed=Allowed(forms=()))


def _is_named(exchange: Exchange, request: LogoutRequest, session: Session) -> bool:
    """Say whether the hint is about this session, by the name under which its client knows the account."""
    if request.client is None:
        return False
    subject = tokens.subject_of(exchange.services, request.client, session.account_id)
    return request.names_session(str(session.id), str(subject))


async def _checked(exchange: Exchange, parameters: Parameters) -> LogoutRequest:
    services = exchange.services
    try:
        hint = _hint(exchange, parameters.get("id_token_hint"))
        client_id = str(hint["aud"]) if hint is not None else parameters.get("client_id", "")
        client = await services.registry.client(client_id)
        return parse_logout_request(parameters, client=client, hint=hint)
    except DisplayedError as displayed:
        event = AuthorizationInvalid(reason=f"logout: {displayed.page}")
        await record_alone(services.database, event, exchange.caller)
        raise


def _hint(exchange: Exchange, token: str | None) -> Mapping[str, Any] | None:
    """Return the claims of `id_token_hint`."""
    if token is None:
        return None
    try:
        return tokens.verify_id_token_hint(exchange.services, token).claims
    except InvalidToken:
        raise DisplayedError("id_token_hint_invalid") from None


async def _ask(exchange: Exchange, request: LogoutRequest) -> Answer:
    """Keep the request for this browser and ask its person. One step of the ephemeral store."""
    cookies = known_browser(exchange).cookies
    name = await signing_out.ask(exchange.services, request)
    return see_other(f"{exchange.services.issuer}/logout/confirm?request={name}", cookies)
