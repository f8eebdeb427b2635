"""The console: messages are written to a stream of their own, for development without any page to look at."""

from dataclasses import dataclass, field
from typing import TextIO

from watchword.delivery.gateway import GatewayKind, GatewayURL, Provisions
from watchword.delivery.message import Channel, Message
from watchword.delivery.outcome import DeliveryFailed, Failure, Sent


@dataclass(frozen=True, slots=True)
class ConsoleGateway:
    """Writes messages, code included, to a stream that is not the log."""

    stream: TextIO
    name: str = field(default="console", init=False)
    channels: frozenset[Channel] = field(default=frozenset(Channel), init=False)

    async def send(self, message: Message) -> Sent:
        """Write the message at once.

        Raises:
            DeliveryFailed: the stream cannot be written to.
        """
        try:
            self.stream.write(_page(message))
            self.stream.flush()
        except OSError as error:
            raise DeliveryFailed(Failure.TRANSIENT, f"the stream failed, errno {error.errno}") from None
        return Sent(self.name, message.id)

    async def close(self) -> None:
        """The stream belongs to whoever lent it."""


def _page(message: Message) -> str:
    heading = f"--- {message.channel} to {message.to}"
    subject = f"Subject: {message.subject}\n\n" if message.subject else ""
    return f"{heading}\n{subject}{message.text.rstrip()}\n---\n"


def open_console(url: GatewayURL, provisions: Provisions) -> ConsoleGateway:
    """Open `console://`, which has no options.

    Raises:
        InvalidGatewayURL: it has options.
    """
    url.check_options(frozenset())
    return ConsoleGateway(provisions.stream)


KIND = GatewayKind(open_console, channels=frozenset(Channel), development_only=True)
