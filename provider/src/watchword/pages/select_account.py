"""The page of `prompt=select_account`: go on as who is signed in, or as somebody else?"""

from watchword import sessions
from watchword.accounts.label import account_label
from watchword.pages.steps import Step, csrf_token, go_on, keep, language_links, open_step, own_url, posted_step
from watchword.pages.views import SelectAccountPage
from watchword.protocol.interaction import Session
from watchword.web.answers import page, see_other
from watchword.web.cookies import session_cookie
from watchword.web.exchange import Exchange
from watchword.web.forms import form_token
from watchword.web.wire import Answer


async def show(exchange: Exchange) -> Answer:
    """Ask which account to go on with. One step of the ephemeral store, two statements."""
    step = await open_step(exchange)
    session = await sessions.find(exchange.services, session_cookie(exchange))
    if session is None:
        return see_other(own_url(exchange, "/authorize", step))
    view = SelectAccountPage(
        action=own_url(exchange, "/login/select-account", step),
        cancel_action=own_url(exchange, "/login/cancel", step),
        interaction=step.interaction.id,
        csrf=csrf_token(exchange, step),
        shown_to=_shown_to(exchange, step, session),
        client_name=step.client.name,
        account_label=await account_label(exchange.services.database, session.account_id),
        language_links=language_links(),
        here=own_url(exchange, "/login/select-account", step),
    )
    return page(exchange, view, locale=step.locale)


async def decide(exchange: Exchange) -> Answer:
    """Take the choice, and go back to the dispatcher. Two steps of the ephemeral store, one statement."""
    step, form = await posted_step(exchange)
    session = await sessions.find(exchange.services, session_cookie(exchange))
    if session is None or form.get("shown_to") != _shown_to(exchange, step, session):
        return see_other(own_url(exchange, "/login/select-account", step))  # somebody else is here now: asked anew
    if form.get("decision") == "continue":
        await keep(exchange, step, selected=session.account_id, another=False)
    elif form.get("decision") == "another":
        await keep(exchange, step, selected=None, another=True)
    return go_on(exchange, step)


def _shown_to(exchange: Exchange, step: Step, session: Session) -> str:
    """Tie the page to the account it names: the choice of one person is not that of the next one in this browser."""
    purpose = f"{step.interaction.id} chosen by {session.account_id}"
    return form_token(exchange.services, browser=step.browser, purpose=purpose)
