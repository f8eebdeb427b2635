"""The login pages: what a person types, the code they got, and the ways back and out."""

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from starlette.responses import Response

from watchword import sessions
from watchword.delivery.message import Channel
from watchword.locale import load_catalogues
from watchword.login.asking import (
    CodeRequest,
    RateLimited,
    challenge_name,
    find_challenge,
    record_refusal,
    request_code,
)
from watchword.login.challenge import Challenge
from watchword.login.guessing import CodeGone, CodeIncorrect, CodeMalformed, verify_code
from watchword.login.identifier import IdentifierInvalid, IdentifierNotAllowed, parse_identifier
from watchword.login.locks import Locked
from watchword.login.signing_in import sign_in
from watchword.pages.regions import phone_region_choices
from watchword.pages.steps import Step, csrf_token, go_on, keep, language_links, open_step, own_url, posted_step
from watchword.pages.views import CodePage, IdentifierPage
from watchword.protocol.errors import AccessDenied, DisplayedError
from watchword.web.answers import page, see_other
from watchword.web.cookies import session_cookie, session_cookie_name, set_cookie
from watchword.web.exchange import Exchange


async def show_identifier(exchange: Exchange) -> Response:
    """The first page: who are you? One step of the ephemeral store."""
    step = await open_step(exchange)
    known = step.interaction.identifier
    typed = known.display if known else step.interaction.parameters.get("login_hint", "")
    return _identifier_page(exchange, step, typed=typed)


async def ask_for_code(exchange: Exchange) -> Response:
    """Take what was typed, send a code, go to the next page. The same for known and unknown people.

    Five steps of the ephemeral store; one transaction of two statements.
    """
    step, form = await posted_step(exchange)
    settings = exchange.services.settings
    typed, region = form.get("identifier", ""), form.get("region", settings.default_region)
    again = partial(_identifier_page, exchange, step, typed=typed[:254], region=region)
    kinds = _accepted_kinds(exchange)
    try:
        identifier = parse_identifier(typed, region=region, phone_regions=settings.phone_regions, kinds=kinds)
    except (IdentifierInvalid, IdentifierNotAllowed) as refused:
        await record_refusal(exchange.services, refused.error, client_id=step.client.id, caller=exchange.caller)
        return again(error=_identifier_text(step, refused, kinds), status=400)
    try:
        await request_code(
            exchange.services, CodeRequest(identifier, step.client, step.browser, step.locale, exchange.caller)
        )
    except RateLimited as refused:
        # A code for this identifier is on its way already: the next page is where it is typed.
        if await find_challenge(exchange.services, identifier, step.client, step.browser) is None:
            return again(error=_rate_limited_text(step, refused), status=429, retry_after=refused.retry_after)
    except Locked as refused:
        return again(error=_locked_text(step, refused), status=429, retry_after=refused.retry_after)
    await keep(exchange, step, identifier=identifier)
    return see_other(own_url(exchange, "/login/code", step))


async def show_code(exchange: Exchange) -> Response:
    """The second page: which code did you get? Two steps of the ephemeral store."""
    step = await open_step(exchange)
    if step.interaction.identifier is None:
        return see_other(own_url(exchange, "/login", step))
    challenge = await _challenge(exchange, step)
    if challenge is None:
        return _code_page(exchange, step, None, error=_text(step, "error.otp_expired"))
    notice = _text(step, "code.resent") if challenge.sends > 1 else None
    return _code_page(exchange, step, challenge, notice=notice)


