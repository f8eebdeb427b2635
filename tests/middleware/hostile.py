"""Tokens that must not pass, as data: what is changed, and the reason code of the refusal."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry

from watchword_asgi import Reason
from watchword_asgi.testing import LocalIssuer, base64url, generate_signing_key

Forge = Callable[[LocalIssuer], str]


@dataclass(frozen=True, slots=True)
class Hostile:
    name: str
    reason: Reason
    forge: Forge


def _claims(reason: Reason, name: str, **claims: Any) -> Hostile:
    return Hostile(name, reason, lambda issuer: issuer.token(**claims))


def _header(reason: Reason, name: str, **header: Any) -> Hostile:
    return Hostile(name, reason, lambda issuer: issuer.token(header=header))


def _payload(reason: Reason, name: str, change: Callable[[str], str]) -> Hostile:
    """Change the JSON text of good claims, then sign it properly."""

    def forge(issuer: LocalIssuer) -> str:
        key = issuer.keys[0]
        header = {"typ": "at+jwt", "alg": key.algorithm, "kid": key.kid}
        return key.sign(header, change(json.dumps(issuer.access_claims())).encode("utf-8", "surrogatepass"))

    return Hostile(name, reason, forge)


def _text(reason: Reason, name: str, change: Callable[[str], str]) -> Hostile:
    """Change the text of a good token."""
    return Hostile(name, reason, lambda issuer: change(issuer.token()))


def _raw_header(text: str) -> Forge:
    def forge(issuer: LocalIssuer) -> str:
        _, payload, signature = issuer.token().split(".")
        return f"{base64url(text.encode())}.{payload}.{signature}"

    return forge


def _swap_payload(issuer: LocalIssuer) -> str:
    header, _, signature = issuer.token().split(".")
    claims = json.dumps(issuer.access_claims(scope="admin")).encode()
    return f"{header}.{base64url(claims)}.{signature}"


def _signed_with_public_key_as_secret(issuer: LocalIssuer) -> str:
    key = issuer.keys[0]
    secret = OctKey.import_key(base64.b64encode(key.pair.as_pem(private=False)).decode())  # type: ignore[union-attr]
    header = {"typ": "at+jwt", "alg": "HS256", "kid": key.kid}
    text = f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(issuer.access_claims()).encode())}"
    return f"{text}.{base64url(JWSRegistry.algorithms['HS256'].sign(text.encode(), secret))}"


def _unsigned(issuer: LocalIssuer) -> str:
    header = base64url(b'{"typ":"at+jwt","alg":"none"}')
    return f"{header}.{base64url(json.dumps(issuer.access_claims()).encode())}.AA"


def _foreign_key_same_kid(issuer: LocalIssuer) -> str:
    return issuer.token(key=generate_signing_key(issuer.keys[0].algorithm, issuer.keys[0].kid))


def _own_key_in_header(issuer: LocalIssuer) -> str:
    key = generate_signing_key("ES256", issuer.keys[0].kid)
    return issuer.token(key=key, header={"jwk": key.public})


def _other_algorithm_same_kid(issuer: LocalIssuer) -> str:
    return issuer.token(key=generate_signing_key("RS256", issuer.keys[0].kid))


def _last_character_moved(token: str) -> str:
    # The last character of a 64-byte signature has four unused bits: another one decodes to the same bytes.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def _ecdsa_in_der(issuer: LocalIssuer) -> str:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    head, _, signature = issuer.token().rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    return f"{head}.{base64url(encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:])))}"


def _event_token(kind: str) -> Forge:
    return lambda issuer: issuer.sign(issuer.access_claims(), header={"typ": kind})


def _duplicate(name: str) -> Callable[[str], str]:
    return lambda text: text[:-1] + f', "{name}": "x"}}'


def _with(name: str, raw: str) -> Callable[[str], str]:
    """Replace a claim by raw JSON."""

    def change(text: str) -> str:
        claims = json.loads(text)
        claims.pop(name, None)
        return json.dumps(claims)[:-1] + f', "{name}": {raw}}}'

    return change


R = Reason
_EPOCH = 946684800

HOSTILE: list[Hostile] = [
    # form
    _text(R.MALFORMED, "empty signature", lambda t: t.rpartition(".")[0] + "."),
    _text(R.MALFORMED, "two parts", lambda t: t.rpartition(".")[0]),
    _text(R.MALFORMED, "four parts", lambda t: t + ".AAAA"),
    _text(R.MALFORMED, "five parts, as an encrypted token", lambda t: t + ".AAAA.AAAA"),
    _text(R.MALFORMED, "padding", lambda t: t + "=="),
    _text(R.MALFORMED, "plus and slash", lambda t: t[:-4] + "+/+A"),
    _text(R.MALFORMED, "white space inside", lambda t: t.replace(".", " .", 1)),
    _text(R.MALFORMED, "new line at the end", lambda t: t + "\n"),
    _text(R.MALFORMED, "NUL at the end", lambda t: t + "\0"),
    _text(R.MALFORMED, "non-ASCII", lambda t: t + "é"),
    _text(R.MALFORMED, "lone surrogate", lambda t: t + "\ud800"),
    _text(R.MALFORMED, "full-width letters", lambda t: t.replace("e", "\uff45")),
    _text(R.MALFORMED, "another spelling of the same bytes", _last_character_moved),
    _text(R.MALFORMED, "impossible length", lambda t: "A" * 5 + t[t.index(".") :]),
    _text(R.TOO_LARGE, "over 8 KiB", lambda t: t + "A" * 8192),
    _text(R.TOO_LARGE, "a megabyte", lambda t: "A" * 1_000_000),
    Hostile("opaque token", R.MALFORMED, lambda _: "2YotnFZFEjr1zCsicMWpAA"),
    Hostile("only dots", R.MALFORMED, lambda _: ".."),
    # header
    Hostile("header is a list", R.MALFORMED, _raw_header("[1]")),
    Hostile("header is a text", R.MALFORMED, _raw_header('"ES256"')),
    Hostile("header is not JSON", R.MALFORMED, _raw_header("{alg:ES256}")),
    Hostile("header names alg twice", R.MALFORMED, _raw_header('{"alg":"none","alg":"ES256","typ":"at+jwt"}')),
    Hostile("header has no alg", R.ALGORITHM, _raw_header('{"typ":"at+jwt"}')),
    Hostile("header nested deeply", R.MALFORMED, _raw_header('{"alg":"ES256","x":' + "[" * 1500 + "]" * 1500 + "}")),
    Hostile("alg is a number", R.ALGORITHM, _raw_header('{"alg":5,"typ":"at+jwt"}')),
    Hostile("alg is a list", R.ALGORITHM, _raw_header('{"alg":["ES256"],"typ":"at+jwt"}')),
    Hostile("alg none", R.ALGORITHM, _unsigned),
    _header(R.ALGORITHM, "alg None", alg="None"),
    _header(R.ALGORITHM, "alg in lower case", alg="es256"),
    _header(R.ALGORITHM, "alg ES384 on a P-256 key", alg="ES384"),
    _header(R.ALGORITHM, "alg RS256 on an EC key", alg="RS256"),
    _header(R.ALGORITHM, "alg Ed25519 on an EC key", alg="Ed25519"),
    Hostile("HS256 with the public key as the secret", R.ALGORITHM, _signed_with_public_key_as_secret),
    Hostile("RSA key under the kid of the EC key", R.ALGORITHM, _other_algorithm_same_kid),
    _header(R.CRITICAL_HEADER, "crit", crit=["exp"]),
    _header(R.CRITICAL_HEADER, "empty crit", crit=[]),
    _header(R.CRITICAL_HEADER, "b64 false", b64=False),
    _header(R.MALFORMED, "kid is a number", kid=7),
    _header(R.MALFORMED, "typ is a list", typ=["at+jwt"]),
    _header(R.UNKNOWN_KEY, "unknown kid", kid="nobody"),
    _header(R.UNKNOWN_KEY, "kid is a path", kid="../../dev/null"),
    _header(R.UNKNOWN_KEY, "kid is SQL", kid="' OR 1=1 --"),
    _header(R.UNKNOWN_KEY, "kid is empty", kid=""),
    # type
    _header(R.WRONG_TYPE, "no typ", typ=None),
    _header(R.WRONG_TYPE, "typ JWT", typ="JWT"),
    Hostile("ID token", R.WRONG_TYPE, lambda i: i.id_token(client_id=i.audience, nonce="n")),
    Hostile("logout token", R.WRONG_TYPE, _event_token("logout+jwt")),
    Hostile("event token", R.WRONG_TYPE, _event_token("secevent+jwt")),
    Hostile("DPoP proof", R.WRONG_TYPE, _event_token("dpop+jwt")),
    Hostile("introspection answer", R.WRONG_TYPE, _event_token("token-introspection+jwt")),
    # signature
    Hostile("claims exchanged", R.SIGNATURE, _swap_payload),
    Hostile("another key under the same kid", R.SIGNATURE, _foreign_key_same_kid),
    Hostile("key carried in the header", R.SIGNATURE, _own_key_in_header),
    Hostile("ECDSA signature in DER", R.SIGNATURE, _ecdsa_in_der),
    _text(R.SIGNATURE, "short signature", lambda t: t.rpartition(".")[0] + ".AAAA"),
    _text(R.SIGNATURE, "signature of zeros", lambda t: t.rpartition(".")[0] + "." + "A" * 86),
    # claims as JSON
    _payload(R.MALFORMED, "claims are a list", lambda t: f"[{t}]"),
    _payload(R.MALFORMED, "claims are null", lambda t: "null"),
    _payload(R.MALFORMED, "claims are not UTF-8", lambda t: t.replace("ada", "\udc80")),
    _payload(R.MALFORMED, "text after the claims", lambda t: t + "{}"),
    _payload(R.MALFORMED, "iss twice", _duplicate("iss")),
    _payload(R.MALFORMED, "nested member twice", _with("x", '{"a": 1, "a": 2}')),
    _payload(R.MALFORMED, "exp NaN", _with("exp", "NaN")),
    _payload(R.MALFORMED, "exp Infinity", _with("exp", "Infinity")),
    _payload(R.MALFORMED, "exp 1e999", _with("exp", "1e999")),
    _payload(R.MALFORMED, "a number of 5000 digits", _with("x", "1" * 5000)),
    _payload(R.MALFORMED, "nested 1500 deep", _with("x", "[" * 1500 + "]" * 1500)),
    _payload(R.MALFORMED, "nested 40 deep", _with("x", "[" * 40 + "]" * 40)),
    _payload(R.MALFORMED, "sub with a lone surrogate", _with("sub", '"\\ud800"')),
    # claims
    _claims(R.CLAIM_MISSING, "no iss", iss=None),
    _claims(R.CLAIM_MISSING, "no aud", aud=None),
    _claims(R.CLAIM_MISSING, "no sub", subject=None),
    _claims(R.CLAIM_MISSING, "no client_id", client_id=None),
    _claims(R.CLAIM_MISSING, "no iat", iat=None),
    _claims(R.CLAIM_MISSING, "no exp", exp=None),
    _claims(R.CLAIM_MISSING, "no jti", jti=None),
    _claims(R.WRONG_ISSUER, "another issuer", iss="https://evil.test"),
    _claims(R.WRONG_ISSUER, "issuer with a slash", iss="https://id.test/"),
    _claims(R.WRONG_ISSUER, "issuer in capitals", iss="https://ID.test"),
    _claims(R.CLAIM_INVALID, "issuer as a list", iss=["https://id.test"]),
    _claims(R.WRONG_AUDIENCE, "another audience", aud="https://other.test"),
    _claims(R.WRONG_AUDIENCE, "audience with more behind it", aud="https://api.test.evil.test"),
    _claims(R.WRONG_AUDIENCE, "audience with a slash", aud="https://api.test/"),
    _claims(R.CLAIM_INVALID, "audience list is empty", aud=[]),
    _claims(R.CLAIM_INVALID, "audience list with a number", aud=["https://api.test", 1]),
    _claims(R.CLAIM_INVALID, "audience is an object", aud={"https://api.test": True}),
    _claims(R.CLAIM_INVALID, "sub is a number", subject=5),
    _claims(R.CLAIM_INVALID, "sub is empty", subject=""),
    _claims(R.CLAIM_INVALID, "client_id is a list", client_id=["client"]),
    _claims(R.CLAIM_INVALID, "jti is a number", jti=1),
    _claims(R.CLAIM_INVALID, "scope is a number", scope=5),
    _claims(R.CLAIM_INVALID, "scope is a list", scope=["admin"]),
    _claims(R.EXPIRED, "expired long ago", iat=_EPOCH, exp=_EPOCH + 1),
    _claims(R.CLAIM_INVALID, "exp as a text", exp="4102444800"),
    _claims(R.CLAIM_INVALID, "exp true", exp=True),
    _claims(R.CLAIM_INVALID, "exp negative", exp=-1),
    _claims(R.CLAIM_INVALID, "exp zero", exp=0),
    _claims(R.CLAIM_INVALID, "exp 1e300", exp=1e300),
    _claims(R.CLAIM_INVALID, "exp an integer of 400 digits", exp=10**400),
    _claims(R.CLAIM_INVALID, "iat as a text", iat="1"),
    _claims(R.CLAIM_INVALID, "nbf as a list", nbf=[1]),
    _claims(R.NOT_YET_VALID, "nbf ahead", nbf=4102444800 - 3600),
    _claims(R.NOT_YET_VALID, "iat ahead", iat=4102444800 - 3600),
    _claims(R.SENDER_CONSTRAINED, "bound to a DPoP key", cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
    _claims(R.SENDER_CONSTRAINED, "bound to a certificate", cnf={"x5t#S256": "x"}),
]
