"""The refresh token grant (RFC 6749 section 6), as generations of a family."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from watchword.database import Overtaken, Transaction, grants, refresh_families
from watchword.database.refresh_families import RefreshFamily
from watchword.events import record
from watchword.events.catalogue.event import Event
from watchword.events.catalogue.protocol import RefreshAhead, RefreshRepeated, RefreshReplayed, TokenIssued
from watchword.grant_types.exchange import TokenRequest, claims_for_id_token, narrow_audience, narrow_scope, scope_at
from watchword.protocol.errors import InvalidGrant, TemporarilyUnavailable
from watchword.protocol.refresh_token import Presentation, judge_presentation, read_refresh_token
from watchword.services import Services
from watchword.tokens import Authorization, Refresh, find_target, is_own_refresh_token

_ATTEMPTS = 3
_REFUSAL = "The refresh token is unknown, expired, revoked, or belongs to another client."


async def refresh(services: Services, request: TokenRequest) -> Authorization:
    """Answer a refresh token with the next generation, or the same one once more.

    One transaction of three statements: read the family with its grant, rotate, event. One more where claims were asked
    for in the ID token. A refusal burns nothing, except that an old copy ends the family. Two signatures follow.

    Raises:
        InvalidRequest: refresh_token is missing.
        InvalidGrant: it gives nothing.
        InvalidScope: more was asked than granted.
        InvalidTarget: a resource that was not granted.
        TemporarilyUnavailable: others changed the family each time it was read.
    """
    text = request.form.required("refresh_token")
    token = read_refresh_token(text)
    if token is None or token.mac_kid not in services.keyring.refresh.by_kid:
        raise InvalidGrant(_REFUSAL, detail="not ours")

    async def work(transaction: Transaction) -> Authorization | None:
        family = await refresh_families.find(transaction, token.family_id)
        if family is None or not is_own_refresh_token(services, family, token, text):
            return None
        if family.client_id != request.client.id:
            return None
        return await _present(services, transaction, request, family, token.generation)

    authorization = await _undisturbed(services, work)
    if authorization is None:
        raise InvalidGrant(_REFUSAL, detail="not refreshable")
    return authorization


async def _undisturbed(
    services: Services, work: Callable[[Transaction], Awaitable[Authorization | None]]
) -> Authorization | None:
    """Work again when another request changed the family meanwhile: what became of it is there to be read then."""
    for _ in range(_ATTEMPTS):
        with suppress(Overtaken):
            return await services.database.transaction(work)
    raise TemporarilyUnavailable(detail="overtaken")


async def _present(
    services: Services, transaction: Transaction, request: TokenRequest, family: RefreshFamily, generation: int
) -> Authorization | None:
    if not family.alive:
        return None
    meaning = judge_presentation(
        generation,
        current=family.generation,
        rotated_at=family.rotated_at,
        bound=not request.client.public or family.jkt is not None,
        now=family.read_at,
    )
    if meaning is Presentation.REPLAY:
        await _end_family(transaction, request, family, generation)
        return None
    audiences = narrow_audience(request, family.resources)
    scope = scope_at(request, narrow_scope(request, family.scope), audiences)
    asked = await claims_for_id_token(transaction, family.account_id, scope, family.claims)
    successor = family.generation
    await record(transaction, _event(meaning, family, scope), request.caller)
    if meaning is not Presentation.REPEAT:
        successor, idle = generation + 1, services.settings.refresh_token_idle
        await refresh_families.rotate(transaction, family, successor=successor, idle=idle)
    authorization = _authorization(services, request, family, scope, audiences, successor)
    return replace(authorization, asked=asked) if asked else authorization


async def _end_family(transaction: Transaction, request: TokenRequest, family: RefreshFamily, generation: int) -> None:
    """Revoke the whole grant: of an old copy nobody can tell whether the client or a thief presents it."""
    await grants.revoke(transaction, family.grant_id)
    event = RefreshReplayed(**_about(family), generations_behind=family.generation - generation)
    await record(transaction, event, request.caller)


def _authorization(
    services: Services,
    request: TokenRequest,
    family: RefreshFamily,
    scope: tuple[str, ...],
    audiences: tuple[str, ...],
    successor: int,
) -> Authorization:
    target = find_target(services, audiences, request.resources)
    return Authorization(
        client=request.client,
        scope=scope,
        target=target,
        account_id=family.account_id,
        session_id=family.session_id,
        grant_id=family.grant_id,
        auth_time=family.auth_time,
        amr=family.amr,
        refresh=Refresh(family.id, successor, family.secret, family.mac_kid),
    )


def _event(meaning: Presentation, family: RefreshFamily, scope: tuple[str, ...]) -> Event:
    match meaning:
        case Presentation.REPEAT:
            return RefreshRepeated(**_about(family))
        case Presentation.LOST_COMMIT:
            return RefreshAhead(**_about(family))
        case Presentation.ROTATE | Presentation.REPLAY:
            return TokenIssued(**_about(family), grant_type="refresh_token", scope=" ".join(scope))


def _about(family: RefreshFamily) -> dict[str, Any]:
    return {
        "account_id": family.account_id,
        "client_id": family.client_id,
        "session_id": family.session_id,
        "grant_id": str(family.grant_id),
    }
