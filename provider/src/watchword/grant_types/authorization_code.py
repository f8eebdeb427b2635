"""The authorization code grant (RFC 6749 section 4.1.3)."""

import secrets
from datetime import timedelta
from uuid import UUID, uuid4

from watchword.database import Transaction, grants, refresh_families
from watchword.database.grants import AuthorizationCode, SpentCode
from watchword.events import record
from watchword.events.catalogue.protocol import AuthorizationCodeReplayed, TokenIssued
from watchword.grant_types.exchange import TokenRequest, claims_for_id_token, narrow_audience, scope_at
from watchword.protocol.digests import fingerprint
from watchword.protocol.errors import InvalidGrant, InvalidRequest
from watchword.protocol.pkce import s256
from watchword.services import Services
from watchword.tokens import Authorization, Refresh, find_target

# Two redemptions this close together, by the same client with the right verifier, are a race and no theft.
RACE = timedelta(seconds=5)
_LONGEST_CODE = 128
_REFUSAL = "The authorization code is unknown, expired, used, or was issued for something else."


async def redeem_authorization_code(services: Services, request: TokenRequest) -> Authorization:
    """Redeem a code: exactly one of any number of parallel requests gets an authorization.

    One transaction of three statements, four with a refresh token: redeem, grant, family, event. One more where claims
    were asked for in the ID token. Two signatures follow.

    Raises:
        InvalidRequest: a parameter is missing or malformed.
        InvalidGrant: the code cannot be redeemed by this request.
        InvalidTarget: a resource that was not granted; nothing is consumed.
    """
    code = request.form.required("code")
    redirect_uri = request.form.get("redirect_uri") or _single_redirect_uri(request)
    code_challenge = _presented_challenge(request)
    if len(code) > _LONGEST_CODE:
        raise InvalidGrant(_REFUSAL)
    code_hash = fingerprint(code)

    async def work(transaction: Transaction) -> Authorization | None:
        redeemed = await grants.redeem_code(
            transaction,
            code_hash,
            client_id=request.client.id,
            redirect_uri=redirect_uri,
            code_challenge=code_challenge,
        )
        if redeemed is None:
            await _judge_refusal(transaction, request, code_hash, code_challenge)
            return None
        return await _grant(services, transaction, request, redeemed, code_hash)

    authorization = await services.database.transaction(work)
    if authorization is None:
        raise InvalidGrant(_REFUSAL, detail="not redeemable")
    return authorization


async def _grant(
    services: Services, transaction: Transaction, request: TokenRequest, code: AuthorizationCode, code_hash: bytes
) -> Authorization:
    grant_id = uuid4()
    audiences = narrow_audience(request, code.resources)
    target = find_target(services, audiences, request.resources)
    scope = scope_at(request, code.scope, audiences)  # this request has no parameter scope of its own
    asked = await claims_for_id_token(transaction, code.account_id, scope, code.claims)
    await grants.add(transaction, grant_id, code, code_hash=code_hash)
    refresh = await _begin_family(services, transaction, request, grant_id)
    await record(transaction, _issued(code, grant_id, scope), request.caller)
    return Authorization(
        client=request.client,
        scope=scope,
        target=target,
        account_id=code.account_id,
        session_id=code.session_id,
        grant_id=grant_id,
        auth_time=code.auth_time,
        amr=code.amr,
        nonce=code.nonce,
        asked=asked,
        refresh=refresh,
    )


def _issued(code: AuthorizationCode, grant_id: UUID, scope: tuple[str, ...]) -> TokenIssued:
    return TokenIssued(
        account_id=code.account_id,
        client_id=code.client_id,
        session_id=code.session_id,
        grant_type="authorization_code",
        scope=" ".join(scope),
        grant_id=str(grant_id),
    )


async def _begin_family(
    services: Services, transaction: Transaction, request: TokenRequest, grant_id: UUID
) -> Refresh | None:
    if "refresh_token" not in request.client.grant_types:
        return None
    refresh = Refresh(uuid4(), 0, secrets.token_bytes(16), services.keyring.refresh.current)
    await refresh_families.add(
        transaction,
        refresh.family_id,
        grant_id=grant_id,
        secret=refresh.secret,
        mac_kid=refresh.mac_kid,
        jkt=None,
        idle=services.settings.refresh_token_idle,
        lifetime=services.settings.refresh_token_lifetime,
    )
    return refresh


async def _judge_refusal(
    transaction: Transaction, request: TokenRequest, code_hash: bytes, code_challenge: str | None
) -> None:
    """See whether the code was redeemed before, and revoke what it gave unless this is a harmless race."""
    spent = await grants.find_spent_code(transaction, code_hash)
    if spent is None:
        return
    harmless = _is_race(request, spent, code_challenge)
    revoked = not harmless and await grants.revoke(transaction, spent.grant_id)
    event = AuthorizationCodeReplayed(client_id=request.client.id, revoked=revoked)
    await record(transaction, event, request.caller)


def _is_race(request: TokenRequest, spent: SpentCode, code_challenge: str | None) -> bool:
    """Say whether two requests of the same client, sent at the same moment, met. Both times are the store's."""
    bound_to = code_challenge and fingerprint(code_challenge)
    if spent.client_id != request.client.id or spent.bound_to != bound_to:
        return False
    return spent.read_at - spent.redeemed_at <= RACE


def _presented_challenge(request: TokenRequest) -> str | None:
    """Return the challenge that the verifier answers; the redeeming statement compares it."""
    verifier = request.form.get("code_verifier")
    if verifier is None:
        return None
    # What is no verifier answers no challenge: "-" is never one (RFC 7636 section 4.6: invalid_grant).
    return s256(verifier) or "-"


def _single_redirect_uri(request: TokenRequest) -> str:
    """RFC 6749 section 4.1.3 asks for redirect_uri only when the authorization request had it."""
    uris = request.client.redirect_uris
    if len(uris) != 1:
        raise InvalidRequest("The parameter redirect_uri is missing.")
    return uris[0]
