"""The login pages: what a person types, the code they got, and the ways back and out."""

from functools import partial

from watchword import sessions
from watchword.accounts import Identifier
from watchword.login.asking import CodeRequest, challenge_name, find_challenge, record_refusal, request_code
from watchword.login.challenge import Challenge
from watchword.login.guessing import CodeGone, CodeIncorrect, CodeMalformed, verify_code
from watchword.login.identifier import IdentifierInvalid, IdentifierNotAllowed, parse_identifier
from watchword.login.limits import RateLimited
from watchword.login.locks import Locked
from watchword.login.signing_in import SignedIn, sign_in
from watchword.pages.prompts import (
    code_page,
    code_refused,
    identifier_page,
    identifier_refused,
    kinds_asked,
    limit_reached,
    locked,
    text,
)
from watchword.pages.steps import Step, go_on, keep, open_step, own_url, posted_step
from watchword.protocol.errors import AccessDenied, DisplayedError
from watchword.web.answers import see_other
from watchword.web.cookies import device_cookie, device_cookie_name, session_cookie, session_cookie_name, set_cookie
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer


async def show_identifier(exchange: Exchange) -> Answer:
    """The first page: who are you? One step of the ephemeral store."""
    step = await open_step(exchange)
    known = step.interaction.identifier
    typed = known.display if known else step.interaction.parameters.get("login_hint", "")
    return identifier_page(exchange, step, typed=typed)


async def ask_for_code(exchange: Exchange) -> Answer:
    """Take what was typed, send a code, go to the next page. The same for known and unknown people.

    Five steps of the ephemeral store; one statement, two in a browser that signed in before, and one transaction of
    two.
    """
    step, form = await posted_step(exchange)
    settings = exchange.services.settings
    typed, region = form.get("identifier", ""), form.get("region", settings.default_region)
    again = partial(identifier_page, exchange, step, typed=typed[:254], region=region)
    kinds = kinds_asked(exchange, step)
    try:
        identifier = parse_identifier(typed, region=region, phone_regions=settings.phone_regions, kinds=kinds)
    except (IdentifierInvalid, IdentifierNotAllowed) as refused:
        await record_refusal(exchange.services, refused.error, client_id=step.client.id, caller=exchange.caller)
        return again(error=identifier_refused(step, refused, kinds), status=400)
    try:
        await _request(exchange, step, identifier)
    except RateLimited as refused:
        # A code for this identifier is on its way already: the next page is where it is typed.
        if await find_challenge(exchange.services, identifier, step.client, step.browser) is None:
            return again(error=limit_reached(step, refused), status=429, retry_after=refused.retry_after)
    except Locked as refused:
        return again(error=locked(step, refused), status=429, retry_after=refused.retry_after)
    await keep(exchange, step, identifier=identifier)
    return see_other(own_url(exchange, "/login/code", step))


async def show_code(exchange: Exchange) -> Answer:
    """The second page: which code did you get? Two steps of the ephemeral store."""
    step = await open_step(exchange)
    if step.interaction.identifier is None:
        return see_other(own_url(exchange, "/login", step))
    challenge = await _challenge(exchange, step)
    if challenge is None:
        return code_page(exchange, step, None, error=text(step, "error.otp_expired"))
    notice = text(step, "code.resent") if challenge.sends > 1 else None
    return code_page(exchange, step, challenge, notice=notice)


async def check_code(exchange: Exchange) -> Answer:
    """Take the typed code; a right one signs the browser in, which is known from strangers from then on.

    Five steps of the ephemeral store; a transaction of two statements before the comparison, one statement to find the
    browser's session, and a transaction of six, up to five more for a new person in a new browser.
    """
    step, form = await posted_step(exchange)
    if step.interaction.identifier is None:
        return see_other(own_url(exchange, "/login", step))
    try:
        signed_in = await _sign_in(exchange, step, form.get("one_time_code", ""))
    except (CodeMalformed, CodeIncorrect, CodeGone, Locked, RateLimited) as refused:
        return await _wrong_code(exchange, step, refused)
    except AccessDenied:
        raise DisplayedError("account_disabled") from None
    settings = exchange.services.settings
    session = set_cookie(settings, session_cookie_name(settings), signed_in.started.cookie, settings.session_lifetime)
    device = set_cookie(settings, device_cookie_name(settings), signed_in.device, settings.device_lifetime)
    return go_on(exchange, step, [session, device])


