"""The one place that signs and verifies JSON Web Tokens. Nothing else decodes one.

joserfc's keys and algorithm objects do the cryptography; the header is prebuilt, the parsing strict. The algorithm
comes from the key, never from the token (RFC 8725 section 3.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from watchword.protocol.base64url import decode_segment, encode_segment
from watchword.protocol.errors import InvalidToken
from watchword.protocol.strict_json import parse_json_object
from watchword.protocol.vocabulary import SigningAlgorithm

MAX_TOKEN_LENGTH = 8192
_ALGORITHMS = {name: JWSRegistry.algorithms[name] for name in ("RS256", "ES256")}

Key = RSAKey | ECKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key parsed once, which signs and verifies. Its headers are written once a type."""

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
        claims = _verified_claims(token, keys, expected_type)
        _check_claims(claims, expected_issuer, now)
    except ValueError as problem:
        raise InvalidToken("The token is malformed, expired or not ours.", detail=str(problem)[:80]) from None
    return VerifiedToken(claims)


def _verified_claims(token: str, keys: Mapping[str, SigningKey], expected_type: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN_LENGTH:
        raise ValueError("length")
    header_text, payload_text, signature_text = token.split(".")
    header = parse_json_object(decode_segment(header_text))
    kid = header.get("kid")
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None or header.get("alg") != key.algorithm or header.get("typ") != expected_type or "crit" in header:
        raise ValueError("header")
    signed = f"{header_text}.{payload_text}".encode("ascii")
    if not _ALGORITHMS[key.algorithm].verify(signed, decode_segment(signature_text), key.key):
        raise ValueError("signature")
    return parse_json_object(decode_segment(payload_text))


def _check_claims(claims: dict[str, Any], expected_issuer: str, now: datetime | None) -> None:
    if claims.get("iss") != expected_issuer:
        raise ValueError("issuer")
    expires_at = claims.get("exp")
    if type(expires_at) is not int:
        raise ValueError("exp")
    if now is not None and now.timestamp() >= expires_at:
        raise ValueError("expired")
