"""The one place that signs and verifies JSON Web Tokens. Nothing else decodes one.

`cryptography` signs and verifies; the header is prebuilt, the parsing strict. The algorithm comes from the key, never
from the token (RFC 8725 section 3.1).
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey, OKPKey, RSAKey

from watchword.protocol.base64url import decode_segment, encode_segment
from watchword.protocol.errors import InvalidToken
from watchword.protocol.strict_json import parse_json_object
from watchword.protocol.vocabulary import SigningAlgorithm

MAX_TOKEN_LENGTH = 8192

Key = RSAKey | ECKey | OKPKey


def _sign_rs256(private_key: Any, data: bytes) -> bytes:
    signature: bytes = private_key.sign(data, _PADDING, _SHA256)
    return signature


def _verify_rs256(public_key: Any, signature: bytes, data: bytes) -> None:
    public_key.verify(signature, data, _PADDING, _SHA256)


def _sign_es256(private_key: Any, data: bytes) -> bytes:
    """RFC 7518 section 3.4: both numbers in 32 bytes each."""
    r, s = decode_dss_signature(private_key.sign(data, _ECDSA))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _verify_es256(public_key: Any, signature: bytes, data: bytes) -> None:
    if len(signature) != 64:
        raise InvalidSignature
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    public_key.verify(encode_dss_signature(r, s), data, _ECDSA)


def _sign_ps256(private_key: Any, data: bytes) -> bytes:
    """RFC 7518 section 3.5: the salt is as long as the hash."""
    signature: bytes = private_key.sign(data, _PSS, _SHA256)
    return signature


def _verify_ps256(public_key: Any, signature: bytes, data: bytes) -> None:
    public_key.verify(signature, data, _PSS, _SHA256)


def _sign_ed25519(private_key: Any, data: bytes) -> bytes:
    signature: bytes = private_key.sign(data)
    return signature


def _verify_ed25519(public_key: Any, signature: bytes, data: bytes) -> None:
    public_key.verify(signature, data)


# joserfc's algorithm objects do the same in 1.3 times the time: they make a hash and find the key for each signature.
_SHA256 = SHA256()
_PADDING = PKCS1v15()
_ECDSA = ECDSA(_SHA256)
_PSS = PSS(MGF1(_SHA256), _SHA256.digest_size)
_SIGN: Mapping[str, Callable[[Any, bytes], bytes]] = {
    "RS256": _sign_rs256,
    "PS256": _sign_ps256,
    "ES256": _sign_es256,
    "EdDSA": _sign_ed25519,
    "Ed25519": _sign_ed25519,
}
_VERIFY: Mapping[str, Callable[[Any, bytes, bytes], None]] = {
    "RS256": _verify_rs256,
    "PS256": _verify_ps256,
    "ES256": _verify_es256,
    "EdDSA": _verify_ed25519,
    "Ed25519": _verify_ed25519,
}
_ED25519 = ("EdDSA", "Ed25519")


def verify_signature(algorithm: SigningAlgorithm, public_key: Any, signature: bytes, data: bytes) -> bool:
    """Say whether a signature was made by the private half of `public_key`, which fits the algorithm."""
    try:
        _VERIFY[algorithm](public_key, signature, data)
    except InvalidSignature:
        return False
    return True


def public_part(key: Key) -> Key:
    """Return the key without what is secret in it."""
    raw: Any = key.get_op_key("verify")
    return type(key).import_key(raw)


class SigningKey:
    """A key parsed once, which verifies and, while it has a private part, signs. Its headers are written once a type.

    `signatures` and `verifications` say how many it made so far; the suite asserts what each endpoint costs.
    """

    __slots__ = ("_headers", "_private", "_public", "accepts", "algorithm", "key", "kid", "signatures", "verifications")

    def __init__(self, kid: str, algorithm: SigningAlgorithm, key: Key) -> None:
        self.kid, self.algorithm, self.key = kid, algorithm, key
        self.accepts = _ED25519 if algorithm in _ED25519 else (algorithm,)  # no set: a header may hold anything
        self._private = key.get_op_key("sign") if key.is_private else None
        self._public = key.get_op_key("verify")
        self._headers: dict[str, bytes] = {}
        self.signatures = self.verifications = 0

    def __repr__(self) -> str:
        """Show the key's name."""
        return f"SigningKey({self.kid!r}, {self.algorithm!r})"

    def forget_private_part(self) -> None:
        """Sign no more. What was verified before stays known, for the key is still the same."""
        self._private, self.key = None, public_part(self.key)

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Return a compact JWS of the claims (RFC 7515 section 3.1). One signature. The key has its private part."""
        self.signatures += 1
        header = self._headers.get(typ)
        if header is None:
            header = encode_segment(orjson.dumps({"alg": self.algorithm, "typ": typ, "kid": self.kid})) + b"."
            self._headers[typ] = header
        signing_input = header + encode_segment(orjson.dumps(claims))
        signature = _SIGN[self.algorithm](self._private, signing_input)
        return (signing_input + b"." + encode_segment(signature)).decode("ascii")

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Say whether this key made the signature. One verification."""
        self.verifications += 1
        try:
            _VERIFY[self.algorithm](self._public, signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """Claims whose signature, issuer and type were verified."""

    claims: Mapping[str, Any]


class SeenTokens:
    """One issuer's tokens that were verified or opened before, by SHA-256; the least recently used are forgotten.

    A token is not known any more once its key is gone. All that a key cannot say is checked each time.
    """

    __slots__ = ("_known", "_most")

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, bytes], tuple[str, object, dict[str, Any]]] = OrderedDict()

    def find(self, token: str, keys: Mapping[str, object], typ: str) -> dict[str, Any] | None:
        """Return the claims of a token of that type, if a key that is still ours was seen to fit it."""
        name = _name(token, typ)
        kid, key, claims = self._known.get(name, ("", None, None))
        if key is None or keys.get(kid) is not key:
            return None
        self._known.move_to_end(name)
        return claims

    def keep(self, token: str, keys: Mapping[str, object], kid: str, typ: str, claims: dict[str, Any]) -> None:
        """Remember a token that a key was seen to fit."""
        self._known[_name(token, typ)] = (kid, keys[kid], claims)
        if len(self._known) > self._most:
            self._known.popitem(last=False)


