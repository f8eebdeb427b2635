"""Which events the suite provoked: every provider's audit trail is looked at when the provider is stopped."""

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

FOLDER = "TEST_EVENTS_FOLDER"
"""Where the lanes of a suite that runs in several processes tell one another what they saw."""
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
    """Return the names of all events that were recorded so far, in other lanes too."""
    return frozenset(_seen).union(*(file.read_text().split() for file in _told()))


def tell_events() -> None:
    """Leave what was seen here for whoever looks at the whole suite."""
    if folder := os.environ.get(FOLDER):
        Path(folder, str(os.getpid())).write_text("\n".join(sorted(_seen)))


def _told() -> list[Path]:
    folder = os.environ.get(FOLDER)
    return sorted(Path(folder).iterdir()) if folder else []
