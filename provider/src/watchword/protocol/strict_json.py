"""JSON read strictly: no duplicate names, no NaN or infinity, bounded depth and size of numbers, text that is text."""

import json
import re
from typing import Any

_MAX_DEPTH = 8
_MAX_INTEGER_DIGITS = 16
# What no store takes or UTF-8 cannot say: NUL, and halves of surrogate pairs. Only an escape can bring either.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def parse_json_object(data: bytes) -> dict[str, Any]:
    """Read one JSON object in UTF-8.

    Raises:
        ValueError: anything else.
    """
    try:
        value = _decode(data)
        if not isinstance(value, dict):
            raise ValueError("not an object")  # noqa: TRY004 - one exception type for one kind of refusal
        # No deeper than it has brackets: tokens and most documents need not be walked.
        if data.count(b"{") + data.count(b"[") > _MAX_DEPTH and _depth(value) > _MAX_DEPTH:
            raise ValueError("nested too deeply")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def parse_json(data: bytes) -> Any:
    """Read one JSON value in UTF-8, as `parse_json_object` reads objects.

    Raises:
        ValueError: anything else.
    """
    try:
        value = _decode(data)
        if _depth(value) > _MAX_DEPTH:
            raise ValueError("nested too deeply")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _decode(data: bytes) -> Any:
    value = _DECODER.decode(data.decode("utf-8"))
    if b"\\u" in data and not _is_text(value):
        raise ValueError("no text")
    return value


def _is_text(value: object) -> bool:
    """Say whether every text in a value, names included, is one that can be stored and sent on."""
    if isinstance(value, str):
        return _NO_TEXT.search(value) is None
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(_is_text, parts))


def _depth(value: object) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, children), default=0)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate name")
    return value


def _integer(text: str) -> int:
    if len(text) > _MAX_INTEGER_DIGITS:
        raise ValueError("number too large")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("number too large")
    return value


def _constant(name: str) -> None:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_int=_integer, parse_float=_finite, parse_constant=_constant)
