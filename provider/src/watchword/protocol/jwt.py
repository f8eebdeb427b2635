"""The one place that signs and verifies JSON Web Tokens. Nothing else decodes one.

joserfc's keys and algorithm objects do the cryptography; the header is prebuilt, the parsing strict. The algorithm
comes from the key, never from the token (RFC 8725 section 3.1).
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from watchword.protocol.errors import InvalidToken
from watchword.protocol.vocabulary import SigningAlgorithm

MAX_TOKEN_BYTES = 8192
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+\Z")
_ALGORITHMS = {name: JWSRegistry.algorithms[name] for name in ("RS256", "ES256")}

Key = RSAKey | ECKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key parsed once. `private` is absent from keys that only verify."""

    kid: str
    algorithm: SigningAlgorithm
    key: Key = field(repr=False)
    _headers: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Return a compact JWS of the claims (RFC 7515 section 3.1). One signature."""
        header = self._headers.get(typ)
        if header is None:
            header = encode_segment(orjson.dumps({"alg": self.algorithm, "typ": typ, "kid": self.kid}))
            self._headers[typ] = header
        signing_input = header + b"." + encode_segment(orjson.dumps(claims))
        signature = _ALGORITHMS[self.algorithm].sign(signing_input, self.key)
        return (signing_input + b"." + encode_segment(signature)).decode("ascii")


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """Claims whose signature, issuer and type were verified."""

    claims: Mapping[str, Any]


def verify_token(
    token: str,
    keys: Mapping[str, SigningKey],
    *,
    expected_issuer: str,
    expected_type: str,
    now: datetime | None,
) -> VerifiedToken:
    """Verify one of our own tokens.

    `now=None` accepts an expired token, which `id_token_hint` allows. The audience and everything in the stores are
    not checked here.

    Raises:
        InvalidToken: whatever does not hold; the description never says which.
    """
    try:
        header_text, payload_text, signature_text = token.split(".") if len(token) <= MAX_TOKEN_BYTES else ("", "", "")
        header = _strict_object(decode_segment(header_text))
        key = keys.get(_text(header, "kid"))
        if key is None or header.get("alg") != key.algorithm or header.get("typ") != expected_type or "crit" in header:
            raise ValueError("header")
        signed = f"{header_text}.{payload_text}".encode("ascii")
        if not _ALGORITHMS[key.algorithm].verify(signed, decode_segment(signature_text), key.key):
            raise ValueError("signature")
        claims = _strict_object(decode_segment(payload_text))
        _check_claims(claims, expected_issuer, now)
    except (ValueError, RecursionError) as problem:
        raise InvalidToken("The token is malformed, expired or not ours.", detail=str(problem)[:80]) from None
    return VerifiedToken(claims)


def _check_claims(claims: dict[str, Any], expected_issuer: str, now: datetime | None) -> None:
    if claims.get("iss") != expected_issuer:
        raise ValueError("issuer")
    expires_at = claims.get("exp")
    if type(expires_at) is not int:
        raise ValueError("exp")
    if now is not None and now.timestamp() >= expires_at:
        raise ValueError("expired")


def encode_segment(data: bytes) -> bytes:
    """Base64url without padding (RFC 7515 appendix C)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decode_segment(text: str) -> bytes:
    """Decode canonical base64url: no padding, no foreign characters, no stray bits.

    Raises:
        ValueError: anything else.
    """
    if not _SEGMENT.match(text):
        raise ValueError("base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("base64url") from None
    if encode_segment(data) != text.encode("ascii"):
        raise ValueError("base64url is not canonical")
    return data


def _strict_object(data: bytes) -> dict[str, Any]:
    value = _DECODER.decode(data.decode("utf-8"))
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one exception type for one kind of refusal
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate member")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


def _text(header: dict[str, Any], name: str) -> str:
    value = header.get(name)
    return value if isinstance(value, str) else ""
