"""What the pages of an interaction share: finding it, checking its forms, and going back to the dispatcher."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from watchword.locale import load_catalogues
from watchword.login import interactions
from watchword.login.interactions import Interaction
from watchword.pages.views import ContinuePage, LanguageLink
from watchword.protocol.client import Client
from watchword.protocol.errors import DisplayedError
from watchword.protocol.parameters import Parameters
from watchword.web.answers import page
from watchword.web.cookies import browser_cookie
from watchword.web.exchange import Exchange
from watchword.web.forms import check_form, form_token
from watchword.web.wire import Answer

_MOST_SWAPS = 5


@dataclass(frozen=True, slots=True)
class Step:
    """An interaction in the browser it belongs to, with the client it is for."""

    interaction: Interaction
    client: Client
    browser: str = field(repr=False)
    locale: str


async def open_step(exchange: Exchange) -> Step:
    """Find the interaction that a page's address names.

    Raises:
        DisplayedError: it is another browser's, too old, finished, or the browser keeps no cookies.
    """
    browser = browser_cookie(exchange)
    if browser is None:
        raise DisplayedError("cookies_blocked")
    step = await _step(exchange, exchange.query.get("interaction", ""), browser)
    chosen = exchange.query.get("ui_locales", "")
    if chosen not in exchange.locales or chosen == step.locale:
        return step
    await keep(exchange, step, locale=chosen)
    return replace(step, locale=chosen)


async def posted_step(exchange: Exchange) -> tuple[Step, Parameters]:
    """Find the interaction of a posted form, and the form.

    Raises:
        FormRefused: the form is not from our page in this browser.
        DisplayedError: as `open_step`.
    """
    form = await exchange.form()
    form.check_no_duplicates()
    interaction_id = form.get("interaction", "")
    if browser_cookie(exchange) is None:
        raise DisplayedError("cookies_blocked")
    browser = check_form(exchange, form.get("csrf"), purpose=interaction_id)
    return await _step(exchange, interaction_id, browser), form


async def _step(exchange: Exchange, interaction_id: str, browser: str) -> Step:
    interaction = await interactions.find(exchange.services, interaction_id, binding=browser)
    if interaction is None:
        raise DisplayedError("interaction_lost")
    if interaction.finished:
        raise DisplayedError("interaction_finished")
    client = await exchange.services.registry.client(interaction.parameters.get("client_id", ""))
    if client is None:
        raise DisplayedError("unknown_client")
    locale = interaction.locale or exchange.locale(interaction.parameters.get("ui_locales"))
    return Step(interaction, client, browser, locale)


def csrf_token(exchange: Exchange, step: Step) -> str:
    """Return the token of this interaction's forms."""
    return form_token(exchange.services, browser=step.browser, purpose=step.interaction.id)


def own_url(exchange: Exchange, path: str, step: Step) -> str:
    """Return the address of a page of this interaction."""
    return interactions.location(exchange.services, path, step.interaction)


@cache
def language_links() -> tuple[LanguageLink, ...]:
    """Return the links that show a page in each of our languages."""
    return tuple(
        LanguageLink(locale, catalogue.text("language.name")) for locale, catalogue in load_catalogues().items()
    )


def go_on(exchange: Exchange, step: Step, cookies: Iterable[tuple[str, str]] = ()) -> Answer:
    """Go back to the dispatcher from a form.

    With a page and a meta refresh, not a redirect: its next redirect leaves our origin, and Chromium would hold the
    whole chain against `form-action 'self'`.
    """
    view = ContinuePage(next_url=own_url(exchange, "/authorize", step), client_name=step.client.name)
    return page(exchange, view, locale=step.locale, cookies=cookies)


async def keep(exchange: Exchange, step: Step, **changes: Any) -> None:
    """Change some fields of an interaction. What another tab, or a second press of the button, changed meanwhile stays.

    Raises:
        DisplayedError: it is over, or keeps changing.
    """
    for _ in range(_MOST_SWAPS):
        if await interactions.update(exchange.services, replace(step.interaction, **changes)) is not None:
            return
        step = await _step(exchange, step.interaction.id, step.browser)
    raise DisplayedError("interaction_lost")