async def check_code(exchange: Exchange) -> Response:
    """Take the typed code; a right one signs the browser in.

    Five steps of the ephemeral store; one statement to find the browser's session and one transaction of four, seven
    for a new person.
    """
    step, form = await posted_step(exchange)
    services, caller = exchange.services, exchange.caller
    if step.interaction.identifier is None:
        return see_other(own_url(exchange, "/login", step))
    try:
        typed = form.get("one_time_code", "")
        proof = await verify_code(
            services, _challenge_id(exchange, step), typed, client_id=step.client.id, caller=caller
        )
        current = await sessions.find(services, session_cookie(exchange))
        started = await sign_in(services, proof, client_id=step.client.id, caller=caller, current=current)
    except (CodeMalformed, CodeIncorrect, CodeGone, Locked) as refused:
        return await _wrong_code(exchange, step, refused)
    except AccessDenied:
        raise DisplayedError("account_disabled") from None
    settings = services.settings
    cookie = set_cookie(settings, session_cookie_name(settings), started.cookie, settings.session_lifetime)
    return go_on(exchange, step, [cookie])


async def resend(exchange: Exchange) -> Response:
    """Send the live code again, or begin anew when it is over."""
    step, _ = await posted_step(exchange)
    identifier = step.interaction.identifier
    if identifier is None:
        return see_other(own_url(exchange, "/login", step))
    try:
        await request_code(
            exchange.services, CodeRequest(identifier, step.client, step.browser, step.locale, exchange.caller)
        )
    except RateLimited as refused:
        error = _rate_limited_text(step, refused)
        challenge = await _challenge(exchange, step)
        return _code_page(exchange, step, challenge, error=error, status=429, retry_after=refused.retry_after)
    except Locked as refused:
        return _locked_page(exchange, step, refused)
    return see_other(own_url(exchange, "/login/code", step))


async def back_to_code(exchange: Exchange) -> Response:
    """Whoever opens the address of an answered form finds the page the form was on."""
    return see_other(own_url(exchange, "/login/code", await open_step(exchange)))


async def change_identifier(exchange: Exchange) -> Response:
    """Go back to the first page."""
    step, _ = await posted_step(exchange)
    return see_other(own_url(exchange, "/login", step))


async def cancel(exchange: Exchange) -> Response:
    """Give up: the client gets `access_denied`."""
    step, _ = await posted_step(exchange)
    await keep(exchange, step, cancelled=True)
    return go_on(exchange, step)


async def _wrong_code(
    exchange: Exchange, step: Step, refused: CodeMalformed | CodeIncorrect | CodeGone | Locked
) -> Response:
    if isinstance(refused, Locked):
        return _locked_page(exchange, step, refused)
    if isinstance(refused, CodeGone):
        current = await sessions.find(exchange.services, session_cookie(exchange))
        if current is not None and current.auth_time > step.interaction.started_at:
            return go_on(exchange, step)  # signed in meanwhile, in another tab
        return _code_page(exchange, step, None, error=_text(step, "error.otp_expired"), status=400)
    left = refused.guesses_left if isinstance(refused, CodeIncorrect) else None
    challenge = await _challenge(exchange, step)
    length = challenge.length if challenge else exchange.services.settings.one_time_code_length
    error = _text(step, f"error.{refused.error}", length=length)
    return _code_page(exchange, step, challenge, error=error, attempts_left=left, status=400)


def _locked_page(exchange: Exchange, step: Step, refused: Locked) -> Response:
    error = _locked_text(step, refused)
    return _code_page(exchange, step, None, error=error, status=429, retry_after=refused.retry_after)


def _challenge_id(exchange: Exchange, step: Step) -> str:
    assert step.interaction.identifier is not None
    return challenge_name(exchange.services, step.interaction.identifier, step.client, step.browser)


async def _challenge(exchange: Exchange, step: Step) -> Challenge | None:
    assert step.interaction.identifier is not None
    return await find_challenge(exchange.services, step.interaction.identifier, step.client, step.browser)


