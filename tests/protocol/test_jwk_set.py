"""Reading a client's key set: public, strong, for signatures, and no more of them than anybody needs."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from watchword.protocol.jwk_set import MOST_KEYS, ClientKey, matching_keys, parse_jwk_set, usable_keys

RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
ED = OKPKey.generate_key("Ed25519")
Jwk = dict[str, Any]


def public(key: RSAKey | ECKey | OKPKey, **members: Any) -> Jwk:
    return key.as_dict(private=False) | members


def one(jwk: Jwk) -> ClientKey:
    (key,) = parse_jwk_set({"keys": [jwk]})
    return key


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [(RSA, {"RS256", "PS256"}), (EC, {"ES256"}), (ED, {"EdDSA", "Ed25519"})],
    ids=["RSA", "P-256", "Ed25519"],
)
def test_a_key_without_kid_and_alg_verifies_what_its_type_can(
    key: RSAKey | ECKey | OKPKey, algorithms: set[str]
) -> None:
    found = one(public(key))
    assert found.kid is None
    assert found.algorithms == algorithms


@pytest.mark.parametrize(
    ("jwk", "algorithms"),
    [
        pytest.param(public(RSA, alg="RS256"), {"RS256"}, id="RS256"),
        pytest.param(public(RSA, alg="PS256"), {"PS256"}, id="PS256"),
        pytest.param(public(ED, alg="EdDSA"), {"EdDSA", "Ed25519"}, id="EdDSA"),
        pytest.param(public(ED, alg="Ed25519"), {"EdDSA", "Ed25519"}, id="Ed25519"),
        pytest.param(public(EC, alg="RS256"), set(), id="an algorithm of another type"),
        pytest.param(public(RSA, alg="RS512"), set(), id="an algorithm we do not verify"),
        pytest.param(public(RSA, alg=["RS256"]), set(), id="an algorithm that is no text"),
    ],
)
def test_a_key_is_for_the_algorithm_it_names(jwk: Jwk, algorithms: set[str]) -> None:
    assert one(jwk).algorithms == algorithms


@pytest.mark.parametrize("members", [{"use": "sig"}, {"key_ops": ["verify"]}, {"use": "sig", "key_ops": ["verify"]}])
def test_a_key_may_say_that_it_is_for_signatures(members: Jwk) -> None:
    assert one(public(EC, **members)).algorithms == {"ES256"}


@pytest.mark.parametrize(
    "jwk",
    [
        pytest.param(public(EC, use="enc"), id="for encryption"),
        pytest.param(public(EC, key_ops=["encrypt"]), id="for another operation"),
        pytest.param(public(EC, key_ops="verify"), id="operations that are no list"),
        pytest.param(public(ECKey.generate_key("P-384")), id="another curve"),
        pytest.param(public(ECKey.generate_key("secp256k1")), id="a curve of coins"),
        pytest.param(public(OKPKey.generate_key("X25519")), id="a curve for agreement"),
        pytest.param({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}, id="a type of tomorrow"),
        pytest.param({"kty": ["RSA"]}, id="a type that is no text"),
        pytest.param({}, id="nothing"),
    ],
)
def test_what_is_not_for_us_is_left_out_and_costs_nobody_the_other_keys(jwk: Jwk) -> None:
    assert parse_jwk_set({"keys": [jwk]}) == ()
    assert [key.kid for key in parse_jwk_set({"keys": [jwk, public(EC, kid="mine")]})] == ["mine"]


BAD_KEYS = [
    pytest.param(RSA.as_dict(private=True), id="a private RSA key"),
    pytest.param(EC.as_dict(private=True), id="a private EC key"),
    pytest.param(ED.as_dict(private=True), id="a private Ed25519 key"),
    pytest.param(public(RSA, p="AQAB"), id="one private member"),
    pytest.param(public(ECKey.generate_key("P-384"), d="AQAB"), id="a private key of another curve"),
    pytest.param(public(EC, use="enc", d="AQAB"), id="a private key for encryption"),
    pytest.param(OctKey.generate_key(256).as_dict(private=True), id="a symmetric key"),
    pytest.param({"kty": "oct"}, id="a symmetric key without its secret"),
    pytest.param(public(RSA, n=public(RSA)["n"][:171]), id="RSA with 1024 bits"),
    pytest.param({"kty": "RSA", "n": "AQ", "e": "AQAB"}, id="RSA with one bit"),
    pytest.param(public(RSA, e="AQ"), id="the exponent one"),
    pytest.param(public(RSA, e=public(RSA)["n"]), id="an exponent that keeps us busy"),
    pytest.param(public(RSA, n="_" * 1398), id="RSA with too many bits"),
    pytest.param(public(RSA, n="_" * 5000), id="a member too long"),
    pytest.param(public(RSA, n=65537), id="a number in place of text"),
    pytest.param({"kty": "RSA", "e": "AQAB"}, id="no modulus"),
    pytest.param(public(EC, x="AAAA"), id="a point off the curve"),
    pytest.param(public(EC, y=public(EC)["x"]), id="another point off the curve"),
    pytest.param(public(ED, x="AAAA"), id="Ed25519 with too few bytes"),
    pytest.param(public(EC, kid=7), id="a kid that is a number"),
    pytest.param(public(EC, x="é"), id="no base64url"),
]


@pytest.mark.parametrize("jwk", BAD_KEYS)
def test_a_bad_key_is_refused_in_a_usable_sentence_when_it_is_registered(jwk: Jwk) -> None:
    with pytest.raises(ValueError, match=r"a key of the set cannot be used: .") as refused:
        parse_jwk_set({"keys": [public(EC), jwk]})
    said = str(refused.value)
    assert said.isascii()
    assert said.isprintable()
    assert not set('"\\') & set(said)
    for name in ("d", "k", "p"):
        assert len(str(jwk.get(name, ""))) < 5 or str(jwk[name]) not in said


@pytest.mark.parametrize("jwk", BAD_KEYS)
def test_a_bad_key_is_left_out_when_the_set_is_fetched(jwk: Jwk) -> None:
    assert [key.kid for key in usable_keys({"keys": [jwk, public(EC, kid="mine")]})] == ["mine"]


@pytest.mark.parametrize("read", [parse_jwk_set, usable_keys])
@pytest.mark.parametrize(
    "document",
    [None, [], {}, "keys", {"keys": {}}, {"keys": [1]}, {"keys": [None]}, {"keys": [{}] * (MOST_KEYS + 1)}],
)
def test_what_is_no_key_set_is_refused(read: Callable[[object], object], document: object) -> None:
    with pytest.raises(ValueError, match=r"it must be a JSON Web Key Set|it holds 21 keys"):
        read(document)


def test_twenty_keys_are_not_too_many() -> None:
    assert len(parse_jwk_set({"keys": [public(EC, kid=str(number)) for number in range(MOST_KEYS)]})) == MOST_KEYS


def test_a_header_means_the_key_of_its_kid_or_one_without() -> None:
    keys = parse_jwk_set({"keys": [public(EC, kid="a"), public(EC, kid="b"), public(RSA)]})
    assert [key.kid for key in matching_keys(keys, "a")] == ["a", None]
    assert [key.kid for key in matching_keys(keys, "c")] == [None]
    assert [key.kid for key in matching_keys(keys, None)] == ["a", "b", None]


def test_a_key_verifies_by_no_algorithm_but_its_own() -> None:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    private: Any = RSA.get_op_key("sign")
    signature = private.sign(b"data", PKCS1v15(), SHA256())
    assert one(public(RSA)).verify("RS256", signature, b"data")
    assert not one(public(RSA)).verify("PS256", signature, b"data")
    assert not one(public(RSA)).verify("RS256", signature, b"date")
    assert not one(public(RSA, alg="PS256")).verify("RS256", signature, b"data")
    assert not one(public(EC)).verify("RS256", signature, b"data")
    assert not one(public(EC)).verify("ES256", signature, b"data")


def test_a_set_reads_the_same_after_it_was_stored() -> None:
    document = {"keys": [public(RSA, kid="r", use="sig"), public(ED)]}
    stored = json.loads(json.dumps(document))
    assert [(key.kid, key.algorithms) for key in parse_jwk_set(stored)] == [
        (key.kid, key.algorithms) for key in parse_jwk_set(document)
    ]
