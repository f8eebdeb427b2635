"""The outbox job that tells a client that a session is over (OpenID Connect Back-Channel Logout 1.0)."""

import secrets
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from watchword import tokens
from watchword.events import Caller, record
from watchword.events.catalogue.people import LogoutNotTold, LogoutTold
from watchword.fetch import FetchFailed, FetchRefused
from watchword.outbox import Abandon, JobRunner, Lease, Retry
from watchword.protocol.client import Client
from watchword.protocol.logout import TOKEN_TYPE, logout_token_claims
from watchword.services import Services
from watchword.sessions import TELL

__all__ = ["TELL", "logout_teller"]

_TOLD: Final = frozenset({200, 204})  # frameworks answer an empty body with either (section 2.8)
_REFUSED: Final = 400
# Before the second attempt, the third ...: a host that is restarted hears of it soon, and one that stays away is left
# alone after 17 hours.
_PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 180, 900, 3600, 14_400, 43_200))


def logout_teller(services: Services) -> JobRunner:
    """Return what runs the jobs that the end of a session orders.

    No statement of its own while the client is in memory, one signature, one request of at most five seconds, and the
    event in the transaction that ends the job.
    """

    async def run(payload: dict[str, Any], lease: Lease) -> None:
        client = await services.registry.client(payload["client"])
        if client is None or client.backchannel_logout_uri is None:
            return  # it was removed, or wants to hear nothing any more
        if not await lease.renew():
            return  # another worker holds the job by now and tells it
        session_id = UUID(payload["session"])
        token = _logout_token(services, client, UUID(payload["account"]), session_id)
        failure = await _post(services, client.backchannel_logout_uri, token)
        if failure is None:
            told = LogoutTold(client_id=client.id, session_id=session_id, attempt=lease.job.attempts)
            lease.note(lambda transaction: record(transaction, told, Caller()))
            return
        final = failure in _FINAL or lease.last_attempt
        event = LogoutNotTold(
            client_id=client.id, session_id=session_id, failure=failure, attempt=lease.job.attempts, final=final
        )
        lease.note(lambda transaction: record(transaction, event, Caller()))
        if final:
            raise Abandon(failure)
        raise Retry(failure, after=_PAUSES[lease.job.attempts - 1])

    return run


_FINAL: Final = frozenset({"address_refused", "client_refused"})


async def _post(services: Services, address: str, token: str) -> str | None:
    """Post a logout token; returns what failed, None when the client took it."""
    try:
        status = await services.fetch.post_form(address, {"logout_token": token})
    except FetchRefused:
        return "address_refused"
    except FetchFailed:
        return "no_answer"
    if status in _TOLD:
        return None
    return "client_refused" if status == _REFUSED else f"status_{status}"


def _logout_token(services: Services, client: Client, account_id: UUID, session_id: UUID) -> str:
    """Sign a logout token as the client's ID tokens are signed. A fresh one for every attempt: it lives two minutes."""
    claims = logout_token_claims(
        issuer=services.issuer,
        client_id=client.id,
        subject=tokens.subject_of(services, client, account_id),
        session_id=session_id,
        jti=secrets.token_urlsafe(16),
        now=services.clock.now(),
    )
    return services.keyring.signing[client.id_token_signed_response_alg].sign(claims, typ=TOKEN_TYPE)
