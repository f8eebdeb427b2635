"""What the login pages show at a moment: who is asked, what was sent, and every refusal in the person's words."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Literal

from watchword.locale import load_catalogues
from watchword.login.challenge import DIGITS, Challenge
from watchword.login.guessing import CodeIncorrect, CodeMalformed
from watchword.login.identifier import IdentifierInvalid, IdentifierNotAllowed
from watchword.login.limits import RateLimited
from watchword.login.locks import Locked
from watchword.login.methods import accepted_kinds
from watchword.pages.regions import phone_region_choices
from watchword.pages.steps import Step, csrf_token, language_links, own_url
from watchword.pages.views import CodePage, IdentifierPage
from watchword.protocol.authorization_request import acr_demand, asked_claims
from watchword.web.answers import page
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

_UNITS = (("days", 86_400, 2), ("hours", 3600, 2), ("minutes", 60, 2))


def identifier_page(
    exchange: Exchange,
    step: Step,
    *,
    typed: str,
    region: str | None = None,
    error: str | None = None,
    status: int = 200,
    retry_after: timedelta | None = None,
) -> Answer:
    """Show the first page."""
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
        creating="create" in step.interaction.parameters.get("prompt", "").split(),
        accepts=kinds_asked(exchange, step),
        can_cancel=True,
        language_links=language_links(),
        here=own_url(exchange, "/login", step),
    )
    return page(exchange, view, status=status, locale=step.locale, headers=_wait(retry_after))


def code_page(
    exchange: Exchange,
    step: Step,
    challenge: Challenge | None,
    *,
    error: str | None = None,
    notice: str | None = None,
    attempts_left: int | None = None,
    status: int = 200,
    retry_after: timedelta | None = None,
) -> Answer:
    """Show the second page, with or without a live challenge."""
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
        code_letters=challenge is not None and challenge.alphabet != DIGITS,
        error=error,
        # Until one guess was wrong the number would only worry people.
        attempts_left=attempts_left,
        minutes_left=_minutes_left(exchange, challenge),
        resend_in=_resend_in(exchange, challenge),
        notice=notice,
        identifier=identifier.display,
        language_links=language_links(),
        here=own_url(exchange, "/login/code", step),
    )
    return page(exchange, view, status=status, locale=step.locale, headers=_wait(retry_after))


def kinds_asked(exchange: Exchange, step: Step) -> frozenset[str]:
    """Return the kinds of identifiers that some gateway serves and whose proof meets the client's demand for `acr`."""
    parameters = step.interaction.parameters
    demand = acr_demand(parameters, step.client, asked_claims(parameters, step.client))
    return accepted_kinds(exchange.services, demand)


def identifier_refused(step: Step, refused: IdentifierInvalid | IdentifierNotAllowed, kinds: Collection[str]) -> str:
    """Say what to type, without naming a kind that is not accepted here."""
    only = f"_{min(kinds)}" if isinstance(refused, IdentifierInvalid) and len(kinds) == 1 else ""
    return text(step, f"error.{refused.error}{only}")


def code_refused(
    exchange: Exchange, step: Step, challenge: Challenge | None, refused: CodeMalformed | CodeIncorrect
) -> str:
    """Say that a code is wrong, or what it looks like."""
    letters = "_letters" if challenge is not None and challenge.alphabet != DIGITS else ""
    length = challenge.length if challenge else exchange.services.settings.one_time_code_length
    only = letters if isinstance(refused, CodeMalformed) else ""
    return text(step, f"error.{refused.error}{only}", length=length)


def limit_reached(step: Step, refused: RateLimited) -> str:
    """Say which limit refuses, whose it is and when it lifts: the same words whether anybody has the identifier."""
    about = "guesses" if refused.about_guesses else "codes"
    key = "cool_down" if refused.limit == "cool_down" else f"{about}_{refused.scope}"
    return text(step, f"limit.{key}", wait=_spell_wait(step, refused.retry_after))


def locked(step: Step, refused: Locked) -> str:
    """Say that the guesses of this browser are spent."""
    return text(step, "error.otp_locked", minutes=max(round(refused.retry_after.total_seconds() / 60), 1))


def text(step: Step, key: str, **values: Any) -> str:
    """Return a text in the language of the interaction."""
    return load_catalogues()[step.locale].text(key, **values)


def _spell_wait(step: Step, duration: timedelta) -> str:
    """Write a wait in the largest unit of which there are two, rounded up."""
    seconds = _seconds(duration)
    unit, length = next(((name, each) for name, each, least in _UNITS if seconds >= least * each), ("seconds", 1))
    return text(step, f"limit.wait_{unit}", count=-(-seconds // length))


def _wait(retry_after: timedelta | None) -> dict[str, str]:
    return {} if retry_after is None else {"retry-after": str(_seconds(retry_after))}


def _minutes_left(exchange: Exchange, challenge: Challenge | None) -> int:
    if challenge is None:
        return 0
    return max(-(-_seconds(challenge.expires_at - exchange.services.clock.now()) // 60), 1)


def _resend_in(exchange: Exchange, challenge: Challenge | None) -> int:
    settings = exchange.services.settings
    if challenge is None or settings.test_limits == "off":
        return 0
    resend_at = challenge.resend_at(settings.cool_downs, settings.sends_per_challenge)
    return max(_seconds((resend_at or challenge.expires_at) - exchange.services.clock.now()), 0)


def _channel(kind: str, challenge: Challenge | None) -> Literal["email", "sms", "whatsapp"]:
    if challenge is not None:
        return challenge.channel.value
    return "email" if kind == "email" else "sms"


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds() + 0.999)
