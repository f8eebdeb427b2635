"""JSON from outside, read strictly: one object, no duplicate names, no NaN, bounded depth and size of numbers."""

import json
from typing import Any

from watchword.protocol.errors import InvalidRequest

_MAX_DEPTH = 8
_MAX_INTEGER_DIGITS = 16
_REFUSAL = "The body is not a valid JSON object."


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InvalidRequest: anything else.
    """
    try:
        value = _DECODER.decode(body.decode("utf-8"))
        if isinstance(value, dict) and _depth(value) <= _MAX_DEPTH:
            return value
    except (ValueError, RecursionError):
        pass
    raise InvalidRequest(_REFUSAL)


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
