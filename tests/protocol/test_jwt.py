"""Signing and verifying our own tokens, against a corpus of tokens that somebody bent."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt as oracle
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from tests.protocol.builders import ISSUER, NOW
from watchword.protocol.base64url import decode_segment, encode_segment
from watchword.protocol.errors import InvalidToken
from watchword.protocol.jwt import MAX_TOKEN_LENGTH, SigningKey, public_part, verify_token
from watchword.protocol.vocabulary import SigningAlgorithm

RSA = SigningKey("rsa-1", "RS256", RSAKey.generate_key(2048))
PSS = SigningKey("pss-1", "PS256", RSAKey.generate_key(2048))
EC = SigningKey("ec-1", "ES256", ECKey.generate_key("P-256"))
ED = SigningKey("ed-1", "EdDSA", OKPKey.generate_key("Ed25519"))
ED25519 = SigningKey("ed-1", "Ed25519", ED.key)  # the name that the oracle does not warn of
OTHER_EC = SigningKey("ec-1", "ES256", ECKey.generate_key("P-256"))
KEYS = {key.kid: key for key in (RSA, PSS, EC, ED)}
EXPIRES = int((NOW + timedelta(minutes=5)).timestamp())
CLAIMS = {"iss": ISSUER, "sub": "x", "exp": EXPIRES}
GOOD = EC.sign(CLAIMS, typ="at+jwt")


def verify(token: str, *, typ: str = "at+jwt", now: Any = NOW) -> Any:
    return verify_token(token, KEYS, expected_issuer=ISSUER, expected_type=typ, now=now).claims


def b64(data: bytes | str | dict[str, Any]) -> str:
    if isinstance(data, dict):
        data = json.dumps(data)
    return encode_segment(data if isinstance(data, bytes) else data.encode()).decode()


def signed(header: dict[str, Any] | str | bytes, payload: dict[str, Any] | str | bytes, key: SigningKey = EC) -> str:
    """Sign whatever header and payload with a genuine key: only the bend itself can make it fail."""
    text = f"{b64(header)}.{b64(payload)}"
    algorithm: Any = JWSRegistry.algorithms[key.algorithm]
    return f"{text}.{b64(algorithm.sign(text.encode(), key.key))}"


HEADER: dict[str, Any] = {"alg": "ES256", "typ": "at+jwt", "kid": "ec-1"}


def test_a_bend_of_nothing_verifies() -> None:
    assert verify(signed(HEADER, CLAIMS)) == CLAIMS


@pytest.mark.parametrize("key", [RSA, PSS, EC, ED25519], ids=lambda key: str(key.algorithm))
def test_what_is_signed_verifies_here_and_at_an_independent_implementation(key: SigningKey) -> None:
    token = key.sign(CLAIMS, typ="JWT")
    assert verify(token, typ="JWT") == CLAIMS
    decoded = oracle.decode(token, public_part(key.key), algorithms=[key.algorithm])
    assert decoded.claims == CLAIMS
    assert decoded.header == {"alg": key.algorithm, "typ": "JWT", "kid": key.kid}


def test_the_prebuilt_header_of_each_type_is_its_own() -> None:
    assert EC.sign(CLAIMS, typ="JWT").split(".")[0] != EC.sign(CLAIMS, typ="at+jwt").split(".")[0]


def hmac_signed(secret: bytes, **header: Any) -> str:
    text = f"{b64({**HEADER, 'alg': 'HS256', **header})}.{b64(CLAIMS)}"
    return f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}"


RSA_PEM: bytes = RSA.key.as_pem(private=False)
EC_PEM: bytes = EC.key.as_pem(private=False)
FOREIGN_JWK = OTHER_EC.key.as_dict(private=False)

HEADERS = [
    ("alg none", signed(HEADER | {"alg": "none"}, CLAIMS)),
    ("alg none without a signature", f"{b64(HEADER | {'alg': 'none'})}.{b64(CLAIMS)}."),
    ("alg None", signed(HEADER | {"alg": "None"}, CLAIMS)),
    ("alg nOnE", signed(HEADER | {"alg": "nOnE"}, CLAIMS)),
    ("alg missing", signed({"typ": "at+jwt", "kid": "ec-1"}, CLAIMS)),
    ("alg null", signed(HEADER | {"alg": None}, CLAIMS)),
    ("alg a list", signed(HEADER | {"alg": ["ES256"]}, CLAIMS)),
    ("alg an object", signed(HEADER | {"alg": {"ES256": 1}}, CLAIMS)),
    ("alg in lower case", signed(HEADER | {"alg": "es256"}, CLAIMS)),
    ("the algorithm of another key", signed(HEADER | {"alg": "RS256"}, CLAIMS)),
    ("HS256 with the RSA public key", hmac_signed(RSA_PEM, kid="rsa-1")),
    ("HS256 with the EC public key", hmac_signed(EC_PEM)),
    ("HS256 with the EC public key and a space before", hmac_signed(b" " + EC_PEM)),
    ("HS256 with the EC public key and a byte order mark", hmac_signed(b"\xef\xbb\xbf" + EC_PEM)),
    ("HS256 with the public JWK", hmac_signed(json.dumps(EC.key.as_dict(private=False)).encode())),
    ("HS256 with nothing", hmac_signed(b"\x00")),
    ("kid missing", signed({"alg": "ES256", "typ": "at+jwt"}, CLAIMS)),
    ("kid unknown", signed(HEADER | {"kid": "ec-2"}, CLAIMS)),
    ("kid a path", signed(HEADER | {"kid": "../../dev/null"}, CLAIMS)),
    ("kid SQL", signed(HEADER | {"kid": "' OR 1=1 --"}, CLAIMS)),
    ("kid a list", signed(HEADER | {"kid": ["ec-1"]}, CLAIMS)),
    ("kid a number", signed(HEADER | {"kid": 1}, CLAIMS)),
    ("kid of another key", signed(HEADER | {"kid": "rsa-1"}, CLAIMS)),
    ("a foreign key of the same kid", signed(HEADER, CLAIMS, OTHER_EC)),
    ("a foreign key inside the header", signed(HEADER | {"jwk": FOREIGN_JWK}, CLAIMS, OTHER_EC)),
    ("a foreign key set by address", signed(HEADER | {"jku": "https://evil.example/jwks"}, CLAIMS, OTHER_EC)),
    ("typ missing", signed({"alg": "ES256", "kid": "ec-1"}, CLAIMS)),
    ("typ JWT", signed(HEADER | {"typ": "JWT"}, CLAIMS)),
    ("typ logout+jwt", signed(HEADER | {"typ": "logout+jwt"}, CLAIMS)),
    ("typ in upper case", signed(HEADER | {"typ": "AT+JWT"}, CLAIMS)),
    ("typ a list", signed(HEADER | {"typ": ["at+jwt"]}, CLAIMS)),
    ("crit", signed(HEADER | {"crit": ["exp"], "exp": EXPIRES}, CLAIMS)),
    ("crit empty", signed(HEADER | {"crit": []}, CLAIMS)),
    ("an unencoded payload", signed(HEADER | {"crit": ["b64"], "b64": False}, CLAIMS)),
    ("a header member twice", signed('{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"ec-1"}', CLAIMS)),
    ("a header that is a list", signed("[]", CLAIMS)),
    ("a header that is no JSON", signed("{", CLAIMS)),
    ("a header with text behind", signed(json.dumps(HEADER) + "x", CLAIMS)),
    ("a header with a byte order mark", signed(b"\xef\xbb\xbf" + json.dumps(HEADER).encode(), CLAIMS)),
    ("a header that is not UTF-8", signed(b'{"alg":"\xff"}', CLAIMS)),
    ("a header in UTF-16", signed(json.dumps(HEADER).encode("utf-16"), CLAIMS)),
    ("a header nested beyond the decoder", signed("[" * 3000, CLAIMS)),
]  # fmt: skip

PAYLOADS = [
    ("exp missing", {"iss": ISSUER}),
    ("exp null", CLAIMS | {"exp": None}),
    ("exp as text", CLAIMS | {"exp": str(EXPIRES)}),
    ("exp true", CLAIMS | {"exp": True}),
    ("exp a fraction", CLAIMS | {"exp": EXPIRES + 0.5}),
    ("exp a list", CLAIMS | {"exp": [EXPIRES]}),
    ("exp past", CLAIMS | {"exp": int(NOW.timestamp()) - 1}),
    ("exp at this second", CLAIMS | {"exp": int(NOW.timestamp())}),
    ("exp negative", CLAIMS | {"exp": -1}),
    ("exp infinite", f'{{"iss":"{ISSUER}","exp":1e400}}'),
    ("exp NaN", f'{{"iss":"{ISSUER}","exp":NaN}}'),
    ("exp Infinity", f'{{"iss":"{ISSUER}","exp":Infinity}}'),
    ("exp of 5000 digits", f'{{"iss":"{ISSUER}","exp":{"9" * 5000}}}'),
    ("iss missing", {"exp": EXPIRES}),
    ("iss another", CLAIMS | {"iss": "https://evil.example"}),
    ("iss with a slash behind", CLAIMS | {"iss": ISSUER + "/"}),
    ("iss a list", CLAIMS | {"iss": [ISSUER]}),
    ("iss in upper case", CLAIMS | {"iss": ISSUER.upper()}),
    ("a claim twice", f'{{"iss":"{ISSUER}","exp":{EXPIRES},"sub":"a","sub":"b"}}'),
    ("a claim twice, once escaped", f'{{"iss":"{ISSUER}","exp":{EXPIRES},"sub":"a","\\u0073ub":"b"}}'),
    ("a member twice further inside", f'{{"iss":"{ISSUER}","exp":{EXPIRES},"act":{{"sub":"a","sub":"b"}}}}'),
    ("a list", "[]"),
    ("text", '"x"'),
    ("no JSON", "x"),
    ("two objects", json.dumps(CLAIMS) * 2),
    ("nested beyond the decoder", '{"a":' + "[" * 3000),
]  # fmt: skip


@pytest.mark.parametrize("token", [token for _, token in HEADERS], ids=[why for why, _ in HEADERS])
def test_a_bent_header_is_refused(token: str) -> None:
    with pytest.raises(InvalidToken):
        verify(token)


@pytest.mark.parametrize("payload", [payload for _, payload in PAYLOADS], ids=[why for why, _ in PAYLOADS])
def test_a_bent_payload_is_refused_although_its_signature_is_good(payload: dict[str, Any] | str) -> None:
    with pytest.raises(InvalidToken):
        verify(signed(HEADER, payload))


def last_bits(segment: str) -> str:
    """Change bits that base64url decoding would drop."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return segment[:-1] + alphabet[alphabet.index(segment[-1]) ^ 1]


