"""Turning rows into values: the few conversions that every aggregate shares."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from watchword.clock import from_microseconds


def maybe_time(value: int | None) -> datetime | None:
    """Read a time column that may be empty."""
    return None if value is None else from_microseconds(value)


def write_json(value: Any) -> str:
    """Write a JSON column."""
    return orjson.dumps(value).decode()


def write_words(words: Iterable[str]) -> str:
    """Write a column of words (scopes, amr): separated by spaces, which no word holds."""
    return " ".join(words)


def read_words(text: str) -> tuple[str, ...]:
    """Read a column of words."""
    return tuple(text.split())
