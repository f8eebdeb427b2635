"""The client credentials grant (RFC 6749 section 4.4): a client that acts for itself."""

from watchword.events.catalogue import TokenIssued
from watchword.grant_types.exchange import TokenRequest, record_alone
from watchword.protocol.errors import InvalidScope, InvalidTarget
from watchword.protocol.vocabulary import OPENID_SCOPES
from watchword.services import Services
from watchword.tokens import Authorization, audience_and_lifetime


async def authorize_client(services: Services, request: TokenRequest) -> Authorization:
    """Authorize the client itself, for the resources it names. One statement; one signature follows.

    Raises:
        InvalidTarget: a resource that is unknown, or that the client has no scope at.
        InvalidScope: a scope that the client has not at these resources, or one that belongs to people.
    """
    client, form = request.client, request.form
    named = form.resources or ((client.default_resource,) if client.default_resource else ())
    if any(name not in request.resources for name in named):
        raise InvalidTarget("The resource is not registered here.")
    # No person stands behind this token, so its audience alone must not open a resource to whoever registered.
    if any(client.scopes.isdisjoint(request.resources[name].scopes) for name in named):
        raise InvalidTarget("The resource is not available to this client.")
    allowed = client.scopes - OPENID_SCOPES
    allowed &= frozenset[str]().union(*(request.resources[name].scopes for name in named))
    asked = tuple(dict.fromkeys(form.get("scope", "").split())) or tuple(sorted(allowed))
    if not set(asked) <= allowed:
        raise InvalidScope("The scope is not available to this client at these resources.")
    audience, lifetime = audience_and_lifetime(services, named, request.resources)
    event = TokenIssued(client_id=client.id, grant_type="client_credentials", scope=" ".join(asked))
    await record_alone(services, event, request.caller)
    return Authorization(
        grant_type="client_credentials", client=client, scope=asked, audience=audience, lifetime=lifetime
    )
