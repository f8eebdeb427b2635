"""What is sent: a rendered message that knows nothing of the gateway it will travel through."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Channel(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one recipient, in one language. Its repr shows neither the recipient nor what is said.

    Attributes:
        id: names this delivery; gateways take it for idempotency and correlation, so a repeat carries the same one.
        to: an email address (its domain in ASCII), or a phone number in E.164 with its `+`.
        one_time_code: for gateways that fill a template of their own, and for the development mailbox.
        subject: the subject line; None where the channel has none.
        text: the whole message as plain text.
        html: the same as HTML; None where the channel has no such part.
        locale: the language the message is written in (BCP 47).
        expires_at: when the one-time code stops working (aware UTC); sending later than this is useless.
        link: an address to open in place of typing a code.
    """

    id: str
    channel: Channel
    to: str = field(repr=False)
    one_time_code: str | None = field(repr=False)
    subject: str | None = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(repr=False)
    locale: str
    expires_at: datetime
    link: str | None = field(default=None, repr=False)
