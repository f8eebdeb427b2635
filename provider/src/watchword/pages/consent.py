"""The consent page: may this client have what it asks for?"""

from watchword import sessions
from watchword.accounts.consent import remember
from watchword.accounts.label import account_label
from watchword.database import Transaction
from watchword.locale import load_catalogues
from watchword.pages.links import host_of, logo_origin
from watchword.pages.scopes import describe_words
from watchword.pages.steps import Step, csrf_token, go_on, keep, language_links, open_step, own_url, posted_step
from watchword.pages.views import ConsentPage
from watchword.protocol.authorization_request import (
    AuthorizationRequest,
    RedirectedError,
    asked_words,
    parse_authorization_request,
    resolve_target,
)
from watchword.protocol.errors import DisplayedError
from watchword.protocol.interaction import Consent, Session
from watchword.web.answers import Allowed, page, see_other
from watchword.web.cookies import session_cookie
from watchword.web.exchange import Exchange
from watchword.web.forms import form_token
from watchword.web.wire import Answer


async def show(exchange: Exchange) -> Answer:
    """Ask whether the client may have what it asks for. One step of the ephemeral store, two statements."""
    step = await open_step(exchange)
    session = await sessions.find(exchange.services, session_cookie(exchange))
    if session is None:
        return see_other(own_url(exchange, "/authorize", step))
    return await _consent_page(exchange, step, session)


async def decide(exchange: Exchange) -> Answer:
    """Take the answer: remember a yes, and go back to the dispatcher either way."""
    step, form = await posted_step(exchange)
    session = await sessions.find(exchange.services, session_cookie(exchange))
    request = await _request(exchange, step)
    if session is None or form.get("shown_to") != _shown_to(exchange, step, session, request):
        return go_on(exchange, step)  # another person signed in, or the client wants more by now: it is asked anew
    if form.get("decision") != "allow":
        await keep(exchange, step, cancelled=True)
        return go_on(exchange, step)
    given = Consent.to(asked_words(request), request.resources)
    await _remember(exchange, step, session, given)
    await keep(exchange, step, consented=given, consented_by=session.account_id)
    return go_on(exchange, step)


def _shown_to(exchange: Exchange, step: Step, session: Session, request: AuthorizationRequest) -> str:
    """Tie the page to the account it names and to what it lists.

    The yes of one person is no yes of the next one in this browser. Nor is it a yes to more: a client may register
    further scopes while the page is open, and what is asked follows from what is registered.
    """
    words, resources = " ".join(asked_words(request)), " ".join(request.resources)
    purpose = f"{step.interaction.id} shown to {session.account_id}\n{words}\n{resources}"
    return form_token(exchange.services, browser=step.browser, purpose=purpose)


async def _remember(exchange: Exchange, step: Step, session: Session, given: Consent) -> None:
    services, client_id = exchange.services, step.client.id

    async def work(transaction: Transaction) -> None:
        await remember(transaction, given, account_id=session.account_id, client_id=client_id, caller=exchange.caller)

    await services.database.transaction(work)


async def _request(exchange: Exchange, step: Step) -> AuthorizationRequest:
    """Read the waiting request anew: what is asked is decided here, never by the form."""
    parameters = step.interaction.parameters
    try:
        resources = await exchange.services.registry.resources()
        return parse_authorization_request(parameters, resolve_target(parameters, step.client), resources)
    except RedirectedError:
        raise DisplayedError("invalid_request") from None


async def _consent_page(exchange: Exchange, step: Step, session: Session) -> Answer:
    request, client = await _request(exchange, step), step.client
    catalogue = load_catalogues()[step.locale]
    view = ConsentPage(
        action=own_url(exchange, "/consent", step),
        interaction=step.interaction.id,
        csrf=csrf_token(exchange, step),
        shown_to=_shown_to(exchange, step, session, request),
        client_name=client.name,
        client_uri=client.client_uri,
        policy_uri=client.policy_uri,
        tos_uri=client.tos_uri,
        account_label=await account_label(exchange.services.database, session.account_id),
        scopes=describe_words(asked_words(request), catalogue),
        resources=request.resources,
        logo_uri=client.logo_uri,
        client_host=host_of(request.target.redirect_uri) if client.self_registered else None,
        applications_url=f"{exchange.services.issuer}/account/applications",
        language_links=language_links(),
        here=own_url(exchange, "/consent", step),
    )
    # The browser loads the logo from the client, and is told nothing but that; we never fetch it.
    logo = logo_origin(client.logo_uri)
    return page(exchange, view, locale=step.locale, allowed=Allowed(images=(logo,) if logo else ()))