def at(position: int, change: Callable[[str], str]) -> str:
    parts = GOOD.split(".")
    parts[position] = change(parts[position])
    return ".".join(parts)


SHAPES = [
    ("empty", ""),
    ("two dots", ".."),
    ("one part", GOOD.split(".")[0]),
    ("two parts", GOOD.rpartition(".")[0]),
    ("an empty signature", GOOD.rpartition(".")[0] + "."),
    ("four parts", GOOD + ".x"),
    ("five parts, like an encrypted token", GOOD + ".x.x"),
    ("two signatures", GOOD + "." + GOOD.rpartition(".")[2]),
    ("the JSON serialization", json.dumps({"payload": GOOD.split(".")[1], "signatures": []})),
    ("a space in front", " " + GOOD),
    ("a line feed behind", GOOD + "\n"),
    ("a NUL behind", GOOD + "\x00"),
    ("a letter outside ASCII", GOOD[:-1] + "é"),
    ("padding of the signature", GOOD + "=="),
    ("padding of the payload", at(1, lambda part: part + "=")),
    ("the other base64 alphabet", at(2, lambda part: "+/" + part[2:])),
    ("a line feed inside the signature", at(2, lambda part: part[:10] + "\n" + part[10:])),
    ("stray bits in the signature", at(2, last_bits)),
    ("a length that is no base64", at(2, lambda part: part[:-1])),
    ("a signature one byte short", at(2, lambda part: b64(decode_segment(part)[:-1]))),
    ("a signature one byte long", at(2, lambda part: b64(decode_segment(part) + b"\x00"))),
    ("a signature of zeros", at(2, lambda _: b64(bytes(64)))),
    ("a signature in DER", at(2, lambda _: b64(b"\x30\x06\x02\x01\x01\x02\x01\x01"))),
    ("another payload", at(1, lambda _: b64(CLAIMS | {"sub": "y"}))),
    ("beyond the size limit", GOOD + "A" * MAX_TOKEN_LENGTH),
]  # fmt: skip


