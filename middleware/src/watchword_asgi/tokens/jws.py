"""Signed tokens, read strictly: one text has one meaning, or it is refused (RFC 7515, RFC 8725)."""

import binascii
import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from ..errors import Reason, Refused
from .jwk import ALGORITHMS, VerificationKey

MAX_TOKEN_CHARACTERS = 8192
_DEEPEST_JSON = 32
_MOST_KEYS_TRIED = 4  # keys that share one kid
_TOKEN_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
# The last character of a base64url text carries unused bits. They must be zero, or one token would have several
# spellings and a list of revoked tokens could be dodged.
_CANONICAL_ENDS = (None, b"", b"AQgw", b"AEIMQUYcgkosw048")  # by the length modulo 4; no text has length 1 modulo 4
_PADDING = (b"", b"", b"==", b"=")
_TO_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True, slots=True)
class JoseHeader:
    """What is read of a header. `type` is in lower case, as media types compare."""

    algorithm: str
    kid: str | None
    type: str | None


@dataclass(frozen=True, slots=True)
class CompactToken:
    """A token taken apart. Nothing in it is trusted before `verify_signature`."""

    header: JoseHeader
    payload: bytes
    signing_input: bytes
    signature: bytes


def parse_base64url(text: bytes) -> bytes:
    """Decode canonical base64url without padding (RFC 7515 section 2). The alphabet is checked by the caller."""
    remainder = len(text) & 3
    ends = _CANONICAL_ENDS[remainder]
    if ends is not None and text[-1] not in ends:
        raise Refused(Reason.MALFORMED)
    return binascii.a2b_base64(text.translate(_TO_STANDARD_ALPHABET) + _PADDING[remainder])


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _parse_finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_members, parse_constant=_refuse_constant, parse_float=_parse_finite
)


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend(cast("dict[str, object]", each).values())
            elif isinstance(each, list):
                inner.extend(cast("list[object]", each))
        level = inner
    return depth


def parse_json_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object in which every member is named once, every number is finite and all text is encodable.

    Raises:
        ValueError: it is anything else, or nested deeper than 32 levels.
    """
    text = data.decode("utf-8")
    try:
        value: object = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - bad text, not a bad type
    members = cast("dict[str, Any]", value)
    if "\\u" in text:
        json.dumps(members, ensure_ascii=False).encode("utf-8")  # a lone surrogate raises UnicodeEncodeError here
    if text.count("{") + text.count("[") > _DEEPEST_JSON and _depth(members) > _DEEPEST_JSON:
        raise ValueError("nested too deeply")
    return members


def parse_token_json(data: bytes) -> dict[str, Any]:
    """`parse_json_object` for a part of a token: raises Refused instead."""
    try:
        return parse_json_object(data)
    except ValueError:
        raise Refused(Reason.MALFORMED) from None


def _text_or_none(header: dict[str, Any], name: str) -> str | None:
    value = header.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused(Reason.MALFORMED)
    return value


@functools.lru_cache(maxsize=64)  # an issuer's tokens share a few headers
def _parse_header(text: bytes) -> JoseHeader:
    header = parse_token_json(parse_base64url(text))
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Refused(Reason.ALGORITHM)
    if "crit" in header or "b64" in header:
        raise Refused(Reason.CRITICAL_HEADER)
    named_type = _text_or_none(header, "typ")
    return JoseHeader(algorithm, _text_or_none(header, "kid"), None if named_type is None else named_type.lower())


def parse_compact(token: str) -> CompactToken:
    """Take a compact JWS apart (RFC 7515 section 3.1).

    Addresses and keys in the header (`jku`, `x5u`, `jwk`, `x5c`) are never looked at: keys come from the issuer alone.

    Raises:
        Refused: too large, malformed, an algorithm outside the allow-list, or any `crit` or `b64` header.
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise Refused(Reason.TOO_LARGE)
    text = token.encode("utf-8", "replace")
    parts = text.split(b".")
    if len(parts) != 3 or not all(parts) or text.translate(None, _TOKEN_CHARACTERS):
        raise Refused(Reason.MALFORMED)
    header, payload, signature = parts
    return CompactToken(
        _parse_header(header),
        payload=parse_base64url(payload),
        signing_input=text[: -len(signature) - 1],
        signature=parse_base64url(signature),
    )


def verify_signature(token: CompactToken, keys: Sequence[VerificationKey]) -> VerificationKey:
    """Return the key that signed the token.

    A token without `kid` is taken only where exactly one key fits. Several keys under one `kid` are tried in turn.

    Raises:
        Refused: no such key, the algorithm is not the key's, or the signature is wrong.
    """
    kid, algorithm = token.header.kid, token.header.algorithm
    named = keys if kid is None else [key for key in keys if key.kid == kid]
    if not named:
        raise Refused(Reason.UNKNOWN_KEY)
    fitting = [key for key in named if algorithm in key.algorithms]
    if kid is None and len(fitting) != 1:
        raise Refused(Reason.UNKNOWN_KEY)
    if not fitting:
        raise Refused(Reason.ALGORITHM)
    verify = ALGORITHMS[algorithm].verify
    for key in fitting[:_MOST_KEYS_TRIED]:
        if verify(token.signing_input, token.signature, key.material):
            return key
    raise Refused(Reason.SIGNATURE)