def _identifier_page(
    exchange: Exchange,
    step: Step,
    *,
    typed: str,
    region: str | None = None,
    error: str | None = None,
    status: int = 200,
    retry_after: timedelta | None = None,
) -> Response:
    settings = exchange.services.settings
    view = IdentifierPage(
        action=own_url(exchange, "/login", step),
        cancel_action=own_url(exchange, "/login/cancel", step),
        interaction=step.interaction.id,
        csrf=csrf_token(exchange, step),
        client_name=step.client.name,
        identifier=typed,
        error=error,
        region=region or settings.default_region,
        regions=phone_region_choices(settings.phone_regions),
        accepts=_accepted_kinds(exchange),
        can_cancel=True,
        language_links=language_links(exchange, "/login", step),
    )
    return page(exchange, view, status=status, locale=step.locale, headers=_wait(retry_after))


def _code_page(
    exchange: Exchange,
    step: Step,
    challenge: Challenge | None,
    *,
    error: str | None = None,
    notice: str | None = None,
    attempts_left: int | None = None,
    status: int = 200,
    retry_after: timedelta | None = None,
) -> Response:
    settings, identifier = exchange.services.settings, step.interaction.identifier
    assert identifier is not None
    view = CodePage(
        action=own_url(exchange, "/login/code", step),
        resend_action=own_url(exchange, "/login/resend", step),
        change_action=own_url(exchange, "/login/change", step),
        cancel_action=own_url(exchange, "/login/cancel", step),
        interaction=step.interaction.id,
        csrf=csrf_token(exchange, step),
        client_name=step.client.name,
        sent_to=identifier.display,
        channel=_channel(identifier.kind, challenge),
        code_length=challenge.length if challenge else settings.one_time_code_length,
        error=error,
        # Until one guess was wrong the number would only worry people.
        attempts_left=attempts_left,
        minutes_left=_minutes_left(exchange, challenge),
        resend_in=_resend_in(exchange, challenge),
        notice=notice,
        identifier=identifier.display,
        language_links=language_links(exchange, "/login/code", step),
    )
    return page(exchange, view, status=status, locale=step.locale, headers=_wait(retry_after))


def _wait(retry_after: timedelta | None) -> dict[str, str]:
    return {} if retry_after is None else {"retry-after": str(_seconds(retry_after))}


def _minutes_left(exchange: Exchange, challenge: Challenge | None) -> int:
    if challenge is None:
        return 0
    return max(-(-_seconds(challenge.expires_at - exchange.services.clock.now()) // 60), 1)


def _resend_in(exchange: Exchange, challenge: Challenge | None) -> int:
    if challenge is None or exchange.services.settings.test_limits == "off":
        return 0
    wait = (challenge.resend_at or challenge.expires_at) - exchange.services.clock.now()
    return max(_seconds(wait), 0)


def _channel(kind: str, challenge: Challenge | None) -> Literal["email", "sms", "whatsapp"]:
    if challenge is not None:
        return challenge.channel.value
    return "email" if kind == "email" else "sms"


def _accepted_kinds(exchange: Exchange) -> frozenset[str]:
    gateways, settings = exchange.services.gateways, exchange.services.settings
    phones = bool(settings.phone_regions) and bool({Channel.SMS, Channel.WHATSAPP} & gateways.keys())
    return frozenset(kind for kind, served in (("email", Channel.EMAIL in gateways), ("phone", phones)) if served)


def _identifier_text(step: Step, refused: IdentifierInvalid | IdentifierNotAllowed, kinds: Collection[str]) -> str:
    """Say what to type, without naming a kind that is not accepted here."""
    only = f"_{min(kinds)}" if isinstance(refused, IdentifierInvalid) and len(kinds) == 1 else ""
    return _text(step, f"error.{refused.error}{only}")


def _rate_limited_text(step: Step, refused: RateLimited) -> str:
    return _text(step, "error.rate_limited", seconds=_seconds(refused.retry_after))


def _locked_text(step: Step, refused: Locked) -> str:
    return _text(step, "error.otp_locked", minutes=max(round(refused.retry_after.total_seconds() / 60), 1))


def _text(step: Step, key: str, **values: Any) -> str:
    return load_catalogues()[step.locale].text(key, **values)


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds() + 0.999)
