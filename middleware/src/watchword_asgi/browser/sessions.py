"""Sessions of signed-in browsers: in an encrypted cookie, or in a store with only their id in the cookie."""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from weakref import WeakValueDictionary

from ..clock import Clock
from ..errors import Refused
from ..tokens.id_token import IdToken, read_id_token
from .cookies import CookieNames, read_pieces
from .sealing import Sealer

_MOST_ENDED = 10_000

SetCookies = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser.

    Attributes:
        id: new with each login, so that a session planted beforehand is worth nothing.
        id_token: who signed in.
        scopes: what the provider granted.
        expires_at: the end of the session, aware UTC; refreshing tokens does not move it.
        access_token, access_expires_at: to call APIs with, and until when.
        refresh_token: where the provider gave one.
    """

    id: str
    id_token: IdToken
    scopes: frozenset[str]
    expires_at: datetime
    access_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_token: str | None = field(repr=False)

    def encode(self) -> bytes:
        """The session as bytes, to be sealed or stored."""
        members = {
            "id": self.id,
            "it": self.id_token.token,
            "sc": " ".join(sorted(self.scopes)),
            "ex": int(self.expires_at.timestamp()),
            "at": self.access_token,
            "ax": int(self.access_expires_at.timestamp()),
            "rt": self.refresh_token,
        }
        return json.dumps(members, separators=(",", ":")).encode("ascii")


def new_session_id() -> str:
    """128 random bits."""
    return secrets.token_urlsafe(16)


def parse_session(data: bytes) -> Session | None:
    """Read what `Session.encode` wrote; None for the bytes of another version."""
    try:
        members: dict[str, Any] = json.loads(data)
        return Session(
            id=members["id"],
            id_token=read_id_token(members["it"]),
            scopes=frozenset(members["sc"].split()),
            expires_at=datetime.fromtimestamp(members["ex"], UTC),
            access_token=members["at"],
            access_expires_at=datetime.fromtimestamp(members["ax"], UTC),
            refresh_token=members["rt"],
        )
    except (Refused, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None


class SessionStore(Protocol):
    """Where sessions live when they shall not live in the browser. Several processes need one that they share."""

    async def get(self, key: str) -> bytes | None:
        """The value, None when there is none or its lifetime is over."""
        ...

    async def put(self, key: str, value: bytes, lifetime: timedelta) -> None:
        """Keep the value for the lifetime, in place of an older one."""
        ...

    async def delete(self, key: str) -> None:
        """Forget the value."""
        ...

    def lock(self, key: str) -> AbstractAsyncContextManager[object]:
        """Hold a lock that nobody else, in no process, holds for the same key. It must outlast ten seconds."""
        ...


class MemoryStore:
    """A session store for one process: nothing survives a restart."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._kept: dict[str, tuple[bytes, datetime]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, key: str) -> bytes | None:
        """The value, None when there is none or its lifetime is over."""
        value, until = self._kept.get(key, (None, self._now()))
        return value if self._now() < until else None

    async def put(self, key: str, value: bytes, lifetime: timedelta) -> None:
        """Keep the value; those whose lifetime is over go."""
        now = self._now()
        self._kept = {name: kept for name, kept in self._kept.items() if now < kept[1]}
        self._kept[key] = (value, now + lifetime)

    async def delete(self, key: str) -> None:
        """Forget the value."""
        self._kept.pop(key, None)

    def lock(self, key: str) -> AbstractAsyncContextManager[object]:
        """One lock per key, as long as somebody holds or awaits it."""
        return self._locks.setdefault(key, asyncio.Lock())


class Sessions:
    """Opens, writes and ends sessions."""

    def __init__(self, names: CookieNames, sealer: Sealer, store: SessionStore | None, clock: Clock) -> None:
        self._names = names
        self._sealer = sealer
        self._clock = clock
        self._ended: dict[str, None] = {}  # in order, oldest first
        self.store = store

    async def open(self, cookies: Mapping[str, str]) -> Session | None:
        """The live session of a request, None when there is none."""
        text = read_pieces(self._names.session, cookies)
        data = None if text is None else self._sealer.open(text, purpose=self._names.session)
        if data is None:
            return None
        if self.store is not None:
            return await self.read_store(data.decode("ascii", "replace"))
        session = parse_session(data)
        return session if session is not None and self._is_live(session) else None

    async def read_store(self, session_id: str) -> Session | None:
        """The session as the store has it now."""
        data = None if self.store is None else await self.store.get(session_id)
        session = None if data is None else parse_session(data)
        return session if session is not None and self._is_live(session) else None

    async def write(self, session: Session, cookies: Mapping[str, str]) -> SetCookies:
        """Keep the session and return the cookies to set: none for a session that was ended meanwhile.

        Raises:
            TooLargeForCookies: five cookies cannot hold it, and there is no store.
        """
        if session.id in self._ended:
            return ()
        left = session.expires_at - self._clock.now()
        value = session.encode()
        if self.store is not None:
            await self.store.put(session.id, value, left)
            value = session.id.encode("ascii")
        sealed = self._sealer.seal(value, purpose=self._names.session)
        seconds = max(1, int(left.total_seconds()))
        return tuple(self._names.write_pieces(self._names.session, sealed, seconds=seconds, sent=cookies))

    async def end(self, session: Session) -> None:
        """End it: an answer that is still on its way can no longer bring its cookie back to life."""
        while len(self._ended) >= _MOST_ENDED:
            del self._ended[next(iter(self._ended))]
        self._ended[session.id] = None
        if self.store is not None:
            async with self.store.lock(session.id):  # else a refresh in another process could write it back
                await self.store.delete(session.id)

    def remove(self, cookies: Mapping[str, str]) -> SetCookies:
        """The cookies to set so that the browser forgets its session."""
        return tuple(self._names.remove_pieces(self._names.session, sent=cookies))

    def _is_live(self, session: Session) -> bool:
        return session.id not in self._ended and self._clock.now() < session.expires_at
