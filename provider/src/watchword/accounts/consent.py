"""Consent: remembering a person's yes, and taking it back."""

from uuid import UUID, uuid4

from watchword.database import Transaction, consents
from watchword.events import Caller, record
from watchword.events.catalogue.people import ConsentGranted, ConsentWithdrawn
from watchword.protocol.interaction import Consent


async def remember(
    transaction: Transaction, given: Consent, *, account_id: UUID, client_id: str, caller: Caller
) -> None:
    """Add a yes to what was allowed before. Two statements, one a resource, and one for the event."""
    before = await consents.find_to_add(transaction, account_id=account_id, client_id=client_id)
    for resource, scopes in sorted(given.scopes.items()):
        allowed = scopes | before.scopes.get(resource, frozenset())
        await consents.put(
            transaction, uuid4(), account_id=account_id, client_id=client_id, resource=resource, scopes=allowed
        )
    named = sorted(frozenset[str]().union(*given.scopes.values()))
    event = ConsentGranted(account_id=account_id, client_id=client_id, scope=" ".join(named))
    await record(transaction, event, caller)


async def withdraw(transaction: Transaction, *, account_id: UUID, client_id: str, caller: Caller) -> bool:
    """Take back everything the account allowed the client, and end what grew from it. Eight statements.

    The next authorization asks again. Access tokens are dead at once at our endpoints and by introspection. False, and
    nothing was done, when there was no consent; a first-party client needs none and so keeps its grants.
    """
    if not await consents.remove(transaction, account_id=account_id, client_id=client_id):
        return False
    revoked = await consents.revoke_grants(transaction, account_id=account_id, client_id=client_id)
    await record(transaction, ConsentWithdrawn(account_id=account_id, client_id=client_id, grants=revoked), caller)
    return True
