"""Consent: remembering a person's yes."""

from uuid import UUID, uuid4

from watchword.database import Transaction, consents
from watchword.events import Caller, record
from watchword.events.catalogue import ConsentGranted
from watchword.protocol.interaction import Consent


async def remember(
    transaction: Transaction, given: Consent, before: Consent, *, account_id: UUID, client_id: str, caller: Caller
) -> None:
    """Add a yes to what was allowed before. One statement a resource, and one for the event."""
    for resource, scopes in sorted(given.scopes.items()):
        allowed = scopes | before.scopes.get(resource, frozenset())
        await consents.put(
            transaction, uuid4(), account_id=account_id, client_id=client_id, resource=resource, scopes=allowed
        )
    named = sorted(frozenset[str]().union(*given.scopes.values()))
    event = ConsentGranted(account_id=account_id, client_id=client_id, scope=" ".join(named))
    await record(transaction, event, caller)
