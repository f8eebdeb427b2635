"""The development mailbox: every message lands in a journal that the provider shows as a page and as JSON."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from watchword.delivery.gateway import (
    GatewayKind,
    GatewayURL,
    InvalidGatewayURL,
    MailboxJournal,
    Provisions,
)
from watchword.delivery.message import Channel, Message
from watchword.delivery.outcome import DeliveryFailed, Failure, Sent


@dataclass(frozen=True, slots=True)
class MailboxGateway:
    """Keeps messages for the developer, code included."""

    journal: MailboxJournal
    now: Callable[[], datetime]
    name: str = field(default="mailbox", init=False)
    channels: frozenset[Channel] = field(default=frozenset(Channel), init=False)

    async def send(self, message: Message) -> Sent:
        """Append the message to the journal.

        Raises:
            DeliveryFailed: the journal answered with an OSError, a timeout included.
        """
        try:
            await self.journal.append(_entry(message, gateway=self.name, sent_at=self.now()))
        except TimeoutError:
            raise DeliveryFailed(Failure.TIMEOUT, "the journal did not answer") from None
        except OSError as error:
            raise DeliveryFailed(Failure.TRANSIENT, f"the journal failed, errno {error.errno}") from None
        return Sent(self.name, message.id)

    async def close(self) -> None:
        """Nothing is held."""


def _entry(message: Message, *, gateway: str, sent_at: datetime) -> bytes:
    return orjson.dumps(
        {
            "id": message.id,
            "to": message.to,
            "channel": message.channel,
            "gateway": gateway,
            "subject": message.subject,
            "text": message.text,
            "one_time_code": message.one_time_code,
            "link": message.link,
            "sent_at": sent_at,
        },
        option=orjson.OPT_UTC_Z,
    )


def open_mailbox(url: GatewayURL, provisions: Provisions) -> MailboxGateway:
    """Open `mailbox://`, which has no options.

    Raises:
        InvalidGatewayURL: it has options, or no journal is lent.
    """
    url.check_options(frozenset())
    if provisions.journal is None:
        raise InvalidGatewayURL("mailbox:// needs the provider's journal")
    return MailboxGateway(provisions.journal, provisions.now)


KIND = GatewayKind(open_mailbox, channels=frozenset(Channel), development_only=True)
