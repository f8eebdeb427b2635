"""The client credentials grant (RFC 6749 section 4.4): a client that acts for itself."""

from watchword.database import Transaction, clients
from watchword.events import record
from watchword.events.catalogue.protocol import TokenIssued
from watchword.grant_types.exchange import TokenRequest
from watchword.protocol.errors import InvalidClient, InvalidScope, InvalidTarget
from watchword.protocol.resource import named_resources, scopes_at
from watchword.protocol.vocabulary import OPENID_SCOPES
from watchword.services import Services
from watchword.tokens import Authorization, find_target


async def authorize_client(services: Services, request: TokenRequest) -> Authorization:
    """Authorize the client itself, for the resources it names. Two statements; one signature follows.

    Raises:
        InvalidTarget: a resource that is unknown, or that the client has no scope at.
        InvalidScope: a scope that the client has not at these resources, or one that belongs to people.
        InvalidClient: the client was removed a moment ago.
    """
    client, form = request.client, request.form
    named = named_resources(form, client)
    if any(name not in request.resources for name in named):
        raise InvalidTarget("The resource is not registered here.")
    # No person stands behind this token, so its audience alone must not open a resource to whoever registered.
    if any(client.scopes.isdisjoint(request.resources[name].scopes) for name in named):
        raise InvalidTarget("The resource is not available to this client.")
    allowed = (client.scopes - OPENID_SCOPES) & scopes_at(named, request.resources)
    asked = tuple(dict.fromkeys(form.get("scope", "").split())) or tuple(sorted(allowed))
    if not set(asked) <= allowed:
        raise InvalidScope("The scope is not available to this client at these resources.")
    target = find_target(services, named, request.resources)
    event = TokenIssued(client_id=client.id, grant_type="client_credentials", scope=" ".join(asked))
    await services.database.transaction(lambda transaction: _record_while_active(transaction, event, request))
    return Authorization(client=client, scope=asked, target=target)


async def _record_while_active(transaction: Transaction, event: TokenIssued, request: TokenRequest) -> None:
    """No grant stands behind this token that a removal could end, so the client is looked at once more."""
    if not await clients.is_active(transaction, request.client.id):
        raise InvalidClient("The client is not registered any more.", detail="removed")
    await record(transaction, event, request.caller)
