"""Reading a signing key that was made elsewhere: PEM (PKCS #8, PKCS #1, SEC 1) or JWK (RFC 7517).

What is kept is written anew from the numbers of the key; nothing else of the file is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from watchword.keys.rotation import KeyRefused
from watchword.protocol.jwt import Key, public_part
from watchword.protocol.key_strength import check_strength
from watchword.protocol.strict_json import parse_json_object
from watchword.protocol.vocabulary import SigningAlgorithm

MAX_FILE_BYTES: Final = 65536
_LEAST_EXPONENT: Final = 65537  # NIST SP 800-56B section 6.2
_NAME = re.compile(r"[A-Za-z0-9-]{1,20}")
_KID = re.compile(r"[!-~]{1,128}")
_KINDS: Final[Mapping[str, type[RSAKey | ECKey | OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_MEMBERS: Final = frozenset({"kty", "crv", "n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y"})
_ALGORITHMS: Final[Mapping[str, tuple[SigningAlgorithm, ...]]] = {
    "RSA": ("RS256", "PS256"),
    "P-256": ("ES256",),
    "Ed25519": ("EdDSA",),
}
_UNREADABLE = "the file holds no key that can be read."


@dataclass(frozen=True, slots=True)
class ImportedKey:
    """A key out of a file. `kid` is the name it had there."""

    algorithm: SigningAlgorithm
    key: Key = field(repr=False)
    kid: str | None


def read_key(content: bytes, *, algorithm: str | None, verify_only: bool) -> ImportedKey:
    """Read the one key of a file.

    Args:
        content: PEM, a JWK, or a JWK set with one key that counts.
        algorithm: what it is to sign with, if the file does not say or both RSA algorithms would do; then RS256.
        verify_only: a public key will do, and only that part is returned.

    Raises:
        KeyRefused: the file holds no such key, or one that is encrypted, weak, or of no use here.
    """
    if len(content) > MAX_FILE_BYTES:
        raise KeyRefused(f"the file is larger than {MAX_FILE_BYTES} bytes.")
    jwk: Mapping[str, Any] = {}
    if b"-----BEGIN" in content:
        key = _read_pem(content, verify_only=verify_only)
    else:
        jwk = _read_jwk(content, verify_only=verify_only)
        key = _from_jwk(jwk)
    if not (verify_only or key.is_private):
        raise KeyRefused("the file holds a public key. Give the private one, or --verify-only.")
    _check(key)
    return ImportedKey(
        _algorithm(key, named=jwk.get("alg"), wanted=algorithm), public_part(key) if verify_only else key, _kid(jwk)
    )


def _read_pem(content: bytes, *, verify_only: bool) -> Key:
    if b"ENCRYPTED" in content:
        raise KeyRefused("the key is encrypted. Decrypt it first: `openssl pkey -in FILE -out PLAIN`.")
    labels = re.findall(rb"-----BEGIN ([A-Z0-9 ]+)-----", content)
    if sum(label != b"EC PARAMETERS" for label in labels) > 1:
        raise KeyRefused("the file holds more than one key or certificate. Give a file with one.")
    public = b"PRIVATE" not in content
    if public and not verify_only:
        raise KeyRefused("the file holds no private key. Give one, or --verify-only for a public key.")
    try:
        raw = load_pem_public_key(content) if public else load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyRefused(_UNREADABLE) from None
    match raw:
        case RSAPrivateKey() | RSAPublicKey():
            return RSAKey.import_key(raw)
        case EllipticCurvePrivateKey() | EllipticCurvePublicKey():
            return _on_a_curve(raw)
        case Ed25519PrivateKey() | Ed25519PublicKey():
            return OKPKey.import_key(raw)
        case _:
            raise KeyRefused("the key is none of RSA, EC and Ed25519.")


def _on_a_curve(raw: EllipticCurvePrivateKey | EllipticCurvePublicKey) -> ECKey:
    try:
        key = ECKey.import_key(raw)
        key.as_dict(private=False)
    except (KeyError, ValueError, JoseError):
        raise KeyRefused(f"the curve {raw.curve.name} is not one that signs here.") from None
    return key


def _read_jwk(content: bytes, *, verify_only: bool) -> Mapping[str, Any]:
    try:
        document = parse_json_object(content)
    except ValueError:
        raise KeyRefused(_UNREADABLE) from None
    if "keys" not in document:
        return document
    listed = document["keys"] if isinstance(document["keys"], list) else []
    found = [jwk for jwk in listed if isinstance(jwk, dict) and (verify_only or "d" in jwk)]
    if len(found) != 1:
        kind = "keys" if verify_only else "private keys"
        raise KeyRefused(f"the set holds {len(found)} {kind}. Give a file with one.")
    one: dict[str, Any] = found[0]
    return one


def _from_jwk(jwk: Mapping[str, Any]) -> Key:
    kind = _KINDS.get(str(jwk.get("kty")))
    if kind is None:
        raise KeyRefused("the key is none of RSA, EC and OKP.")
    if jwk.get("use", "sig") != "sig" or not {"sign", "verify"} & set(_texts(jwk.get("key_ops", ["sign"]))):
        raise KeyRefused("the key is not meant for signing.")
    try:
        parsed = kind.import_key({name: value for name, value in jwk.items() if name in _MEMBERS})
        # From the numbers alone: what the file says beside them, or wrongly of the public part, is left behind.
        raw: Any = parsed.get_op_key("sign" if parsed.is_private else "verify")
        key: Key = kind.import_key(raw)
        if isinstance(key, OKPKey) and jwk.get("x") != key.as_dict(private=False)["x"]:  # the others are checked
            raise ValueError("the public part is not that of the private one")
    except (ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm, JoseError):
        raise KeyRefused(_UNREADABLE) from None
    return key


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _check(key: Key) -> None:
    try:
        check_strength(key)
    except ValueError as problem:
        raise KeyRefused(f"the key cannot be used: {problem}.") from None
    if isinstance(key, RSAKey):
        public = public_part(key).raw_value
        assert isinstance(public, RSAPublicKey)
        if public.public_numbers().e < _LEAST_EXPONENT:
            raise KeyRefused(f"the key cannot be used: its exponent is smaller than {_LEAST_EXPONENT}.")


def _algorithm(key: Key, *, named: object, wanted: str | None) -> SigningAlgorithm:
    kind = "RSA" if isinstance(key, RSAKey) else key.curve_name
    possible = _ALGORITHMS.get(kind, ())
    if not possible:
        raise KeyRefused(f"no algorithm that signs here uses a key of the curve {kind}.")
    if named is not None and not (isinstance(named, str) and _NAME.fullmatch(named)):
        raise KeyRefused("the file names no algorithm.")
    named = "EdDSA" if named == "Ed25519" else named
    if named is not None and wanted is not None and named != wanted:
        raise KeyRefused(f"the file says that the key is for {named}, not {wanted}.")
    chosen = wanted or named or possible[0]
    for name in possible:
        if name == chosen:
            return name
    raise KeyRefused(f"a key of this kind does not sign with {chosen}, but with {' or '.join(possible)}.")


def _kid(jwk: Mapping[str, Any]) -> str | None:
    kid = jwk.get("kid")
    if kid is not None and not (isinstance(kid, str) and _KID.fullmatch(kid)):
        raise KeyRefused("the key's name (kid) is not 1 to 128 printable ASCII characters without spaces.")
    return kid
