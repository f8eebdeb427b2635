"""The only issuer of tokens: an `Authorization`, whatever grant type made it, becomes a token response.

What was issued is verified here too when it comes back.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from watchword.database.refresh_families import RefreshFamily
from watchword.protocol import access_token, claims, id_token, opaque_token, refresh_token
from watchword.protocol.acr import acr_of
from watchword.protocol.client import Client
from watchword.protocol.errors import InvalidTarget, InvalidToken
from watchword.protocol.jwt import SigningKey, VerifiedToken, verify_token
from watchword.protocol.refresh_token import RefreshToken
from watchword.protocol.resource import Resources
from watchword.protocol.subject import pairwise_subject
from watchword.protocol.vocabulary import ACCESS_TOKEN_ALGORITHM, SigningAlgorithm
from watchword.services import Services


@dataclass(frozen=True, slots=True)
class Refresh:
    """The refresh token that goes with an authorization: a generation of a family."""

    family_id: UUID
    generation: int
    secret: bytes = field(repr=False)
    mac_kid: str


@dataclass(frozen=True, slots=True)
class Target:
    """Which resources an access token is for, and what follows: how long it lives, whether they can read it."""

    audience: tuple[str, ...]
    lifetime: timedelta
    opaque: bool = False


@dataclass(frozen=True, slots=True)
class Authorization:
    """What any grant type comes to: who may have which token for what.

    `account_id` is empty when the client acts for itself. `nonce` is the authorization request's. `asked` holds the
    claims about the account that the client asked to find in the ID token itself.
    """

    client: Client
    scope: tuple[str, ...]
    target: Target
    account_id: UUID | None = None
    session_id: UUID | None = None
    grant_id: UUID | None = None
    auth_time: datetime | None = None
    amr: tuple[str, ...] = ()
    nonce: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict, repr=False)
    refresh: Refresh | None = None


def issue(services: Services, authorization: Authorization) -> dict[str, Any]:
    """Issue the token response (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).

    No statement. Signatures: one for the access token unless it is opaque, one for an ID token when `openid` was
    granted.
    """
    now = services.clock.now()
    token = _access_token(services, authorization, now)
    response: dict[str, Any] = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": int(authorization.target.lifetime.total_seconds()),
    }
    if authorization.scope:  # an empty value is no scope (RFC 6749 section 3.3)
        response["scope"] = " ".join(authorization.scope)
    if authorization.refresh is not None:
        response["refresh_token"] = write_refresh_token(services, authorization.refresh)
    if authorization.account_id is not None and "openid" in authorization.scope:
        response["id_token"] = _id_token(services, authorization, token, now)
    return response


def verify_access_token(services: Services, token: str) -> VerifiedToken:
    """Verify an access token of ours, opaque or a JWT: who made it, expiry, restore epoch. No statement.

    Its audience and its grant are not checked.

    Raises:
        InvalidToken: it is malformed, expired, from before a restore, or not ours.
    """
    now = services.clock.now()
    if token.startswith(opaque_token.PREFIX):
        verified = opaque_token.read_opaque_token(
            token,
            services.keyring.opaque.by_kid,
            expected_issuer=services.issuer,
            now=now,
            seen=services.seen_tokens,
        )
    else:
        verified = _verify(services, services.keyring.verifying, token, access_token.TYPE, now)
    if verified.claims.get(access_token.EPOCH, 0) != services.restore_epoch:
        raise InvalidToken("The token is malformed, expired or not ours.", detail="from before a restore")
    return verified


def verify_id_token_hint(services: Services, token: str) -> VerifiedToken:
    """Verify an ID token that comes back as `id_token_hint`. An expired one is fine: it only names somebody.

    Raises:
        InvalidToken: it is malformed or not ours.
    """
    return _verify(services, services.keyring.hints, token, id_token.TYPE, None)


def _verify(
    services: Services, keys: Mapping[str, SigningKey], token: str, kind: str, now: datetime | None
) -> VerifiedToken:
    return verify_token(
        token,
        keys,
        expected_issuer=services.issuer,
        expected_type=kind,
        now=now,
        seen=services.seen_tokens,
    )


def find_target(services: Services, audiences: tuple[str, ...], resources: Resources) -> Target:
    """Return whom an access token is for: these resources, the issuer when there is none. The shortest lifetime counts.

    Raises:
        InvalidTarget: some of the resources read their tokens and others have opaque ones; no token suits both.
    """
    lifetime = services.settings.access_token_lifetime
    found = [resources[name] for name in audiences if name in resources]
    if not found:
        return Target(audiences or (services.issuer,), lifetime)
    kinds = {resource.opaque for resource in found}
    if len(kinds) > 1:
        raise InvalidTarget("These resources take different kinds of tokens. Ask for one token for each resource.")
    shorter = [timedelta(seconds=resource.lifetime) for resource in found if resource.lifetime]
    return Target(audiences, min([lifetime, *shorter]), kinds.pop())


def write_refresh_token(services: Services, refresh: Refresh) -> str:
    """Write the refresh token of one generation. One HMAC."""
    return refresh_token.write_refresh_token(
        services.keyring.refresh.by_kid[refresh.mac_kid],
        issuer=services.issuer,
        mac_kid=refresh.mac_kid,
        family_id=refresh.family_id,
        generation=refresh.generation,
        family_secret=refresh.secret,
        epoch=services.restore_epoch,
    )


def is_own_refresh_token(services: Services, family: RefreshFamily, token: RefreshToken, text: str) -> bool:
    """Say whether we wrote this refresh token: some generation of this family, since the last restore. One HMAC."""
    if family.mac_kid not in services.keyring.refresh.by_kid:
        return False
    written = write_refresh_token(services, Refresh(family.id, token.generation, family.secret, family.mac_kid))
    return refresh_token.is_genuine(text, written)


def sign_userinfo(services: Services, client: Client, told: Mapping[str, Any], algorithm: SigningAlgorithm) -> str:
    """Sign what /userinfo tells a client (OpenID Connect Core section 5.3.2). One signature."""
    signed = {**told, "iss": services.issuer, "aud": client.id}
    return services.keyring.signing[algorithm].sign(signed, typ=claims.USERINFO_TYPE)


def subject_of(services: Services, client: Client, account_id: UUID) -> UUID | str:
    """Return the `sub` by which a client knows an account, for ever the same (OpenID Connect Core section 8).

    For pairwise subjects one HMAC under a key that never rotates.
    """
    if client.subject_type == "public":
        return account_id
    return pairwise_subject(services.keyring.pairwise.secret, client, account_id)


def _access_token(services: Services, authorization: Authorization, now: datetime) -> str:
    acr = acr_of(authorization.amr, services.settings.acr)
    said = access_token.access_token_claims(
        issuer=services.issuer,
        subject=_subject(services, authorization),
        audience=authorization.target.audience,
        client_id=authorization.client.id,
        scope=authorization.scope,
        grant_id=authorization.grant_id,
        session_id=authorization.session_id,
        auth_time=authorization.auth_time,
        acr=acr,
        jti=secrets.token_urlsafe(16),
        now=now,
        lifetime=authorization.target.lifetime,
        epoch=services.restore_epoch,
    )
    if authorization.target.opaque:
        keys = services.keyring.opaque
        nonce = secrets.token_bytes(opaque_token.NONCE_LENGTH)
        return opaque_token.write_opaque_token(said, keys.secret, kid=keys.current, issuer=services.issuer, nonce=nonce)
    return services.keyring.signing[ACCESS_TOKEN_ALGORITHM].sign(said, typ=access_token.TYPE)


def _id_token(services: Services, authorization: Authorization, token: str, now: datetime) -> str:
    assert authorization.auth_time is not None
    algorithm = authorization.client.id_token_signed_response_alg
    said = id_token.id_token_claims(
        issuer=services.issuer,
        subject=_subject(services, authorization),
        client_id=authorization.client.id,
        session_id=authorization.session_id,
        auth_time=authorization.auth_time,
        amr=authorization.amr,
        acr=acr_of(authorization.amr, services.settings.acr),
        nonce=authorization.nonce,
        at_hash=id_token.half_hash(token, algorithm),
        asked=authorization.asked,
        now=now,
        lifetime=services.settings.id_token_lifetime,
    )
    return services.keyring.signing[algorithm].sign(said, typ=id_token.TYPE)


def _subject(services: Services, authorization: Authorization) -> UUID | str:
    """The account's subject; for a client on its own its id, which no account can have (RFC 9700 section 4.15)."""
    if authorization.account_id is None:
        return authorization.client.id
    return subject_of(services, authorization.client, authorization.account_id)
