"""Which events the suite provoked: every provider's audit trail is looked at when the provider is stopped."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

NAMES = "SELECT DISTINCT name FROM audit_event"
_seen: set[str] = set()


def note_events(rows: Callable[[str], list[dict[str, Any]]]) -> None:
    """Note the names of a provider's events. A store that a test broke tells nothing."""
    with contextlib.suppress(Exception):
        _seen.update(row["name"] for row in rows(NAMES))


def note_names(names: Iterable[str]) -> None:
    """Note names that were read in another way."""
    _seen.update(names)


def events_seen() -> frozenset[str]:
    """Return the names of all events that were recorded so far."""
    return frozenset(_seen)
