"""The revocation endpoint (RFC 7009): a client gives back a token it needs no more, or lost.

A refresh token takes its whole grant along, an access token dies alone. Whoever asks about a token that is not his own
is answered like everybody, and nothing happens.
"""

from datetime import UTC, datetime

from watchword.database import Transaction, grants, refresh_families, revoked_tokens
from watchword.endpoints.client_authentication import authenticate_client
from watchword.events import record, record_alone
from watchword.events.catalogue.protocol import RevocationDenied, TokenRevoked
from watchword.protocol.client import Client
from watchword.protocol.errors import InvalidToken
from watchword.protocol.jwt import VerifiedToken
from watchword.protocol.refresh_token import RefreshToken, read_refresh_token
from watchword.services import Services
from watchword.tokens import is_own_refresh_token, verify_access_token
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer, field

_DONE = (field("cache-control", "no-store"), field("pragma", "no-cache"))


async def revoke(exchange: Exchange) -> Answer:
    """Authenticate the client, then revoke the token if it is its own. The answer never tells (section 2.2).

    One transaction, without a signature: of two statements for an access token, which is verified before, and of four
    for a refresh token, the last of which is the event. `token_type_hint` is not needed: a token tells its kind by its
    form (section 2.1 allows to ignore it).

    Raises:
        InvalidClient: the client did not authenticate; a public one names itself.
        InvalidRequest: token is missing.
    """
    form = await exchange.form()
    form.check_no_duplicates()
    client = await authenticate_client(exchange, form)
    text = form.required("token")
    refresh_token = read_refresh_token(text)
    if refresh_token is None:
        await _revoke_access_token(exchange, client, text)
    else:
        await _revoke_refresh_token(exchange, client, refresh_token, text)
    return Answer(200, [*_DONE])


async def _revoke_refresh_token(exchange: Exchange, client: Client, token: RefreshToken, text: str) -> None:
    """End the grant of any generation we ever wrote: with it go its other refresh tokens and its access tokens."""
    services = exchange.services

    async def work(transaction: Transaction) -> None:
        family = await refresh_families.find(transaction, token.family_id)
        if family is None or not is_own_refresh_token(services, family, token, text):
            return
        if family.client_id != client.id:
            await record(
                transaction, RevocationDenied(client_id=client.id, issued_to=family.client_id), exchange.caller
            )
        elif await grants.revoke(transaction, family.grant_id):
            event = TokenRevoked(
                account_id=family.account_id,
                client_id=client.id,
                session_id=family.session_id,
                token_type="refresh_token",  # noqa: S106 - a name, no password
                grant_id=str(family.grant_id),
            )
            await record(transaction, event, exchange.caller)

    await services.database.transaction(work)


async def _revoke_access_token(exchange: Exchange, client: Client, text: str) -> None:
    services = exchange.services
    token = _live_token(services, text)
    if token is None:
        return
    claims = token.claims
    if claims["client_id"] != client.id:
        denied = RevocationDenied(client_id=client.id, issued_to=claims["client_id"])
        await record_alone(services.database, denied, exchange.caller)
        return
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    event = TokenRevoked(
        client_id=client.id,
        token_type="access_token",  # noqa: S106 - a name, no password
        grant_id=claims.get("gid", ""),
    )

    async def work(transaction: Transaction) -> None:
        if await revoked_tokens.add(transaction, claims["jti"], expires_at=expires_at):
            await record(transaction, event, exchange.caller)

    await services.database.transaction(work)


def _live_token(services: Services, text: str) -> VerifiedToken | None:
    try:
        return verify_access_token(services, text)
    except InvalidToken:
        return None
