"""What every grant type receives, and what they share about resources."""

from collections.abc import Mapping
from dataclasses import dataclass

from watchword.database import Transaction
from watchword.events import Caller, record
from watchword.events.catalogue import Event
from watchword.protocol.authorization_request import Resource
from watchword.protocol.client import Client
from watchword.protocol.errors import InvalidScope, InvalidTarget
from watchword.protocol.parameters import Parameters
from watchword.protocol.vocabulary import OPENID_SCOPES
from watchword.services import Services


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token request of an authenticated client that may use its grant type."""

    client: Client
    form: Parameters
    resources: Mapping[str, Resource]
    caller: Caller


def narrow_audience(request: TokenRequest, granted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the audiences this token is for: those asked for, all that were granted otherwise (RFC 8707 section 2.2).

    Raises:
        InvalidTarget: one was not granted.
    """
    asked = request.form.resources
    if not asked:
        return granted
    if not set(asked) <= set(granted):
        raise InvalidTarget("The resource was not part of the authorization.")
    return asked


def narrow_scope(request: TokenRequest, granted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the part of the grant that was asked for, all of it otherwise (RFC 6749 section 6).

    Raises:
        InvalidScope: something was asked for that was not granted.
    """
    asked = set(request.form.get("scope", "").split()) or set(granted)
    if not asked <= set(granted):
        raise InvalidScope("The scope goes beyond what was granted.")
    return tuple(scope for scope in granted if scope in asked)


def scope_at(request: TokenRequest, scope: tuple[str, ...], audience: tuple[str, ...]) -> tuple[str, ...]:
    """Return a scope without what belongs to resources that the token is not for (RFC 8707 section 2.2)."""
    here = OPENID_SCOPES.union(*(request.resources[name].scopes for name in audience if name in request.resources))
    return tuple(word for word in scope if word in here)


async def record_alone(services: Services, event: Event, caller: Caller) -> None:
    """Record an event that no other write goes with. One statement."""

    async def work(transaction: Transaction) -> None:
        await record(transaction, event, caller)

    await services.database.transaction(work)
