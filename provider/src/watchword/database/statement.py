"""A prepared statement: SQL with named values, written once for SQLite and PostgreSQL.

`:now` is special: it is the store's own clock and never the caller's value, so that no node's clock decides when
something expires. What only PostgreSQL understands stands in a comment that names it, `/* postgresql: FOR UPDATE */`:
SQLite, where writers take turns anyway, passes over it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from watchword.clock import microseconds, to_microseconds

_NAME = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_LOCKS = re.compile(r" FOR (?:(?:NO KEY )?UPDATE|(?:KEY )?SHARE)\b")
_FOR_POSTGRESQL = re.compile(r"/\* postgresql: (.*?) \*/")
# Constant within one statement, so that an index can be searched for it; the number beside it is the clock's offset.
_POSTGRESQL_NOW = "((extract(epoch FROM statement_timestamp()) * 1000000)::bigint + ${}::bigint)"


class Statement:
    """SQL text with `:name` values; binding turns times, durations and UUIDs into what a column holds.

    `numbered` is the text for SQLite, `postgresql` the one for PostgreSQL; their values stand in the same order.
    `reads`: it locks and changes nothing.
    """

    __slots__ = ("names", "numbered", "postgresql", "reads", "text")

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        self.names = tuple(dict.fromkeys(_NAME.findall(self.text)))
        position = {name: index + 1 for index, name in enumerate(self.names)}
        self.numbered = _NAME.sub(lambda match: f"?{position[match[1]]}", self.text)
        self.postgresql = _NAME.sub(
            lambda match: (_POSTGRESQL_NOW if match[1] == "now" else "${}").format(position[match[1]]),
            _FOR_POSTGRESQL.sub(r"\1", self.text),
        )
        self.reads = self.text.startswith("SELECT ") and not _LOCKS.search(self.text)

    def bind(self, values: Mapping[str, Any], now: int) -> tuple[Any, ...]:
        """Return the values in the order of their numbers.

        `now` is in microseconds: the time for SQLite, the offset of the server's clock for PostgreSQL.
        """
        write = _WRITTEN.get
        given = [now if name == "now" else values[name] for name in self.names]
        return tuple([value if (form := write(type(value))) is None else form(value) for value in given])

    def __repr__(self) -> str:
        """Show the text; values are never part of a statement."""
        return f"Statement({self.text!r})"


_WRITTEN: Mapping[type, Callable[[Any], Any]] = {
    datetime: to_microseconds,
    timedelta: microseconds,
    UUID: str,
}
