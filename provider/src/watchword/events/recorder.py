"""Recording events: in the same transaction as what they tell."""

import unicodedata
from dataclasses import dataclass, fields

from watchword import metrics
from watchword.database import Database, Transaction, audit
from watchword.events.catalogue.event import Event
from watchword.events.catalogue.operation import EventsSuppressed
from watchword.events.counting import count

_LONGEST = 256  # characters of a text in an event


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request came from, as far as the audit trail keeps it."""

    address: str = ""
    user_agent: str = ""
    request_id: str = "-"


async def record(transaction: Transaction, event: Event, caller: Caller) -> None:
    """Write an event into the audit trail. One statement; none when it is one refusal too many."""
    count(event)
    if not event.bounded or transaction.trail.allowance.admit(event.name):
        await _write(transaction, event, caller)
    else:
        metrics.event_suppressed(event.name)


async def record_alone(database: Database, event: Event, caller: Caller) -> None:
    """Write an event that no other write goes with, in a transaction of its own, as `record` does."""
    count(event)
    if not event.bounded or database.trail.allowance.admit(event.name):
        await database.transaction(lambda transaction: _write(transaction, event, caller))
    else:
        metrics.event_suppressed(event.name)


async def record_suppressed(database: Database) -> None:
    """Write how many refusals were left out since the last time, if any were. One statement at most."""
    counts = database.trail.allowance.take_dropped()
    if counts:
        await record_alone(database, EventsSuppressed(counts=counts), Caller())


async def _write(transaction: Transaction, event: Event, caller: Caller) -> None:
    await audit.add(
        transaction,
        name=event.name,
        account_id=event.account_id,
        client_id=None if event.client_id is None else clean(event.client_id),
        session_id=event.session_id,
        request_id=clean(caller.request_id),
        address=clean(caller.address),
        detail={
            name: clean(value) if isinstance(value := getattr(event, name), str) else value
            for name in _detail_fields(type(event))
        },
    )


def clean(text: str) -> str:
    """Return text as the trail keeps it: in NFC, cut, and with an escape for each character that does not print."""
    if len(text) <= _LONGEST and text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text[: 2 * _LONGEST])[:_LONGEST]
    return "".join([each if each.isprintable() else f"\\u{ord(each):04x}" for each in composed])


def _detail_fields(kind: type[Event]) -> tuple[str, ...]:
    known = _DETAIL_FIELDS.get(kind.name)
    if known is None:
        columns = {field.name for field in fields(Event)}
        known = _DETAIL_FIELDS[kind.name] = tuple(f.name for f in fields(kind) if f.name not in columns)
    return known


_DETAIL_FIELDS: dict[str, tuple[str, ...]] = {}
