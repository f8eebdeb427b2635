"""Registered clients and protected resources in memory, at most five seconds stale.

A client that is not in memory is looked up at once, so that one registered at another worker works at its first use.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from watchword.database import Database, clients
from watchword.protocol.client import Client
from watchword.protocol.resource import Resource

FRESH = timedelta(seconds=5)
_MOST_CLIENTS = 10_000
_LONGEST_CLIENT_ID = 100


class Registry:
    """A read-through cache in front of `database.clients`."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now
        self._clients: dict[str, tuple[datetime, Client]] = {}
        self._resources: tuple[datetime, Mapping[str, Resource]] | None = None

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

    async def resources(self, named: Iterable[str] = ()) -> Mapping[str, Resource]:
        """Return the protected resources by audience; one that is `named` and not in memory is looked up at once.

        No statement when read less than five seconds ago, else one.
        """
        now, known = self._now(), self._resources
        if known is None or abs(now - known[0]) >= FRESH or not known[1].keys() >= set(named):
            known = self._resources = (now, await clients.resources(self._database))
        return known[1]
