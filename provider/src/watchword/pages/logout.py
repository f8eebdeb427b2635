"""The sign-out pages: the question, and the end."""

from watchword import sessions
from watchword.accounts.label import account_label
from watchword.login import signing_out
from watchword.pages.views import ContinuePage, LogoutPage, SignedOutPage, StillSignedInPage
from watchword.protocol.errors import DisplayedError
from watchword.web.answers import page, see_other
from watchword.web.cookies import browser_cookie, clear_cookie, session_cookie, session_cookie_name
from watchword.web.exchange import Exchange
from watchword.web.forms import check_form, form_token
from watchword.web.wire import Answer


async def show(exchange: Exchange) -> Answer:
    """Ask whether to sign out."""
    name, browser = exchange.query.get("request", ""), browser_cookie(exchange)
    asked = await signing_out.find(exchange.services, name)
    if asked is None or browser is None:
        raise DisplayedError("interaction_lost")
    session = await sessions.find(exchange.services, session_cookie(exchange))
    if session is None:
        return see_other(f"{exchange.services.issuer}/logout/done")
    view = LogoutPage(
        action=f"{exchange.services.issuer}/logout/confirm?request={name}",
        csrf=form_token(exchange.services, browser=browser, purpose=f"logout:{name}"),
        account_label=await account_label(exchange.services.database, session.account_id),
        client_name=asked.client_name,
    )
    return page(exchange, view)


async def decide(exchange: Exchange) -> Answer:
    """Sign out, or stay."""
    name = exchange.query.get("request", "")
    form = await exchange.form()
    form.check_no_duplicates()
    check_form(exchange, form.get("csrf"), purpose=f"logout:{name}")
    asked = await signing_out.find(exchange.services, name)
    if asked is None:
        raise DisplayedError("interaction_lost")
    if form.get("decision") != "sign_out":
        return page(exchange, StillSignedInPage(client_name=asked.client_name, home_url=asked.client_uri))
    session = await sessions.find(exchange.services, session_cookie(exchange))
    if session is not None:
        await signing_out.sign_out(exchange.services, session, exchange.caller)
    settings = exchange.services.settings
    cookies = [clear_cookie(settings, session_cookie_name(settings))]
    if asked.location is not None:
        return page(exchange, ContinuePage(next_url=asked.location, client_name=asked.client_name), cookies=cookies)
    return see_other(f"{settings.issuer}/logout/done", cookies)


async def done(exchange: Exchange) -> Answer:
    """Say that the browser is signed out."""
    return page(exchange, SignedOutPage())