async def resend(exchange: Exchange) -> Answer:
    """Send the live code again, or begin anew when it is over."""
    step, _ = await posted_step(exchange)
    identifier = step.interaction.identifier
    if identifier is None:
        return see_other(own_url(exchange, "/login", step))
    try:
        await _request(exchange, step, identifier)
    except RateLimited as refused:
        return await _limited_page(exchange, step, refused)
    except Locked as refused:
        return _locked_page(exchange, step, refused)
    return see_other(own_url(exchange, "/login/code", step))


async def back_to_code(exchange: Exchange) -> Answer:
    """Whoever opens the address of an answered form finds the page the form was on."""
    return see_other(own_url(exchange, "/login/code", await open_step(exchange)))


async def change_identifier(exchange: Exchange) -> Answer:
    """Go back to the first page."""
    step, _ = await posted_step(exchange)
    return see_other(own_url(exchange, "/login", step))


async def cancel(exchange: Exchange) -> Answer:
    """Give up: the client gets `access_denied`."""
    step, _ = await posted_step(exchange)
    await keep(exchange, step, cancelled=True)
    return go_on(exchange, step)


async def _request(exchange: Exchange, step: Step, identifier: Identifier) -> None:
    asked = CodeRequest(
        identifier, step.client, step.browser, step.locale, exchange.caller, device=device_cookie(exchange)
    )
    await request_code(exchange.services, asked)


async def _sign_in(exchange: Exchange, step: Step, typed: str) -> SignedIn:
    services, caller, client_id = exchange.services, exchange.caller, step.client.id
    proof = await verify_code(services, _challenge_id(exchange, step), typed, client_id=client_id, caller=caller)
    current = await sessions.find(services, session_cookie(exchange))
    return await sign_in(
        services, proof, client_id=client_id, caller=caller, current=current, device=device_cookie(exchange)
    )


async def _wrong_code(
    exchange: Exchange, step: Step, refused: CodeMalformed | CodeIncorrect | CodeGone | Locked | RateLimited
) -> Answer:
    if isinstance(refused, Locked):
        return _locked_page(exchange, step, refused)
    if isinstance(refused, RateLimited):
        return await _limited_page(exchange, step, refused)
    if isinstance(refused, CodeGone):
        current = await sessions.find(exchange.services, session_cookie(exchange))
        if current is not None and current.auth_time > step.interaction.started_at:
            return go_on(exchange, step)  # signed in meanwhile, in another tab
        return code_page(exchange, step, None, error=text(step, "error.otp_expired"), status=400)
    left = refused.guesses_left if isinstance(refused, CodeIncorrect) else None
    challenge = await _challenge(exchange, step)
    error = code_refused(exchange, step, challenge, refused)
    return code_page(exchange, step, challenge, error=error, attempts_left=left, status=400)


async def _limited_page(exchange: Exchange, step: Step, refused: RateLimited) -> Answer:
    challenge = await _challenge(exchange, step)
    error = limit_reached(step, refused)
    return code_page(exchange, step, challenge, error=error, status=429, retry_after=refused.retry_after)


def _locked_page(exchange: Exchange, step: Step, refused: Locked) -> Answer:
    return code_page(exchange, step, None, error=locked(step, refused), status=429, retry_after=refused.retry_after)


def _challenge_id(exchange: Exchange, step: Step) -> str:
    assert step.interaction.identifier is not None
    return challenge_name(exchange.services, step.interaction.identifier, step.client, step.browser)


async def _challenge(exchange: Exchange, step: Step) -> Challenge | None:
    assert step.interaction.identifier is not None
    return await find_challenge(exchange.services, step.interaction.identifier, step.client, step.browser)
