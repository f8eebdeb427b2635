"""Keys of clients that authenticate by `private_key_jwt`: registered ones, and those that a `jwks_uri` publishes.

Fetched keys are kept in memory and looked at again every five minutes, and when a token names a key that is not among
them, which is how a client rotates (OpenID Connect Core section 10.1.1).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from watchword.fetch import Fetch, FetchFailed, FetchRefused
from watchword.protocol.client import Client
from watchword.protocol.jwk_set import ClientKey, usable_keys

FRESH: Final = timedelta(minutes=5)
PAUSE: Final = timedelta(seconds=10)
"""Between two fetches of one URI, whatever anybody sends: made-up key names cannot make us knock on."""
STALE: Final = timedelta(hours=1)
"""How long keys are used on while their URI does not answer."""
_MOST_SETS: Final = 1000


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What a URI gave the last time it answered, and when it was last asked."""

    keys: tuple[ClientKey, ...]
    fetched_at: datetime | None
    asked_at: datetime


class ClientKeys:
    """The keys of each client, parsed once. What is least recently used is forgotten."""

    def __init__(self, fetch: Fetch, now: Callable[[], datetime]) -> None:
        self._fetch, self._now = fetch, now
        self._registered: OrderedDict[str, tuple[Mapping[str, Any], tuple[ClientKey, ...]]] = OrderedDict()
        self._fetched: OrderedDict[str, _Fetched] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[_Fetched]] = {}

    async def keys(self, client: Client, kid: str | None) -> Sequence[ClientKey]:
        """Return a client's keys, the one of that `kid` among them if it has it; none when they cannot be had.

        Nothing is fetched while the keys are fresh and the `kid` is known; otherwise a fetch may take five seconds.
        """
        if client.jwks is not None:
            return self._of_registration(client.id, client.jwks)
        if client.jwks_uri is None:
            return ()
        now, known = self._now(), self._fetched.get(client.jwks_uri)
        if known is None or (_is_wanting(known, kid, now) and abs(now - known.asked_at) >= PAUSE):
            known = await self._ask(client.jwks_uri)
        else:
            self._fetched.move_to_end(client.jwks_uri)
        alive = known.fetched_at is not None and abs(now - known.fetched_at) < STALE
        return known.keys if alive else ()

    def _of_registration(self, client_id: str, jwks: Mapping[str, Any]) -> tuple[ClientKey, ...]:
        known = self._registered.get(client_id)
        if known is None or known[0] != jwks:
            known = (jwks, usable_keys(jwks))
            _keep(self._registered, client_id, known)
        self._registered.move_to_end(client_id)
        return known[1]

    async def _ask(self, uri: str) -> _Fetched:
        """Fetch once for all who wait for it; one who stops waiting does not stop it for the others."""
        task = self._under_way.get(uri)
        if task is None:
            task = self._under_way[uri] = asyncio.create_task(self._fetch_keys(uri))
            task.add_done_callback(lambda _: self._under_way.pop(uri, None))
        return await asyncio.shield(task)

    async def _fetch_keys(self, uri: str) -> _Fetched:
        before = self._fetched.get(uri)
        try:
            keys = usable_keys(await self._fetch.get_json(uri))
        except (FetchRefused, FetchFailed, ValueError):
            kept, fetched_at = (before.keys, before.fetched_at) if before else ((), None)
            fetched = _Fetched(kept, fetched_at, self._now())
        else:
            fetched = _Fetched(keys, self._now(), self._now())
        _keep(self._fetched, uri, fetched)
        return fetched


def _is_wanting(known: _Fetched, kid: str | None, now: datetime) -> bool:
    """Whether keys should be looked at again: too long ago, never answered, or without the one that is named."""
    if known.fetched_at is None or abs(now - known.fetched_at) >= FRESH:
        return True
    return kid is not None and all(key.kid != kid for key in known.keys)


def _keep(kept: "OrderedDict[str, Any]", name: str, value: object) -> None:
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > _MOST_SETS:
        kept.popitem(last=False)
