"""Says it: turns what is to be sent into a message, in the recipient's language and the channel's form.

Texts are in the catalogues (`[message]`), the shape of the email in `templates/`. Names that others chose pass through
`plain_name` first, so no client puts a link, a line break or markup into a message that carries our sender.

What a message says but for its code and its time is the same for everybody who signs in to a client, so it is worded
once; neither recipients nor codes are kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import escape

from watchword.delivery.message import Channel, Message
from watchword.delivery.names import plain_name
from watchword.locale import Catalogue, choose_locale, load_catalogues

_CODE: Final = "\ue000"  # in the place of a code and of a time until they are known: no plain name holds them
_TIME: Final = "\ue001"
_SMS_BRAND_LIMIT: Final = 20  # with it and a host of up to 75 characters, an English SMS is one GSM-7 part


@dataclass(frozen=True, slots=True)
class Brand:
    """The operator, as messages name them.

    Attributes:
        name: shown in every message, as `plain_name` leaves it.
        support: an address or URL of the operator's own, shown as it is at the end of emails.
    """

    name: str
    support: str | None = None


@dataclass(frozen=True, slots=True)
class CodeNotice:
    """What a message with a one-time code is to say. Nothing of it is checked.

    Attributes:
        one_time_code: ASCII digits.
        sent_at: now, so that the message can say how many minutes are left.
        expires_at: when the code stops working (aware).
        brand: who sends it.
        client_name: what the person signs in to, as the client registered it; made plain before it is shown.
        origin_host: host of the page that asks for the code, without port. Browsers fill the code in only there.
        locale: wanted language; the nearest we have is taken.
    """

    one_time_code: str = field(repr=False)
    sent_at: datetime
    expires_at: datetime
    brand: Brand
    client_name: str
    origin_host: str
    locale: str


def render_one_time_code(channel: Channel, notice: CodeNotice, *, to: str, delivery_id: str) -> Message:
    """The message to `to` that carries a one-time code, in the form of its channel.

    `delivery_id` names this delivery: ASCII letters, digits, `-` and `_`, since it becomes part of a header.
    """
    minutes_left = max(1, round((notice.expires_at - notice.sent_at).total_seconds() / 60))
    wording = _word(channel, notice.brand, notice.client_name, notice.origin_host, notice.locale, minutes_left)
    content = wording.filled(notice.one_time_code, notice.expires_at.astimezone(UTC).strftime("%H:%M %Z"))
    return Message(
        id=delivery_id,
        channel=channel,
        to=to,
        one_time_code=notice.one_time_code,
        subject=content.subject,
        text=content.text,
        html=content.html,
        locale=content.locale,
        expires_at=notice.expires_at,
    )


@dataclass(frozen=True, slots=True, repr=False)
class _Facts:
    """What a message says in one language, every name already plain."""

    catalogue: Catalogue
    minutes_left: int
    brand: str
    support: str | None
    client: str
    origin_host: str

    def say(self, key: str, **values: object) -> str:
        return self.catalogue.text(f"message.{key}", **values)


@dataclass(frozen=True, slots=True, repr=False)
class _Content:
    locale: str
    text: str
    subject: str | None = None
    html: str | None = None

    def filled(self, one_time_code: str, time: str) -> "_Content":
        """Return it with a code and a time in their places."""
        return _Content(
            self.locale,
            _fill(self.text, one_time_code, time),
            self.subject and _fill(self.subject, one_time_code, time),
            self.html and _fill(self.html, str(escape(one_time_code)), str(escape(time))),
        )


def _fill(text: str, one_time_code: str, time: str) -> str:
    return text.replace(_CODE, one_time_code).replace(_TIME, time)


@lru_cache(maxsize=256)
def _word(
    channel: Channel, brand: Brand, client_name: str, origin_host: str, locale: str, minutes_left: int
) -> _Content:
    """Word a message, with marks for its code and its time."""
    catalogues = load_catalogues()
    plain_brand = plain_name(brand.name) or origin_host
    facts = _Facts(
        catalogue=catalogues[choose_locale(locale, None, catalogues)],
        minutes_left=minutes_left,
        brand=plain_brand,
        support=brand.support,
        client=plain_name(client_name) or plain_brand,
        origin_host=origin_host,
    )
    return _CONTENT[channel](facts)


def _email(facts: _Facts) -> _Content:
    say = facts.say
    subject = say("email_subject", one_time_code=_CODE, brand=facts.brand)
    expires = say("email_expires_in", time=_TIME, count=facts.minutes_left)
    lines = {
        "locale": facts.catalogue.locale,
        "direction": facts.catalogue.direction,
        "subject": subject,
        "brand": facts.brand,
        "one_time_code": _CODE,
        "preheader": expires,
        "enter": say("email_enter"),
        "expires": expires,
        "client": say("email_client", client=facts.client),
        "ignore": say("email_ignore"),
        "never_share": say("email_never_share"),
        "support": say("email_support", support=facts.support) if facts.support else "",
    }
    text, html = (_templates().get_template(f"one_time_code.{form}").render(lines) for form in ("txt", "html"))
    return _Content(facts.catalogue.locale, text, subject, html)


def _sms(facts: _Facts) -> _Content:
    """The explanation, a blank line, and last the line that binds the code to our origin (WICG origin-bound codes)."""
    brand = facts.brand[:_SMS_BRAND_LIMIT].rstrip()
    explanation = facts.say("sms", one_time_code=_CODE, brand=brand)
    return _Content(facts.catalogue.locale, f"{explanation}\n\n@{facts.origin_host} #{_CODE}")


def _whatsapp(facts: _Facts) -> _Content:
    """For gateways without a template of their own; those with one take only the code."""
    text = facts.say("whatsapp", one_time_code=_CODE, brand=facts.brand, time=_TIME)
    return _Content(facts.catalogue.locale, text)


_CONTENT: Final[Mapping[Channel, Callable[[_Facts], _Content]]] = {
    Channel.EMAIL: _email,
    Channel.SMS: _sms,
    Channel.WHATSAPP: _whatsapp,
}


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("watchword.delivery"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
    )
