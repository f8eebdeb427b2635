"""What the stores' files hold, by kind: what sessions need, and the audit trail, which is history."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

_MEGABYTE = 1e6
_TRAIL = "audit_%"
# An index belongs to its table. Needs SQLite's `dbstat`, which Debian and python.org build in.
_PAGES = """SELECT coalesce(sum(dbstat.pgsize), 0) FROM dbstat JOIN sqlite_master ON sqlite_master.name = dbstat.name
    WHERE sqlite_master.tbl_name {} ?"""
_MAILBOX = """SELECT coalesce(sum(length(value)) FILTER (WHERE key LIKE 'mailbox:%'), 0) * 1.0
    / coalesce(sum(length(value)), 1) FROM entries"""


@dataclass(frozen=True, slots=True)
class Stored:
    """Megabytes: `state` in both files, without the development mailbox; `trail` is the audit trail."""

    state: float
    trail: float

    def since(self, before: "Stored") -> "Stored":
        """Return what was added."""
        return Stored(self.state - before.state, self.trail - before.trail)

    def for_each(self, count: int, wanted: int) -> "Stored":
        """Return what `wanted` take where `count` took this."""
        return Stored(self.state / count * wanted, self.trail / count * wanted)


def stored(folder: Path) -> Stored:
    """Read both files of an embedded provider, running or not.

    Raises:
        sqlite3.OperationalError: this SQLite has no `dbstat`.
    """
    durable = sqlite3.connect(folder / "watchword.sqlite3")
    ephemeral = sqlite3.connect(folder / "ephemeral.sqlite3")
    try:
        (rows,) = durable.execute(_PAGES.format("NOT LIKE"), (_TRAIL,)).fetchone()
        (trail,) = durable.execute(_PAGES.format("LIKE"), (_TRAIL,)).fetchone()
        (entries,) = ephemeral.execute(_PAGES.format("="), ("entries",)).fetchone()
        (others,) = ephemeral.execute(_PAGES.format("!="), ("entries",)).fetchone()
        (mailbox,) = ephemeral.execute(_MAILBOX).fetchone()
    finally:
        durable.close()
        ephemeral.close()
    return Stored((rows + others + entries * (1 - mailbox)) / _MEGABYTE, trail / _MEGABYTE)
