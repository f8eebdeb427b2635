"""The sign-out pages: the question, and the end."""

from watchword import sessions
from watchword.accounts.label import account_label
from watchword.login import signing_out
from watchword.pages.views import ContinuePage, LogoutPage, SignedOutPage, StillSignedInPage
from watchword.protocol.errors import DisplayedError
from watchword.protocol.origins import browser_origins
from watchword.web.after_sign_out import after_sign_out
from watchword.web.answers import Allowed, page, see_other
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
    signed_out = await signing_out.sign_out(
        exchange.services, session, exchange.caller, next_url=asked.location, client_name=asked.client_name
    )
    if signed_out.leaves_for is not None:  # with a page: a form's redirect may not leave our origin
        settings = exchange.services.settings
        view = ContinuePage(next_url=signed_out.leaves_for, client_name=signed_out.client_name)
        return page(exchange, view, cookies=[clear_cookie(settings, session_cookie_name(settings))])
    return await after_sign_out(exchange, signed_out)


async def done(exchange: Exchange) -> Answer:
    """Say that the browser is signed out, and who is told, which the browser does in part by loading this page.

    Somebody who is signed in and only opened the address is not told otherwise. One step of the ephemeral store when
    there was something to keep for this browser; one statement when there was not, and it holds a session.
    """
    name, browser = exchange.query.get("request"), browser_cookie(exchange)
    kept = await signing_out.kept(exchange.services, name, browser=browser) if name and browser else None
    if kept is None:
        session = await sessions.find(exchange.services, session_cookie(exchange))
        return page(exchange, SignedOutPage() if session is None else StillSignedInPage())
    view = SignedOutPage(told=kept.told, frames=kept.frames, next_url=kept.next_url, client_name=kept.client_name)
    return page(exchange, view, allowed=Allowed(frames=tuple(sorted(browser_origins(kept.frames)))))
