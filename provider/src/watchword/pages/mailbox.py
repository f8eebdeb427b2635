"""The development mailbox, as a page and as JSON."""

from datetime import datetime

from watchword.messages.mailbox import Mailbox
from watchword.pages.views import MailboxMessage, MailboxPage
from watchword.web.answers import json_answer, page
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer


async def show(exchange: Exchange) -> Answer:
    """Show what was sent, newest first."""
    to = exchange.query.get("to")
    messages = await Mailbox(exchange.services.ephemeral).messages(to)
    view = MailboxPage(
        messages=tuple(
            MailboxMessage(
                id=message["id"],
                to=message["to"],
                channel=message["channel"],
                gateway=message["gateway"],
                subject=message["subject"],
                text=message["text"],
                one_time_code=message["one_time_code"],
                sent_at=datetime.fromisoformat(message["sent_at"]),
            )
            for message in messages
        ),
        to=to or "",
    )
    return page(exchange, view)


async def list_messages(exchange: Exchange) -> Answer:
    """List what was sent, newest first."""
    messages = await Mailbox(exchange.services.ephemeral).messages(exchange.query.get("to"))
    return json_answer({"messages": list(messages)})