@pytest.mark.parametrize("token", [token for _, token in SHAPES], ids=[why for why, _ in SHAPES])
def test_a_bent_shape_is_refused(token: str) -> None:
    with pytest.raises(InvalidToken):
        verify(token)


def test_a_refusal_never_says_which_rule_it_was() -> None:
    said = set()
    for token in (SHAPES[0][1], HEADERS[0][1], signed(HEADER, CLAIMS | {"exp": 1})):
        with pytest.raises(InvalidToken) as refused:
            verify(token)
        said.add(refused.value.description)
    assert len(said) == 1


def test_an_expired_token_is_good_where_only_its_words_count() -> None:
    token = EC.sign(CLAIMS | {"exp": 1}, typ="at+jwt")
    assert verify(token, now=None)["sub"] == "x"


def test_one_type_never_passes_for_another() -> None:
    for made in ("JWT", "at+jwt", "logout+jwt"):
        for wanted in ("JWT", "at+jwt", "logout+jwt"):
            token = EC.sign(CLAIMS, typ=made)
            if made == wanted:
                assert verify(token, typ=wanted)
            else:
                with pytest.raises(InvalidToken):
                    verify(token, typ=wanted)


def test_segments_are_read_back_and_only_in_their_canonical_form() -> None:
    for data in (b"\x00", b"\xff\xee", b"abc", bytes(range(256))):
        assert decode_segment(encode_segment(data).decode()) == data
    for text in ("", "A", "AB", "AA==", "A A", "AA\n", "+A", "/A"):
        with pytest.raises(ValueError, match="base64url"):
            decode_segment(text)


