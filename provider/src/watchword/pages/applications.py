"""A person's own page about the applications they allowed something: to see them, and to take it back."""

from collections.abc import Mapping
from itertools import groupby

from watchword import sessions
from watchword.accounts.consent import withdraw
from watchword.accounts.label import account_label
from watchword.database import Transaction, consents
from watchword.database.consents import GivenConsent
from watchword.locale import Catalogue, load_catalogues
from watchword.pages.links import host_of
from watchword.pages.scopes import as_asked, describe_words
from watchword.pages.steps import language_links
from watchword.pages.views import AllowedApplication, ApplicationsPage
from watchword.protocol.client import Client
from watchword.protocol.errors import AccessForbidden
from watchword.protocol.interaction import Session
from watchword.web.answers import page
from watchword.web.cookies import Browser, known_browser, session_cookie
from watchword.web.exchange import Exchange
from watchword.web.forms import check_form, form_token
from watchword.web.wire import Answer

PATH = "/account/applications"


class NotSignedIn(AccessForbidden):
    """The page is about whoever is signed in, and nobody is."""

    error = "not_signed_in"


async def show(exchange: Exchange) -> Answer:
    """Show what was allowed. Three statements, and two more for each client that was not in memory."""
    return await _page(exchange, await _session(exchange), known_browser(exchange))


async def take_back(exchange: Exchange) -> Answer:
    """Take back what one client was allowed, and end its grants. One transaction of eight statements, then as `show`.

    The answer is the page itself: an address that said what was withdrawn could be sent around.
    """
    form = await exchange.form()
    form.check_no_duplicates()
    # Who holds the form's token is the browser's matter; whose applications they are, the session's.
    session = await _session(exchange)
    browser = check_form(exchange, form.get("csrf"), purpose=_purpose(session))
    client_id = form.required("client_id")

    async def work(transaction: Transaction) -> bool:
        return await withdraw(transaction, account_id=session.account_id, client_id=client_id, caller=exchange.caller)

    withdrawn = await exchange.services.database.transaction(work)
    client = await exchange.services.registry.client(client_id) if withdrawn else None
    return await _page(exchange, session, Browser(browser), withdrawn=client)


async def _session(exchange: Exchange) -> Session:
    session = await sessions.find(exchange.services, session_cookie(exchange))
    if session is None:
        raise NotSignedIn("Sign in first, in this browser.")
    return session


def _purpose(session: Session) -> str:
    """What the form is for: this account's applications, and not those of who signs in here next."""
    return f"applications:{session.account_id}"


async def _page(exchange: Exchange, session: Session, browser: Browser, *, withdrawn: Client | None = None) -> Answer:
    chosen = exchange.query.get("ui_locales")
    locale = exchange.locale(chosen)
    here = f"{exchange.services.issuer}{PATH}?"
    view = ApplicationsPage(
        action=f"{here}ui_locales={locale}" if chosen else here[:-1],
        csrf=form_token(exchange.services, browser=browser.secret, purpose=_purpose(session)),
        account_label=await account_label(exchange.services.database, session.account_id),
        applications=await _applications(exchange, session, load_catalogues()[locale]),
        withdrawn=withdrawn.name if withdrawn else None,
        language_links=language_links(),
        here=here,
    )
    return page(exchange, view, locale=locale, cookies=browser.cookies)


async def _applications(exchange: Exchange, session: Session, catalogue: Catalogue) -> tuple[AllowedApplication, ...]:
    """What the account allowed, by client. Those that were taken out of use can do nothing, and are left out."""
    given = await consents.of_account(exchange.services.database, session.account_id)
    by_client = {name: list(rows) for name, rows in groupby(given, key=lambda each: each.client_id)}
    clients: Mapping[str, Client | None] = {
        client_id: await exchange.services.registry.client(client_id) for client_id in by_client
    }
    found = [_application(client, by_client[client.id], catalogue) for client in clients.values() if client is not None]
    return tuple(sorted(found, key=lambda each: each.name.casefold()))


def _application(client: Client, given: list[GivenConsent], catalogue: Catalogue) -> AllowedApplication:
    words = as_asked(dict.fromkeys(word for each in given for word in each.words))
    return AllowedApplication(
        client_id=client.id,
        name=client.name,
        host=host_of(client.redirect_uris[0]) if client.redirect_uris else None,
        scopes=describe_words(words, catalogue),
        granted_at=max(each.granted_at for each in given),
    )
