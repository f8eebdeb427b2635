"""A prepared statement: SQL with named values, written once for SQLite and PostgreSQL.

`:now` is special: it is the store's own clock, bound by the store and never by the caller, so that no node's clock
decides when something expires.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from watchword.clock import microseconds, to_microseconds

_NAME = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


class Statement:
    """SQL text with `:name` values; binding turns times, durations and UUIDs into what a column holds."""

    __slots__ = ("names", "numbered", "text")

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        self.names = tuple(dict.fromkeys(_NAME.findall(self.text)))
        position = {name: index + 1 for index, name in enumerate(self.names)}
        self.numbered = _NAME.sub(lambda match: f"?{position[match[1]]}", self.text)

    def bind(self, values: Mapping[str, Any], now: int) -> tuple[Any, ...]:
        """Return the values in the order of their numbers; `now` is the store's clock in microseconds."""
        return tuple(now if name == "now" else _column(values[name]) for name in self.names)

    def __repr__(self) -> str:
        """Show the text; values are never part of a statement."""
        return f"Statement({self.text!r})"


def _column(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_microseconds(value)
    if isinstance(value, timedelta):
        return microseconds(value)
    if isinstance(value, UUID):
        return str(value)
    return value