def named(key: SigningKey, algorithm: SigningAlgorithm) -> SigningKey:
    """The same private key under the name of another algorithm."""
    return SigningKey(key.kid, algorithm, key.key)


@pytest.mark.parametrize(
    ("key", "other"), [(RSA, "PS256"), (PSS, "RS256")], ids=["PS256 by a key of RS256", "RS256 by a key of PS256"]
)
def test_a_key_of_one_rsa_algorithm_never_verifies_the_other(key: SigningKey, other: SigningAlgorithm) -> None:
    token = named(key, other).sign(CLAIMS, typ="JWT")
    verify_token(token, {key.kid: named(key, other)}, expected_issuer=ISSUER, expected_type="JWT", now=NOW)
    with pytest.raises(InvalidToken):  # honest about its algorithm
        verify(token, typ="JWT")
    header = b64({"alg": key.algorithm, "typ": "JWT", "kid": key.kid})
    body = f"{header}.{b64(CLAIMS)}"
    algorithm: Any = JWSRegistry.algorithms[other]
    with pytest.raises(InvalidToken):  # and not
        verify(f"{body}.{b64(algorithm.sign(body.encode(), key.key))}", typ="JWT")


@pytest.mark.parametrize("name", ["EdDSA", "Ed25519"])
def test_ed25519_verifies_under_both_its_names(name: SigningAlgorithm) -> None:
    assert verify(named(ED, name).sign(CLAIMS, typ="JWT"), typ="JWT") == CLAIMS


@pytest.mark.parametrize("name", ["Ed448", "eddsa", "ED25519", "ES256", "RS256", "none", ["EdDSA"], {"EdDSA": 1}])
def test_ed25519_verifies_under_no_other_name(name: Any) -> None:
    body = f"{b64({'alg': name, 'typ': 'JWT', 'kid': 'ed-1'})}.{b64(CLAIMS)}"
    algorithm: Any = JWSRegistry.algorithms["EdDSA"]
    with pytest.raises(InvalidToken):
        verify(f"{body}.{b64(algorithm.sign(body.encode(), ED.key))}", typ="JWT")


