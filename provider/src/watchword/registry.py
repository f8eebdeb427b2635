"""Registered clients and protected resources in memory, at most five seconds stale.

A client that is not in memory is looked up at once, so that one registered at another worker works at its first use.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from watchword.database import Database, clients
from watchword.protocol.client import Client
from watchword.protocol.origins import browser_origins
from watchword.protocol.resource import Resource

FRESH = timedelta(seconds=5)
_MOST_CLIENTS = 10_000
_NEVER = datetime.min.replace(tzinfo=UTC)
_LONGEST_CLIENT_ID = 100


class Registry:
    """A read-through cache in front of `database.clients`."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now
        self._clients: dict[str, tuple[datetime, Client]] = {}
        self._resources: tuple[datetime, Mapping[str, Resource]] = (_NEVER, {})
        self._origins: tuple[datetime, frozenset[str]] = (_NEVER, frozenset())

    async def client(self, client_id: str) -> Client | None:
        """Return an active client. No statement when it was read less than five seconds ago, else two."""
        if len(client_id) > _LONGEST_CLIENT_ID:
            return None
        now = self._now()
        known = self._clients.get(client_id)
        if known is not None and abs(now - known[0]) < FRESH:
            return known[1]
        client = await clients.find(self._database, client_id)
        if client is None:
            self._clients.pop(client_id, None)
            return None
        if len(self._clients) >= _MOST_CLIENTS:
            self._clients.clear()
        self._clients[client_id] = (now, client)
        return client

    def forget(self, client_id: str) -> None:
        """Read a client anew at its next use: this worker changed it. Others see that five seconds later at most."""
        self._clients.pop(client_id, None)

    async def resources(self, named: Iterable[str] = ()) -> Mapping[str, Resource]:
        """Return the protected resources by audience; one that is `named` and not in memory is looked up at once.

        The same mapping until something changed. No statement when read less than five seconds ago, else one.
        """
        now, (read_at, known) = self._now(), self._resources
        if abs(now - read_at) >= FRESH or not known.keys() >= set(named):
            read = await clients.resources(self._database)
            known = known if read == known else read
            self._resources = (now, known)
        return known

    async def origins(self) -> frozenset[str]:
        """Return the origins of public clients, whose scripts redeem codes in a browser.

        No statement when read less than five seconds ago, else one, over the whole table.
        """
        now, (read_at, known) = self._now(), self._origins
        if abs(now - read_at) >= FRESH:
            self._origins = (now, known)  # whoever asks meanwhile is told what was known
            known = browser_origins(await clients.redirect_uris_of_public(self._database, most=_MOST_CLIENTS))
            self._origins = (now, known)
        return known
