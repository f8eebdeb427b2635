"""Signing out: ending a session because its person wants to, and the question that may come first."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

import orjson

from watchword import sessions
from watchword.database import Transaction
from watchword.events import Caller
from watchword.protocol.interaction import Session
from watchword.protocol.logout import LogoutRequest
from watchword.services import Services

_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class AskedLogout:
    """A sign-out that waits for its person's yes.

    `location` is where the relying party wants the browser back afterwards, `client_uri` its home page.
    """

    client_name: str | None
    client_uri: str | None
    location: str | None


async def sign_out(services: Services, session: Session, caller: Caller) -> None:
    """End a session; grants with `offline_access` go on. One transaction."""

    async def work(transaction: Transaction) -> None:
        await sessions.end(transaction, session, reason="logout", spare_offline=True, caller=caller)

    await services.database.transaction(work)


async def ask(services: Services, request: LogoutRequest) -> str:
    """Keep a request until its person answers; returns its name. One step of the ephemeral store."""
    name = secrets.token_urlsafe(16)
    client = request.client
    about = [client.name, client.client_uri] if client is not None else [None, None]
    record = orjson.dumps([*about, request.return_location])
    await services.ephemeral.put(f"logout:{name}", record, _LIFETIME)
    return name


async def find(services: Services, name: str) -> AskedLogout | None:
    """Return a request that waits. One step of the ephemeral store."""
    record = await services.ephemeral.get(f"logout:{name}")
    return None if record is None else AskedLogout(*orjson.loads(record))
