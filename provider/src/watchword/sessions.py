"""Sessions: start, find, end, what dies with one, and who hears of it."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from watchword.database import Transaction, grants
from watchword.database import sessions as rows
from watchword.events import Caller, record
from watchword.events.catalogue.people import SessionCreated, SessionEnded, SessionRenewed
from watchword.outbox import enqueue_in_lane
from watchword.protocol.digests import fingerprint
from watchword.protocol.interaction import Session
from watchword.protocol.logout import Participant
from watchword.services import Services

TELL = "backchannel_logout"
"""The kind of job that tells a client by the back channel: `client`, `account` and `session` are their ids."""
_TOUCH_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A new session and the secret its cookie carries; only the secret's hash is kept."""

    session: Session
    cookie: str = field(repr=False)


async def find(services: Services, cookie: str | None) -> Session | None:
    """Return the live session of a cookie. One statement; one write more when it was not seen for five minutes."""
    if not cookie:
        return None
    found = await rows.find(services.database, token_hash=fingerprint(cookie), idle=services.settings.session_idle)
    if found is None:
        return None
    session, seen_at = found
    if services.clock.now() - seen_at > _TOUCH_EVERY:
        await services.database.transaction(lambda transaction: rows.touch(transaction, session.id), one_statement=True)
    return session


async def start(
    services: Services,
    transaction: Transaction,
    *,
    account_id: UUID,
    origin: bytes,
    amr: tuple[str, ...],
    caller: Caller,
    current: Session | None,
) -> StartedSession:
    """Start a session in the caller's transaction, always under a new secret. Two statements, three after a lost race.

    When the browser's current session belongs to the same account, that one goes on with the new sign-in; another
    account's ends.

    Raises:
        Conflict: the proof it grows from was spent before.
    """
    if current is not None and current.account_id != account_id:
        await end(transaction, current, reason="replaced", spare_offline=True, caller=caller)
        current = None
    cookie = secrets.token_urlsafe(32)
    put = partial(
        rows.put,
        transaction,
        token_hash=fingerprint(cookie),
        account_id=account_id,
        origin=origin,
        amr=amr,
        lifetime=services.settings.session_lifetime,
        user_agent=caller.user_agent,
        address=caller.address,
    )
    renewed = None if current is None else await put(current.id, renew=True)
    session = renewed or await put(uuid4(), renew=False)
    assert session is not None  # only a renewal finds nothing
    happened = SessionCreated if renewed is None else SessionRenewed
    event = happened(account_id=account_id, session_id=session.id, amr=" ".join(amr))
    await record(transaction, event, caller)
    return StartedSession(session, cookie)


async def end(
    transaction: Transaction, session: Session, *, reason: str, spare_offline: bool, caller: Caller
) -> list[Participant]:
    """End a session, revoke its grants, and order that its clients are told; returns those that want to be.

    `spare_offline` keeps grants with `offline_access` (RP-initiated logout). Wake the outbox after the commit when
    anybody is returned. Four statements, one more for each grant and each client that is told by the back channel; one
    and nobody when the session was over already.
    """
    if not await rows.end(transaction, session.id):
        return []
    return await _end_what_hangs_on(
        transaction, session.account_id, session.id, reason=reason, spare_offline=spare_offline, caller=caller
    )


async def end_all(transaction: Transaction, account_id: UUID, *, reason: str, caller: Caller) -> int:
    """End every session of an account, with all of its grants, and have its clients told; returns how many.

    One statement, and for each session what `end` takes.
    """
    ended = await rows.end_all(transaction, account_id)
    for session_id in ended:
        await _end_what_hangs_on(transaction, account_id, session_id, reason=reason, spare_offline=False, caller=caller)
    return len(ended)


async def _end_what_hangs_on(
    transaction: Transaction, account_id: UUID, session_id: UUID, *, reason: str, spare_offline: bool, caller: Caller
) -> list[Participant]:
    revoked = await grants.revoke_of_session(transaction, session_id, spare_offline=spare_offline)
    told = await rows.participants(transaction, session_id)
    for client in told:
        if client.backchannel_logout_uri is not None:
            payload = {"client": client.client_id, "account": str(account_id), "session": str(session_id)}
            lane = urlsplit(client.backchannel_logout_uri).hostname or client.client_id
            await enqueue_in_lane(transaction, TELL, payload, lane=lane)
    event = SessionEnded(account_id=account_id, session_id=session_id, reason=reason, grants=revoked)
    await record(transaction, event, caller)
    return told
