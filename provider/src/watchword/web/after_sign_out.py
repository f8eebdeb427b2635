"""Where the browser goes once its session is over: what the protocol's endpoint and the page that asks share."""

from watchword.login import signing_out
from watchword.login.signing_out import SignedOut
from watchword.web.answers import see_other
from watchword.web.cookies import clear_cookie, known_browser, session_cookie_name
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer


async def after_sign_out(exchange: Exchange, signed_out: SignedOut) -> Answer:
    """Forget the session's cookie, and go back to the relying party or on to a page that says who is told.

    At most one step of the ephemeral store.
    """
    settings = exchange.services.settings
    cookies = [clear_cookie(settings, session_cookie_name(settings))]
    if signed_out.leaves_for is not None:
        return see_other(signed_out.leaves_for, cookies)
    if not signed_out.told:
        return see_other(f"{settings.issuer}/logout/done", cookies)
    browser = known_browser(exchange)
    page = await signing_out.keep(exchange.services, signed_out, browser=browser.secret)
    return see_other(page, [*cookies, *browser.cookies])
