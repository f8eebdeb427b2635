"""What the metrics count of an event: its name always, and for some kinds what it tells besides."""

from collections.abc import Callable
from typing import Any

from watchword import metrics
from watchword.events.catalogue.codes import (
    CodeExhausted,
    CodeExpired,
    CodeFailed,
    CodeNotSent,
    CodeRefused,
    CodeRequested,
    CodeSent,
    CodeVerified,
    LimitExceeded,
)
from watchword.events.catalogue.event import Event
from watchword.events.catalogue.protocol import TokenIssued

_TELL: dict[type[Event], Callable[[Any], None]] = {
    CodeRequested: lambda event: metrics.code_requested(event.channel, "accepted"),
    CodeRefused: lambda event: metrics.code_requested(metrics.NONE, event.reason),
    CodeSent: lambda event: metrics.message_sent(event.channel, event.gateway, "sent"),
    CodeNotSent: lambda event: metrics.message_sent(event.channel, event.gateway, event.failure),
    CodeVerified: lambda _: metrics.code_checked("right"),
    CodeFailed: lambda _: metrics.code_checked("wrong"),
    CodeExhausted: lambda _: metrics.code_checked("exhausted"),
    CodeExpired: lambda _: metrics.code_checked("expired"),
    LimitExceeded: lambda event: metrics.refused(event.limit, event.scope),
    TokenIssued: lambda event: metrics.token_issued(event.grant_type),
}


def count(event: Event) -> None:
    """Count an event, also one that the audit trail does not keep.

    It is counted when it is recorded: a transaction that is run again, or that does not commit, has been counted.
    """
    metrics.event_recorded(event.name)
    tell = _TELL.get(type(event))
    if tell is not None:
        tell(event)
