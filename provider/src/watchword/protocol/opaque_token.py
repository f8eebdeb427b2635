"""Opaque access tokens: claims that only the provider can read, sealed into the token, so that nothing is stored.

    "ww_at_" base64url(version | kid | nonce | ciphertext | tag)

AES-256-GCM. The nonce is twice as long as GCM's: its first half derives a key for this token (HMAC-SHA-256), its second
half is GCM's nonce. Random nonces under one key are worn out after 2^32 tokens (NIST SP 800-38D section 8.3), which a
busy provider reaches within days; under derived keys they never are. XAES-256-GCM is built in the same way.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from watchword.protocol.base64url import decode_segment, encode_segment
from watchword.protocol.digests import join_fields
from watchword.protocol.errors import InvalidToken
from watchword.protocol.jwt import MAX_TOKEN_LENGTH, SeenTokens, VerifiedToken

PREFIX: Final = "ww_at_"  # recognisable: secret scanners find a leaked one by it
NONCE_LENGTH: Final = 24
_VERSION = b"\x01"
_KID_END = 5
_NONCE_END = _KID_END + NONCE_LENGTH
_HALF = NONCE_LENGTH // 2
_LABEL = b"watchword opaque access token"


def write_opaque_token(claims: Mapping[str, Any], key: bytes, *, kid: str, issuer: str, nonce: bytes) -> str:
    """Seal the claims. No signature, no statement: one HMAC and one AES-GCM.

    Args:
        claims: what the token says.
        key: 32 bytes, used for opaque tokens alone.
        kid: the key's name, 8 hexadecimal digits.
        issuer: the token opens at this issuer only.
        nonce: 24 random bytes, new for each token.
    """
    header = _VERSION + bytes.fromhex(kid)
    sealed = _cipher(key, nonce).encrypt(nonce[_HALF:], orjson.dumps(claims), _bound_to(header, issuer))
    return PREFIX + encode_segment(header + nonce + sealed).decode("ascii")


def read_opaque_token(
    token: str, keys: Mapping[str, bytes], *, expected_issuer: str, now: datetime, seen: SeenTokens | None = None
) -> VerifiedToken:
    """Open an opaque token, unless it was `seen`, and check its expiry. Audience and grant are not checked here.

    Raises:
        InvalidToken: whatever does not hold; the description never says which.
    """
    try:
        claims = None if seen is None else seen.find(token, keys, PREFIX)
        if claims is None:
            kid, claims = _open(token, keys, expected_issuer)
            if seen is not None:
                seen.keep(token, keys, kid, PREFIX, claims)
        if now.timestamp() >= claims["exp"]:
            raise ValueError("expired")
    except (ValueError, InvalidTag) as problem:
        detail = str(problem)[:80] or "not sealed here"
        raise InvalidToken("The token is malformed, expired or not ours.", detail=detail) from None
    return VerifiedToken(claims)


def _open(token: str, keys: Mapping[str, bytes], issuer: str) -> tuple[str, dict[str, Any]]:
    if len(token) > MAX_TOKEN_LENGTH or not token.startswith(PREFIX):
        raise ValueError("form")
    data = decode_segment(token[len(PREFIX) :])
    header, nonce, sealed = data[:_KID_END], data[_KID_END:_NONCE_END], data[_NONCE_END:]
    kid = header[1:].hex()
    key = keys.get(kid)
    if key is None or header[:1] != _VERSION or len(nonce) != NONCE_LENGTH:
        raise ValueError("header")
    # What opens was written by us, so it needs no strict parser.
    claims: dict[str, Any] = orjson.loads(_cipher(key, nonce).decrypt(nonce[_HALF:], sealed, _bound_to(header, issuer)))
    return kid, claims


def _cipher(key: bytes, nonce: bytes) -> AESGCM:
    return AESGCM(hmac.digest(key, _LABEL + nonce[:_HALF], hashlib.sha256))


def _bound_to(header: bytes, issuer: str) -> bytes:
    return join_fields(_LABEL, header, issuer.encode())