def _name(token: str, typ: str) -> tuple[str, bytes]:
    return typ, hashlib.sha256(token.encode()).digest()


def verify_token(
    token: str,
    keys: Mapping[str, SigningKey],
    *,
    expected_issuer: str,
    expected_type: str,
    now: datetime | None,
    seen: SeenTokens | None = None,
) -> VerifiedToken:
    """Verify one of our own tokens. One verification, none for a token that was `seen`.

    `now=None` accepts an expired token, which `id_token_hint` allows. The audience and everything in the stores are
    not checked here.

    Raises:
        InvalidToken: whatever does not hold; the description never says which.
    """
    try:
        if len(token) > MAX_TOKEN_LENGTH:
            raise ValueError("length")
        claims = None if seen is None else seen.find(token, keys, expected_type)
        if claims is None:
            kid, claims = _verified_claims(token, keys, expected_type)
            if seen is not None:
                seen.keep(token, keys, kid, expected_type, claims)
        _check_claims(claims, expected_issuer, now)
    except ValueError as problem:
        raise InvalidToken("The token is malformed, expired or not ours.", detail=str(problem)[:80]) from None
    return VerifiedToken(claims)


def _verified_claims(token: str, keys: Mapping[str, SigningKey], expected_type: str) -> tuple[str, dict[str, Any]]:
    header_text, payload_text, signature_text = token.split(".")
    header = parse_json_object(decode_segment(header_text))
    kid = header.get("kid")
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None or header.get("alg") not in key.accepts or header.get("typ") != expected_type or "crit" in header:
        raise ValueError("header")
    signed = f"{header_text}.{payload_text}".encode("ascii")
    if not key.verify(decode_segment(signature_text), signed):
        raise ValueError("signature")
    return key.kid, parse_json_object(decode_segment(payload_text))


def _check_claims(claims: dict[str, Any], expected_issuer: str, now: datetime | None) -> None:
    if claims.get("iss") != expected_issuer:
        raise ValueError("issuer")
    expires_at = claims.get("exp")
    if type(expires_at) is not int:
        raise ValueError("exp")
    if now is not None and now.timestamp() >= expires_at:
        raise ValueError("expired")
