"""Recording events: in the same transaction as what they tell."""

from dataclasses import dataclass, fields

from watchword.database import Database, Transaction, audit
from watchword.events.catalogue import Event


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request came from, as far as the audit trail keeps it."""

    address: str = ""
    user_agent: str = ""
    request_id: str = "-"


async def record(transaction: Transaction, event: Event, caller: Caller) -> None:
    """Write an event into the audit trail. One statement."""
    await audit.add(
        transaction,
        name=event.name,
        account_id=event.account_id,
        client_id=event.client_id,
        session_id=event.session_id,
        request_id=caller.request_id,
        address=caller.address,
        detail={name: getattr(event, name) for name in _detail_fields(type(event))},
    )


async def record_alone(database: Database, event: Event, caller: Caller) -> None:
    """Write an event that no other write goes with, in a transaction of its own. One statement."""
    await database.transaction(lambda transaction: record(transaction, event, caller))


def _detail_fields(kind: type[Event]) -> tuple[str, ...]:
    known = _DETAIL_FIELDS.get(kind.name)
    if known is None:
        columns = {field.name for field in fields(Event)}
        known = _DETAIL_FIELDS[kind.name] = tuple(f.name for f in fields(kind) if f.name not in columns)
    return known


_DETAIL_FIELDS: dict[str, tuple[str, ...]] = {}
