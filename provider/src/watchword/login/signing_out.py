"""Signing out: ending a session because its person wants to, the question that may come first, and what comes after."""

import secrets
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta
from uuid import UUID

import orjson

from watchword import sessions
from watchword.database import Transaction
from watchword.events import Caller
from watchword.protocol.digests import fingerprint
from watchword.protocol.interaction import Session
from watchword.protocol.logout import LogoutRequest, Participant
from watchword.services import Services

_LIFETIME = timedelta(minutes=10)
_NAME_LENGTH = 22


@dataclass(frozen=True, slots=True)
class AskedLogout:
    """A sign-out that waits for its person's yes.

    `location` is where the relying party wants the browser back afterwards, `client_uri` its home page.
    """

    client_name: str | None
    client_uri: str | None
    location: str | None


@dataclass(frozen=True, slots=True)
class SignedOut:
    """What follows a sign-out in the browser.

    `told` names the clients that hear of it, `frames` are the addresses whose loading tells some of them, `next_url` is
    where the relying party `client_name` wants the browser back.
    """

    told: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    next_url: str | None = None
    client_name: str | None = None

    @property
    def leaves_for(self) -> str | None:
        """The relying party's address when nothing has to be loaded before the browser goes back there."""
        return None if self.frames else self.next_url


async def sign_out(
    services: Services, session: Session | None, caller: Caller, *, next_url: str | None, client_name: str | None
) -> SignedOut:
    """End a session, have its clients told, and return what follows; grants with `offline_access` go on.

    One transaction, as `sessions.end` says; nothing without a session.
    """
    if session is None:
        return SignedOut(next_url=next_url, client_name=client_name)

    async def work(transaction: Transaction) -> list[Participant]:
        return await sessions.end(transaction, session, reason="logout", spare_offline=True, caller=caller)

    told = await services.database.transaction(work)
    if told:
        services.outbox.wake()
    return SignedOut(
        told=tuple(client.name for client in told),
        frames=_frames(services, told, session.id),
        next_url=next_url,
        client_name=client_name,
    )


def _frames(services: Services, told: Sequence[Participant], session_id: UUID) -> tuple[str, ...]:
    frames = (client.frame(issuer=services.issuer, session_id=session_id) for client in told)
    return tuple(address for address in frames if address is not None)


async def keep(services: Services, signed_out: SignedOut, *, browser: str) -> str:
    """Keep what a page shows to this browser; returns the page's address. One step of the ephemeral store."""
    name = secrets.token_urlsafe(16)
    await services.ephemeral.put(_key(name, browser), orjson.dumps(astuple(signed_out)), _LIFETIME)
    return f"{services.issuer}/logout/done?request={name}"


async def kept(services: Services, name: str, *, browser: str) -> SignedOut | None:
    """Return what was kept for this browser. One step of the ephemeral store, none for what is no name of ours."""
    if len(name) != _NAME_LENGTH:
        return None
    record = await services.ephemeral.get(_key(name, browser))
    if record is None:
        return None
    told, frames, next_url, client_name = orjson.loads(record)
    return SignedOut(tuple(told), tuple(frames), next_url, client_name)


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


def _key(name: str, browser: str) -> str:
    return f"signed_out:{name}:{fingerprint(browser).hex()}"
