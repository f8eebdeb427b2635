"""Messages the delivery tests send, and a moment they share."""

from datetime import UTC, datetime, timedelta

from watchword.delivery.message import Channel, Message

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ONE_TIME_CODE = "904172"
SENDER = "Example <login@id.example.com>"
RECIPIENTS = {
    Channel.EMAIL: "asha.private@mail.example",
    Channel.SMS: "+919812345678",
    Channel.WHATSAPP: "+919812345678",
}


def message(channel: Channel = Channel.EMAIL, *, to: str | None = None) -> Message:
    """A message whose every private part can be recognised."""
    return Message(
        id="delivery-7f3a",
        channel=channel,
        to=RECIPIENTS[channel] if to is None else to,
        one_time_code=ONE_TIME_CODE,
        subject=f"{ONE_TIME_CODE} is your Example code" if channel is Channel.EMAIL else None,
        text=f"Example\n\n{ONE_TIME_CODE}\n\nनमस्ते\n",
        html=f"<p>{ONE_TIME_CODE}</p>" if channel is Channel.EMAIL else None,
        locale="en",
        expires_at=NOW + timedelta(minutes=5),
    )


def private_parts(sent: Message) -> tuple[str, ...]:
    """What must not be seen in any log, error or repr."""
    return tuple(part for part in (sent.to, sent.one_time_code, sent.text, sent.subject, sent.html) if part)
