"""The kinds of ephemeral store that one suite runs over, and a clock that all of them follow."""

from datetime import datetime, timedelta
from pathlib import Path

from tests.stores.movable_clock import START, TICK
from tests.support import valkey
from watchword.ephemeral import EphemeralStore, open_store

KINDS = ("memory", "sqlite", "redis")


class StoreClock:
    """A clock for one kind of store: embedded ones read a clock that stands still, Redis adds the offset to its own.

    `tick` is the least that a test can tell apart: where the clock runs, whatever the test takes is lost in it.
    """

    def __init__(self, kind: str) -> None:
        self.tick = timedelta(seconds=10) if kind == "redis" else TICK
        self._moved = timedelta(0)

    def now(self) -> datetime:
        return START + self._moved

    def offset(self) -> timedelta:
        return self._moved

    def advance(self, by: timedelta) -> None:
        self._moved += by


def url_of(kind: str, folder: Path) -> str:
    """Return the URL of a new, empty store."""
    match kind:
        case "memory":
            return "memory://"
        case "sqlite":
            return f"sqlite:///{folder}/ephemeral.sqlite3"
        case _:
            return valkey.empty(valkey.valkey_url())


def opened(kind: str, folder: Path, clock: StoreClock) -> EphemeralStore:
    return open_store(url_of(kind, folder), now=clock.now, offset=clock.offset)