@pytest.mark.parametrize("salt", [0, 20, 31, 33, padding.PSS.MAX_LENGTH], ids=str)
def test_a_salt_of_another_length_than_the_hash_is_refused(salt: Any) -> None:
    def signed_with(length: Any) -> str:
        body = f"{b64({'alg': 'PS256', 'typ': 'JWT', 'kid': 'pss-1'})}.{b64(CLAIMS)}"
        private: Any = PSS.key.get_op_key("sign")
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), length)
        return f"{body}.{b64(private.sign(body.encode(), scheme, hashes.SHA256()))}"

    assert verify(signed_with(32), typ="JWT") == CLAIMS
    with pytest.raises(InvalidToken):
        verify(signed_with(salt), typ="JWT")


def test_another_hash_in_the_mask_is_refused() -> None:
    body = f"{b64({'alg': 'PS256', 'typ': 'JWT', 'kid': 'pss-1'})}.{b64(CLAIMS)}"
    private: Any = PSS.key.get_op_key("sign")
    scheme = padding.PSS(padding.MGF1(hashes.SHA384()), 32)
    with pytest.raises(InvalidToken):
        verify(f"{body}.{b64(private.sign(body.encode(), scheme, hashes.SHA256()))}", typ="JWT")


ORDER_OF_ED25519 = 2**252 + 27742317777372353535851937790883648493


def spoilt_signatures(key: SigningKey, good: bytes) -> dict[str, bytes]:
    """Other ways to write a signature, which a lenient verifier takes for the same."""
    spoilt = {
        "a zero in front": b"\x00" + good,
        "a zero behind": good + b"\x00",
        "the first byte gone": good[1:],
        "the last byte gone": good[:-1],
        "half": good[: len(good) // 2],
        "twice": good * 2,
        "zeros": bytes(len(good)),
        "ones": b"\xff" * len(good),
    }
    if key.algorithm in {"RS256", "PS256"}:
        public: Any = key.key.get_op_key("verify")
        modulus = public.public_numbers().n
        larger = int.from_bytes(good, "big") + modulus
        spoilt["the modulus added"] = larger.to_bytes(len(good) + 1, "big")
        if larger.bit_length() <= len(good) * 8:
            spoilt["the modulus added in the same length"] = larger.to_bytes(len(good), "big")
    if key.algorithm == "EdDSA":
        s = int.from_bytes(good[32:], "little") + ORDER_OF_ED25519
        spoilt["the order added"] = good[:32] + s.to_bytes(32, "little")
    return spoilt


@pytest.mark.parametrize("key", [RSA, PSS, EC, ED], ids=lambda key: str(key.algorithm))
def test_a_signature_is_good_in_one_form_alone(key: SigningKey) -> None:
    body, _, signature = key.sign(CLAIMS, typ="JWT").rpartition(".")
    for why, spoilt in spoilt_signatures(key, decode_segment(signature)).items():
        with pytest.raises(InvalidToken):
            assert not verify(f"{body}.{b64(spoilt)}", typ="JWT"), why


def test_a_key_without_its_private_part_verifies_and_is_still_the_same_key() -> None:
    key = SigningKey("ec-9", "ES256", ECKey.generate_key("P-256"))
    token = key.sign(CLAIMS, typ="JWT")
    key.forget_private_part()
    key.forget_private_part()
    verify_token(token, {"ec-9": key}, expected_issuer=ISSUER, expected_type="JWT", now=NOW)
    assert not key.key.is_private
    with pytest.raises(AttributeError):
        key.sign(CLAIMS, typ="JWT")


def test_a_private_key_never_shows_in_a_repr() -> None:
    private = EC.key.as_dict(private=True)["d"]
    assert str(private) not in repr(EC)
    assert base64.b64encode(b"PRIVATE").decode() not in repr(RSA)
    assert "key=" not in repr(RSA)
