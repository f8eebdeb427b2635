"""The introspection endpoint (RFC 7662): what a protected resource may know about a token it was shown.

A client learns about access tokens for the resources that name it, and about its own refresh tokens. Everything else is
`{"active": false}`, whatever the reason.
"""

from collections.abc import Mapping
from typing import Any

from watchword.database import grants, refresh_families, revoked_tokens
from watchword.database.refresh_families import RefreshFamily
from watchword.endpoints.client_authentication import authenticate_client
from watchword.events import record_alone
from watchword.events.catalogue.protocol import IntrospectionDenied
from watchword.protocol.acr import acr_of
from watchword.protocol.client import Client
from watchword.protocol.errors import InvalidClient, InvalidToken
from watchword.protocol.introspection import (
    INACTIVE,
    access_token_facts,
    audience_of,
    own_audience,
    refresh_token_facts,
)
from watchword.protocol.refresh_token import (
    Presentation,
    RefreshToken,
    judge_presentation,
    read_refresh_token,
)
from watchword.tokens import is_own_refresh_token, subject_of, verify_access_token
from watchword.web.answers import json_answer
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer


async def introspect(exchange: Exchange) -> Answer:
    """Authenticate the client, then say what the token is to it. One statement and one verification, no signature.

    `token_type_hint` is not needed: a token tells its kind by its form (RFC 7662 section 2.1 allows to ignore it).

    Raises:
        InvalidClient: the client did not authenticate, or is public and cannot (section 2.1).
        InvalidRequest: token is missing.
    """
    form = await exchange.form()
    form.check_no_duplicates()
    client = await authenticate_client(exchange, form)
    if client.public:
        raise InvalidClient("Introspection needs a client that authenticates.", detail="public")
    text = form.required("token")
    refresh_token = read_refresh_token(text)
    if refresh_token is not None:
        return json_answer(await _about_refresh_token(exchange, client, refresh_token, text))
    return json_answer(await _about_access_token(exchange, client, text))


async def _about_access_token(exchange: Exchange, client: Client, token: str) -> Mapping[str, Any]:
    services = exchange.services
    try:
        claims = verify_access_token(services, token).claims
    except InvalidToken:
        return INACTIVE
    audience = audience_of(claims)
    resources = await services.registry.resources(name for name in audience if name != services.issuer)
    own = own_audience(audience, client, resources)
    if not own:
        return await _deny(exchange, client, claims["client_id"])
    amr = await _amr_while_live(exchange, claims)
    if amr is None:
        return INACTIVE
    acr = acr_of(amr, services.settings.acr)
    return access_token_facts(claims, audience=own, amr=amr, acr=acr, resources=resources)


async def _amr_while_live(exchange: Exchange, claims: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Look at what stands behind a token: the grant, or the client that acts for itself, which has no amr."""
    database, jti = exchange.services.database, claims["jti"]
    if "gid" in claims:
        return await grants.amr_while_live(database, claims["gid"], jti=jti)
    return () if await revoked_tokens.is_client_live(database, claims["client_id"], jti=jti) else None


async def _about_refresh_token(exchange: Exchange, client: Client, token: RefreshToken, text: str) -> Mapping[str, Any]:
    """Nothing rotates and nothing is revoked here, even when an old copy is presented: it is not used, only shown."""
    services = exchange.services
    family = await refresh_families.find(services.database, token.family_id)
    if family is None or not is_own_refresh_token(services, family, token, text):
        return INACTIVE
    if family.client_id != client.id:
        return await _deny(exchange, client, family.client_id)
    if not family.alive or _is_old_copy(token, family):
        return INACTIVE
    return refresh_token_facts(
        issuer=services.issuer,
        subject=subject_of(services, client, family.account_id),
        client_id=family.client_id,
        scope=family.scope,
        session_id=family.session_id,
        auth_time=family.auth_time,
        amr=family.amr,
        acr=acr_of(family.amr, services.settings.acr),
    )


def _is_old_copy(token: RefreshToken, family: RefreshFamily) -> bool:
    """Say whether the token endpoint would take it for a theft; who introspects has authenticated."""
    meaning = judge_presentation(
        token.generation, current=family.generation, rotated_at=family.rotated_at, bound=True, now=family.read_at
    )
    return meaning is Presentation.REPLAY


async def _deny(exchange: Exchange, client: Client, issued_to: str) -> Mapping[str, Any]:
    event = IntrospectionDenied(client_id=client.id, issued_to=issued_to)
    await record_alone(exchange.services.database, event, exchange.caller)
    return INACTIVE
