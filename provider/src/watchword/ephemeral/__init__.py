"""Short-lived state shared by all workers: challenges, interactions, guesses, locks, questions.

One protocol of atomic verbs (`EphemeralStore`), several stores behind it. A store is one file here and one line in
`STORES`; the conformance suite in `tests/stores` runs over every line.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from watchword.embedded import StoreUnavailable
from watchword.ephemeral.memory import MemoryStore
from watchword.ephemeral.sqlite import SQLiteStore
from watchword.ephemeral.store import Charge, EphemeralStore, Limit, Now, Offset, Refusal, StoreUnfit

__all__ = [
    "STORES",
    "Charge",
    "EphemeralStore",
    "Limit",
    "MemoryStore",
    "Refusal",
    "SQLiteStore",
    "StoreUnavailable",
    "StoreUnfit",
    "open_store",
]

_NO_OFFSET = timedelta(0)


def _redis(url: str, now: Now, offset: Offset) -> EphemeralStore:
    from watchword.ephemeral.redis import RedisStore  # noqa: PLC0415 - only who names it in the URL needs its client

    return RedisStore.from_url(url, now, offset)


STORES: Mapping[str, Callable[[str, Now, Offset], EphemeralStore]] = {
    "memory": MemoryStore.from_url,
    "sqlite": SQLiteStore.from_url,
    "redis": _redis,
    "rediss": _redis,
    "redis+sentinel": _redis,
    "rediss+sentinel": _redis,
    "redis+cluster": _redis,
    "rediss+cluster": _redis,
}


def open_store(url: str, *, now: Now, offset: Offset = lambda: _NO_OFFSET) -> EphemeralStore:
    """Return the store that `url` names; nothing is opened before the first verb is awaited.

    Args:
        url: `memory://` (one process only), `sqlite:///relative/path.sqlite3`, `sqlite:////absolute/path.sqlite3`, or
            Redis and Valkey: `redis://[user:password@]host[:port][/number]`, by Sentinel
            `redis+sentinel://[user:password@]host:port,host:port/service[/number]`, by cluster
            `redis+cluster://[user:password@]host:port,host:port`; `rediss` in place of `redis` for TLS.
        now: the clock of the embedded stores, aware UTC; every expiry and every rate is measured by it.
        offset: what is added to the clock of Redis, which measures by its own.

    Raises:
        ValueError: the URL names no known store. The text never repeats the URL, which may hold a password.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in STORES:
        known = ", ".join(f"{name}://" for name in STORES)
        raise ValueError(f"the ephemeral store's URL must begin with one of: {known}")
    return STORES[scheme](url, now, offset)
