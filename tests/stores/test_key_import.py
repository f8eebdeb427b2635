"""Keys from elsewhere: every usual form is read, and what cannot be used is refused in one line."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc.jwk import ECKey, OKPKey, RSAKey

from watchword.keys import Roots
from watchword.keys.importing import MAX_FILE_BYTES, ImportedKey, read_key
from watchword.keys.keyring import NEXT, RETIRING
from watchword.keys.making import seal_key
from watchword.keys.rotation import KeyRefused

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
PKCS8, TRADITIONAL = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
EC_PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


def pem(key: Any, form: PrivateFormat = PKCS8, encryption: KeySerializationEncryption | None = None) -> bytes:
    content: bytes = key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())
    return content


def public_pem(key: Any) -> bytes:
    content: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return content


def jwk(key: Any, **more: Any) -> dict[str, Any]:
    kind: Any = RSAKey if isinstance(key, rsa.RSAPrivateKey) else ECKey if hasattr(key, "curve") else OKPKey
    return {**kind.import_key(key).as_dict(private=True), **more}


def public_jwk(key: Any, **more: Any) -> dict[str, Any]:
    kind: Any = RSAKey if isinstance(key, rsa.RSAPrivateKey) else ECKey if hasattr(key, "curve") else OKPKey
    return {**kind.import_key(key).as_dict(private=False), **more}


def read(content: bytes | dict[str, Any], algorithm: str | None = None, *, verify_only: bool = False) -> ImportedKey:
    raw = json.dumps(content).encode() if isinstance(content, dict) else content
    return read_key(raw, algorithm=algorithm, verify_only=verify_only)


READABLE = {
    "PKCS #8, RSA": (pem(RSA), RSA, "RS256", None),
    "PKCS #1": (pem(RSA, TRADITIONAL), RSA, "RS256", None),
    "PKCS #8, EC": (pem(EC), EC, "ES256", None),
    "SEC 1": (pem(EC, TRADITIONAL), EC, "ES256", None),
    "SEC 1 behind its parameters": (EC_PARAMETERS + pem(EC, TRADITIONAL), EC, "ES256", None),
    "text around the PEM": (b"Bag Attributes\n" + pem(RSA) + b"\n\n", RSA, "RS256", None),
    "PKCS #8, Ed25519": (pem(ED), ED, "EdDSA", None),
    "JWK, RSA": (jwk(RSA), RSA, "RS256", None),
    "JWK that says what it is for": (jwk(RSA, alg="PS256", kid="theirs", use="sig"), RSA, "PS256", "theirs"),
    "JWK, EC": (jwk(EC, kid="2024-01"), EC, "ES256", "2024-01"),
    "JWK, Ed25519": (jwk(ED, alg="Ed25519"), ED, "EdDSA", None),
    "JWK, Ed25519 by its older name": (jwk(ED, alg="EdDSA", key_ops=["sign"]), ED, "EdDSA", None),
    "JWK of three numbers": (
        {name: value for name, value in jwk(RSA).items() if name not in {"p", "q", "dp", "dq", "qi"}},
        RSA,
        "RS256",
        None,
    ),
    "JWK set": ({"keys": [public_jwk(EC), jwk(RSA, kid="one")]}, RSA, "RS256", "one"),
}


@pytest.mark.parametrize("name", READABLE)
def test_every_usual_form_is_read(name: str) -> None:
    content, raw, algorithm, kid = READABLE[name]
    found = read(content)  # type: ignore[arg-type]
    assert (found.algorithm, found.kid) == (algorithm, kid)
    assert found.key.get_op_key("verify").public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == (
        raw.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    )
    assert found.key.is_private


@pytest.mark.parametrize(("wanted", "chosen"), [("PS256", "PS256"), ("RS256", "RS256"), (None, "RS256")])
def test_an_rsa_key_signs_with_either_algorithm(wanted: str | None, chosen: str) -> None:
    assert read(pem(RSA), wanted).algorithm == chosen


@pytest.mark.parametrize("content", [pem(RSA), public_pem(RSA), jwk(RSA), public_jwk(RSA)], ids=range(4))
def test_to_verify_alone_a_public_key_will_do_and_a_private_one_is_dropped(content: bytes | dict[str, Any]) -> None:
    found = read(content, verify_only=True)
    assert not found.key.is_private
    row = seal_key(found.algorithm, found.key, Roots.derive("k" * 40, None), state=RETIRING)
    assert row.private_jwk is None


def test_nothing_of_the_file_is_kept_but_its_numbers_and_its_name() -> None:
    strange = jwk(RSA, kid="theirs", x5c=["MII"], x5u="https://evil.example", ext=True, note="<script>")
    found = read(strange)
    row = seal_key(found.algorithm, found.key, Roots.derive("k" * 40, None), state=NEXT, kid=found.kid)
    assert set(json.loads(row.public_jwk)) == {"kty", "n", "e", "kid", "use", "alg"}
    assert json.loads(row.public_jwk)["kid"] == row.kid == "theirs"


def with_exponent(exponent: int) -> bytes:
    return pem(rsa.generate_private_key(exponent, 2048))


SECRET = BestAvailableEncryption(b"secret")
REFUSED = {
    "nothing": (b"", None, False, "no key that can be read"),
    "text": (b"hello", None, False, "no key that can be read"),
    "no UTF-8": (b"\xff\xfe\x00", None, False, "no key that can be read"),
    "a list": (b"[]", None, False, "no key that can be read"),
    "a member twice": (b'{"kty":"EC","kty":"RSA"}', None, False, "no key that can be read"),
    "a PEM that was cut": (pem(RSA)[:200], None, False, "no key that can be read"),
    "a PEM of nonsense": (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", None, False, "no key"),
    "too large": (b" " * (MAX_FILE_BYTES + 1), None, False, "larger than"),
    "encrypted PKCS #8": (pem(RSA, PKCS8, SECRET), None, False, "openssl pkey"),
    "encrypted PKCS #1": (pem(RSA, TRADITIONAL, SECRET), None, False, "openssl pkey"),
    "encrypted SEC 1": (pem(EC, TRADITIONAL, SECRET), None, False, "openssl pkey"),
    "two keys": (pem(RSA) + pem(EC), None, False, "more than one"),
    "a public PEM": (public_pem(RSA), None, False, "--verify-only"),
    "a public JWK": (public_jwk(RSA), None, False, "--verify-only"),
    "a set without a private key": ({"keys": [public_jwk(RSA)]}, None, False, "holds 0 private keys"),
    "a set with two private keys": ({"keys": [jwk(RSA), jwk(EC)]}, None, False, "holds 2 private keys"),
    "a set of nothing": ({"keys": 7}, None, False, "holds 0 private keys"),
    "a set with two public keys": ({"keys": [public_jwk(RSA), public_jwk(EC)]}, None, True, "holds 2 keys"),
    "a symmetric key": ({"kty": "oct", "k": "AAAA"}, None, False, "none of RSA, EC and OKP"),
    "a key without a kind": ({"n": "AQAB"}, None, False, "none of RSA, EC and OKP"),
    "a key for encryption": (jwk(RSA, use="enc"), None, False, "not meant for signing"),
    "a key that wraps others": (jwk(RSA, key_ops=["unwrapKey"]), None, False, "not meant for signing"),
    "operations that are no list": (jwk(RSA, key_ops="sign"), None, False, "not meant for signing"),
    "numbers that do not fit": (jwk(RSA, d=jwk(RSA)["p"]), None, False, "no key that can be read"),
    "a point off the curve": (jwk(EC, x=jwk(EC)["d"]), None, False, "no key that can be read"),
    "another public part": (
        jwk(ED, x=jwk(ed25519.Ed25519PrivateKey.generate())["x"]), None, False, "no key that can be read"
    ),
    "a number as a number": (jwk(RSA, n=7), None, False, "no key that can be read"),
    "a name that is no text": (jwk(RSA, kid=7), None, False, "kid"),
    "a name with a space": (jwk(RSA, kid="a b"), None, False, "kid"),
    "a name too long": (jwk(RSA, kid="a" * 129), None, False, "kid"),
    "a short RSA key": (pem(rsa.generate_private_key(65537, 1024)), None, False, "1024 bits is too weak"),
    "a small exponent": (with_exponent(3), None, False, "exponent"),
    "P-384": (pem(ec.generate_private_key(ec.SECP384R1())), None, False, "no algorithm that signs here"),
    "P-521": (pem(ec.generate_private_key(ec.SECP521R1())), None, False, "the curve P-521"),
    "a curve of others": (pem(ec.generate_private_key(ec.BrainpoolP256R1())), None, False, "the curve brainpool"),
    "Ed448": (pem(ed448.Ed448PrivateKey.generate()), None, False, "none of RSA, EC and Ed25519"),
    "DSA": (pem(dsa.generate_private_key(2048)), None, False, "none of RSA, EC and Ed25519"),
    "another algorithm than it says": (jwk(RSA, alg="RS256"), "PS256", False, "is for RS256, not PS256"),
    "an algorithm for other keys": (pem(EC), "RS256", False, "does not sign with RS256, but with ES256"),
    "an algorithm that is not used here": (jwk(RSA, alg="RS512"), None, False, "does not sign with RS512"),
    "an algorithm that is no text": (jwk(RSA, alg=["RS256"]), None, False, "names no algorithm"),
    "an algorithm that writes to the terminal": (jwk(RSA, alg="\x1b[2J\n"), None, False, "names no algorithm"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_in_one_line(name: str) -> None:
    content, algorithm, verify_only, why = REFUSED[name]
    with pytest.raises(KeyRefused) as refused:
        read(content, algorithm, verify_only=verify_only)  # type: ignore[arg-type]
    text = str(refused.value)
    assert why in text
    assert len(text.splitlines()) == 1
    assert text.isprintable()
