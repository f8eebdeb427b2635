"""Short-lived state shared by all workers: challenges, interactions, guesses, locks, questions.

One protocol of atomic verbs (`EphemeralStore`), several stores behind it. A store is one file here and one line in
`STORES`; the conformance suite in `tests/stores` runs over every line.
"""

from collections.abc import Callable, Mapping

from watchword.embedded import StoreUnavailable
from watchword.ephemeral.memory import MemoryStore
from watchword.ephemeral.sqlite import SQLiteStore
from watchword.ephemeral.store import Charge, EphemeralStore, Limit, Now, Refusal

__all__ = [
    "STORES",
    "Charge",
    "EphemeralStore",
    "Limit",
    "MemoryStore",
    "Refusal",
    "SQLiteStore",
    "StoreUnavailable",
    "open_store",
]

STORES: Mapping[str, Callable[[str, Now], EphemeralStore]] = {
    "memory": MemoryStore.from_url,
    "sqlite": SQLiteStore.from_url,
}


def open_store(url: str, *, now: Now) -> EphemeralStore:
    """Return the store that `url` names; nothing is opened before the first verb is awaited.

    Args:
        url: `memory://` (one process only), `sqlite:///relative/path.sqlite3` or `sqlite:////absolute/path.sqlite3`.
        now: the store's clock, aware UTC; every expiry and every rate is measured by it.

    Raises:
        ValueError: the URL names no known store. The text never repeats the URL, which may hold a password.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in STORES:
        known = ", ".join(f"{name}://" for name in STORES)
        raise ValueError(f"the ephemeral store's URL must begin with one of: {known}")
    return STORES[scheme](url, now)
