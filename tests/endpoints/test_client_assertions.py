"""private_key_jwt: who signs with the client's own key, for us, now and for the first time, is the client."""

import base64
import json
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tests.endpoints.people import some_tokens
from tests.endpoints.refusal import check_refusal
from tests.support.asserting_party import BY_JWT, GRANT, HTTP, AssertingParty, asserting_party, provider_time, public
from tests.support.provider import RunningProvider, free_port, running_provider
from tests.support.relying_party import RelyingParty, register

RSA, OTHER_RSA = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
EC, OTHER_EC = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
ED = OKPKey.generate_key("Ed25519")


@pytest.fixture(scope="module")
def party(provider: RunningProvider) -> AssertingParty:
    return asserting_party(provider, EC)


@pytest.fixture(scope="module")
def nameless(provider: RunningProvider) -> AssertingParty:
    """As certification registers it: one RSA key for RS256, without a kid."""
    document = {"keys": [public(RSA, alg="RS256", use="sig")]}
    return asserting_party(provider, RSA, "RS256", jwks=document)


def refused(party: AssertingParty, assertion: str, **fields: str) -> str:
    """See that an assertion is refused as it should be, and return what is said about it."""
    answer = party.token(assertion, **fields)
    check_refusal(answer, 401, "invalid_client")
    assert "www-authenticate" not in answer.headers
    said: str = answer.json()["error_description"]
    return said


def encoded(part: Any) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def reasons(provider: RunningProvider, client_id: str) -> list[str]:
    rows = provider.rows(
        "SELECT detail FROM audit_event WHERE name = 'client.auth_failed' AND client_id = :client_id ORDER BY id",
        client_id=client_id,
    )
    return [json.loads(row["detail"])["reason"] for row in rows]


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256"), (ED, "EdDSA"), (ED, "Ed25519")]
)
@pytest.mark.parametrize("kid", [None, "first"])
def test_each_algorithm_authenticates_with_and_without_a_kid(
    provider: RunningProvider, key: RSAKey | ECKey | OKPKey, algorithm: str, kid: str | None
) -> None:
    party = asserting_party(provider, key, algorithm, kid=kid)
    answer = party.token()
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_client_of_certification_authenticates(nameless: AssertingParty) -> None:
    assert nameless.token().status_code == 200
    assert nameless.token(client_id=nameless.client_id).status_code == 200
    said = nameless.sign(nameless.claims(), nameless.header(kid="unheard-of"))
    assert nameless.token(said).status_code == 200
    by_another = nameless.sign(nameless.claims(), nameless.header(alg="PS256"))
    refused(nameless, by_another)


def test_the_issuer_and_the_token_endpoint_are_audiences_alone_or_among_others(party: AssertingParty) -> None:
    issuer = party.provider.issuer
    for audience in (issuer, f"{issuer}/token", [issuer], [f"{issuer}/token", "https://other.example"]):
        assert party.token(party.assertion(aud=audience)).status_code == 200


@pytest.mark.parametrize(
    "audience",
    [
        "https://other.example", "https://other.example/token", "{issuer}/", "{issuer}/token/", "{issuer}/introspect",
        "{issuer}/userinfo", "token", "", [], ["https://other.example"], {"aud": "{issuer}"}, [["{issuer}"]], 7, None,
    ],
)  # fmt: skip
def test_another_audience_is_refused(party: AssertingParty, audience: object) -> None:
    named = json.loads(json.dumps(audience).replace("{issuer}", party.provider.issuer))
    assert "aud" in refused(party, party.assertion(aud=named))


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
def test_every_endpoint_for_clients_takes_assertions_for_itself_too(party: AssertingParty, path: str) -> None:
    issuer = party.provider.issuer
    for audience in (issuer, f"{issuer}/token", f"{issuer}{path}"):
        form = {"token": "unknown"} | party.form(party.assertion(aud=audience))
        assert HTTP.post(issuer + path, data=form).status_code == 200
    for audience in (f"{issuer}/userinfo", "https://other.example"):
        form = {"token": "unknown"} | party.form(party.assertion(aud=audience))
        check_refusal(HTTP.post(issuer + path, data=form), 401, "invalid_client")


def test_below_a_path_the_audiences_are_below_it_too() -> None:
    port = free_port()
    issuer = f"http://localhost:{port}/deep/er"
    with running_provider(port=port, issuer=issuer) as deep:
        party = asserting_party(deep, EC)
        for audience, status in ((f"{issuer}/introspect", 200), (issuer, 200), (f"{issuer}/deep/er/introspect", 401)):
            form = {"token": "unknown"} | party.form(party.assertion(aud=audience))
            assert HTTP.post(f"{issuer}/introspect", data=form).status_code == status


@pytest.mark.parametrize(
    ("claim", "seconds", "taken"),
    [
        ("exp", 290, True), ("exp", 302, True), ("exp", 420, True), ("exp", 3600, True), ("exp", -1, True),
        ("exp", -30, False), ("exp", -300, False), ("nbf", 8, True), ("nbf", -3600, True), ("nbf", 75, False),
        ("iat", 8, True), ("iat", -290, True), ("iat", -330, False), ("iat", 75, False),
    ],
)  # fmt: skip
def test_clocks_may_differ_a_little(party: AssertingParty, claim: str, seconds: int, taken: bool) -> None:
    assertion = party.assertion(**{claim: provider_time(party.provider) + seconds})
    if taken:
        assert party.token(assertion).status_code == 200
    else:
        refused(party, assertion)


@pytest.mark.parametrize(("age", "taken"), [(0, True), (290, True), (330, False), (3000, False), (3400, False)])
def test_an_assertion_of_an_hour_counts_five_minutes(party: AssertingParty, age: int, taken: bool) -> None:
    now = provider_time(party.provider)
    assertion = party.assertion(iat=now - age, exp=now - age + 3600)
    if taken:
        assert party.token(assertion).status_code == 200
    else:
        assert "expired" in refused(party, assertion)


def test_an_assertion_of_an_hour_must_say_when_it_was_made(party: AssertingParty) -> None:
    assertion = party.assertion(iat=None, exp=provider_time(party.provider) + 3600)
    assert "five minutes" in refused(party, assertion)


def test_an_assertion_of_an_hour_is_used_once_too(party: AssertingParty) -> None:
    assertion = party.assertion(exp=provider_time(party.provider) + 3600)
    assert party.token(assertion).status_code == 200
    assert "used before" in refused(party, assertion)
    for seconds in (400, 1800, 1200, 170):  # to the last minute before its exp
        party.provider.advance(seconds)
        assert "expired" in refused(party, assertion)


def test_times_need_not_be_whole_numbers(party: AssertingParty) -> None:
    assert party.token(party.assertion(exp=provider_time(party.provider) + 30.5)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None}, {"exp": "1999999999"}, {"exp": True}, {"exp": [1]}, {"exp": 10**15}, {"exp": -(10**14)},
        {"exp": 253402300799.5}, {"nbf": "now"}, {"iat": {}}, {"iat": 253402300799},
        {"jti": None}, {"jti": ""}, {"jti": 7}, {"jti": "j" * 257}, {"jti": ["a"]},
    ],
)  # fmt: skip
def test_a_claim_that_is_missing_or_of_another_type_is_refused(party: AssertingParty, changes: dict[str, Any]) -> None:
    said = "five minutes" if type(changes.get("exp")) is float else next(iter(changes))
    assert said in refused(party, party.assertion(**changes))


@pytest.mark.parametrize(
    "changes",
    [{"sub": None}, {"iss": None}, {"iss": "c_other"}, {"sub": "c_other"}, {"sub": ""}, {"sub": 7, "iss": 7}],
)
def test_iss_and_sub_must_both_be_the_client(party: AssertingParty, changes: dict[str, Any]) -> None:
    assert "both must be the client_id" in refused(party, party.assertion(**changes))


def test_one_client_cannot_speak_for_another(provider: RunningProvider, party: AssertingParty) -> None:
    other = asserting_party(provider, OTHER_EC)
    refused(party, other.assertion(), client_id=party.client_id)
    refused(party, other.assertion(iss=party.client_id, sub=party.client_id))
    refused(party, party.assertion(), client_id=other.client_id)
    assert reasons(provider, party.client_id)[-1] == "no key of the client signed the assertion"


def test_an_assertion_is_used_once_whatever_for(party: AssertingParty) -> None:
    assertion = party.assertion(aud=party.provider.issuer)
    assert party.token(assertion).status_code == 200
    assert "used before" in refused(party, assertion)
    form = {"token": "unknown"} | party.form(assertion)
    check_refusal(HTTP.post(f"{party.provider.issuer}/introspect", data=form), 401, "invalid_client")
    same_jti = party.assertion(jti=json.loads(base64.urlsafe_b64decode(assertion.split(".")[1] + "=="))["jti"])
    refused(party, same_jti)


def test_a_jti_is_the_clients_own(provider: RunningProvider, party: AssertingParty) -> None:
    other = asserting_party(provider, OTHER_EC)
    jti = f"shared-{provider_time(provider)}"
    assert party.token(party.assertion(jti=jti)).status_code == 200
    assert other.token(other.assertion(jti=jti)).status_code == 200


def test_an_assertion_that_was_used_stays_used_until_it_has_expired(party: AssertingParty) -> None:
    assertion = party.assertion(exp=provider_time(party.provider) + 290)
    assert party.token(assertion).status_code == 200
    party.provider.advance(280)
    assert "used before" in refused(party, assertion)
    party.provider.advance(60)
    assert "expired" in refused(party, assertion)


def test_what_the_client_did_not_sign_spends_nothing(provider: RunningProvider, party: AssertingParty) -> None:
    claims = party.claims()
    forged = party.sign(claims, key=OTHER_EC)
    refused(party, forged)
    assert party.token(party.sign(claims)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"}, {"alg": "None"}, {"alg": "HS256"}, {"alg": "ES384"}, {"alg": "RS256"}, {"alg": ""},
        {"alg": None}, {"alg": ["ES256"]}, {"typ": "at+jwt"}, {"typ": "logout+jwt"}, {"typ": "dpop+jwt"},
        {"typ": "oauth-authz-req+jwt"}, {"typ": 7}, {"kid": 7}, {"kid": ["a"]}, {"crit": ["exp"], "exp": 1},
        {"b64": False, "crit": ["b64"]},
    ],
)  # fmt: skip
def test_a_bent_header_is_refused_though_the_client_signed_it(party: AssertingParty, header: dict[str, Any]) -> None:
    bent = encoded(party.header(**header))
    signed = f"{bent}.{encoded(party.claims())}"
    refused(party, f"{signed}.{es256(signed)}")
    refused(party, f"{signed}.")


def es256(signed: str) -> str:
    """Sign whatever it is with the party's key (RFC 7518 section 3.4)."""
    private: Any = EC.get_op_key("sign")
    r, s = decode_dss_signature(private.sign(signed.encode(), ECDSA(SHA256())))
    return encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def test_what_is_signed_by_hand_is_taken_when_nothing_is_bent(party: AssertingParty) -> None:
    signed = f"{encoded(party.header())}.{encoded(party.claims())}"
    assert party.token(f"{signed}.{es256(signed)}").status_code == 200


@pytest.mark.parametrize(
    "typ", [None, "JWT", "jwt", "client-authentication+jwt", "application/client-authentication+jwt"]
)
def test_an_assertion_may_say_what_it_is(party: AssertingParty, typ: str | None) -> None:
    assert party.token(party.sign(party.claims(), party.header(typ=typ))).status_code == 200


def test_a_bent_shape_is_refused(party: AssertingParty) -> None:
    header, payload, signature = party.assertion().split(".")
    shapes = [
        "x", "..", f"{header}.{payload}", f"{header}.{payload}.{signature}.", f"{header}.{payload}.{signature}=",
        f"{header}.{payload}.{signature[:-4]}", f"{header}.{payload}.{'A' * len(signature)}",
        f"{payload}.{header}.{signature}", f" {header}.{payload}.{signature}",
        f"{header}.{encoded([1])}.{signature}", f"{header}.{encoded(b'{')}.{signature}",
        f"{encoded(b'{}')}.{payload}.{signature}", f"é.{payload}.{signature}",
        json.dumps({"payload": payload, "protected": header, "signature": signature}),
    ]  # fmt: skip
    for shape in shapes:
        refused(party, shape)
    twice = b'{"iss":"a",' + json.dumps(party.claims()).encode()[1:]
    refused(party, party.sign(twice))


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "a\udfffb"])
def test_text_that_no_store_takes_is_refused_whoever_signed_it(party: AssertingParty, odd: str) -> None:
    for changes in ({"jti": odd}, {"iss": odd, "sub": odd}, {odd: 1}, {"more": [{"a": odd}]}):
        assert "not a JSON Web Token" in refused(party, party.assertion(**changes))
    assert "not a JSON Web Token" in refused(party, party.sign(party.claims(), party.header(kid=odd)))


def test_an_assertion_beyond_eight_kibibytes_is_refused(party: AssertingParty) -> None:
    assert party.token(party.assertion(note="x" * 4000)).status_code == 200
    refused(party, party.assertion(note="x" * 8000))


def test_a_secret_or_a_public_key_used_as_a_secret_signs_nothing(
    provider: RunningProvider, nameless: AssertingParty
) -> None:
    pem = RSA.as_pem(private=False)
    refused(nameless, nameless.sign(nameless.claims(), nameless.header(alg="HS256"), OctKey.import_key(b"k" * 32)))
    refused(nameless, f"{encoded({'alg': 'HS256'})}.{encoded(nameless.claims())}.{encoded(pem[:32])}")


def test_a_key_in_the_header_is_nobodys(party: AssertingParty) -> None:
    for header in ({"jwk": public(OTHER_EC)}, {"jku": "https://other.example/keys"}, {"x5u": "https://other.example/"}):
        signed = encoded(party.header(**header)) + "." + encoded(party.claims())
        signature = party.sign(b"x", key=OTHER_EC).split(".")[2]
        refused(party, f"{signed}.{signature}")


def test_the_registered_algorithm_is_the_only_one(provider: RunningProvider) -> None:
    party = asserting_party(provider, RSA, "PS256", token_endpoint_auth_signing_alg="PS256")
    assert party.token().status_code == 200
    refused(party, party.sign(party.claims(), party.header(alg="RS256")))


def test_every_key_of_a_set_may_sign_and_the_kid_says_which(provider: RunningProvider) -> None:
    keys = {"keys": [public(EC, kid="a"), public(OTHER_EC, kid="b"), public(ED)]}
    party = asserting_party(provider, EC, jwks=keys)
    for key, kid in ((EC, "a"), (OTHER_EC, "b"), (EC, None), (OTHER_EC, None)):
        assert party.token(party.sign(party.claims(), party.header(kid=kid), key)).status_code == 200
    assert party.token(party.sign(party.claims(), party.header(alg="EdDSA"), ED)).status_code == 200
    refused(party, party.sign(party.claims(), party.header(kid="b"), EC))
    refused(party, party.sign(party.claims(), party.header(kid="c"), EC))


def test_of_many_keys_without_a_name_four_are_tried(provider: RunningProvider) -> None:
    """Others of another kind do not count, and a name says which it is however many there are."""
    others = [ECKey.generate_key("P-256") for _ in range(4)]
    ahead: list[dict[str, Any]] = [*map(public, others[:3]), public(RSA), public(ED)]
    for number, taken in ((3, True), (4, False)):
        keys = {"keys": [*ahead, *map(public, others[3:number]), public(EC)]}
        party = asserting_party(provider, EC, jwks=keys)
        if taken:
            assert party.token().status_code == 200
        else:
            refused(party, party.assertion())
    named = {"keys": [public(key, kid=f"k{number}") for number, key in enumerate([*others, *others, *others, EC])]}
    assert asserting_party(provider, EC, kid="k12", jwks=named).token().status_code == 200


@pytest.mark.parametrize(
    "assertion_type", ["", "jwt-bearer", BY_JWT.upper(), BY_JWT + " ", BY_JWT.replace("jwt", "saml2")]
)
def test_another_type_of_assertion_is_refused(party: AssertingParty, assertion_type: str) -> None:
    form = GRANT | party.form() | {"client_assertion_type": assertion_type}
    check_refusal(HTTP.post(f"{party.provider.issuer}/token", data=form), 401, "invalid_client")


def test_a_type_without_an_assertion_is_refused(party: AssertingParty) -> None:
    form = GRANT | {"client_assertion_type": BY_JWT, "client_id": party.client_id}
    check_refusal(HTTP.post(f"{party.provider.issuer}/token", data=form), 401, "invalid_client")


def test_two_ways_of_authentication_at_once_are_an_invalid_request(party: AssertingParty) -> None:
    url = f"{party.provider.issuer}/token"
    check_refusal(HTTP.post(url, data=GRANT | party.form(client_secret="s")), 400, "invalid_request")
    answer = HTTP.post(url, data=GRANT | party.form(), auth=(party.client_id, "s"))
    check_refusal(answer, 400, "invalid_request")


def test_a_client_authenticates_in_its_registered_way_alone(provider: RunningProvider, party: AssertingParty) -> None:
    url = f"{provider.issuer}/token"
    check_refusal(HTTP.post(url, data=GRANT | {"client_id": party.client_id}), 401, "invalid_client")
    form = GRANT | {"client_id": party.client_id, "client_secret": "s"}
    check_refusal(HTTP.post(url, data=form), 401, "invalid_client")
    answer = HTTP.post(url, data=GRANT, auth=(party.client_id, "s"))
    check_refusal_with_challenge(answer)
    metadata = {"grant_types": ["client_credentials"], "jwks": {"keys": [public(EC)]}}
    by_secret = HTTP.post(f"{provider.issuer}/register", json=metadata).json()["client_id"]
    refused(AssertingParty(provider, by_secret, EC), AssertingParty(provider, by_secret, EC).assertion())


def check_refusal_with_challenge(answer: httpx2.Response) -> None:
    check_refusal(answer, 401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_unknown_client_wrong_method_and_wrong_key_are_told_apart_to_nobody(
    provider: RunningProvider, party: AssertingParty, stranger: RelyingParty
) -> None:
    said = {
        refused(party, AssertingParty(provider, client_id, key).assertion())
        for client_id, key in (("c_unknown", EC), (stranger.client_id, EC), (party.client_id, OTHER_EC))
    }
    assert len(said) == 1


async def test_no_token_of_ours_passes_for_an_assertion(provider: RunningProvider) -> None:
    """Even when a client claims our own keys as its own, for all to fetch."""
    ours = HTTP.get(f"{provider.issuer}/jwks").json()
    claimant = asserting_party(provider, EC, jwks=ours)
    machine = asserting_party(provider, EC)
    access_token = machine.token().json()["access_token"]
    tokens = await some_tokens(register(provider))
    for token in (tokens["id_token"], tokens["access_token"], access_token):
        refused(claimant, token)
        refused(claimant, token, client_id=claimant.client_id)


def test_discovery_names_the_algorithms(provider: RunningProvider) -> None:
    document = HTTP.get(f"{provider.issuer}/.well-known/openid-configuration").json()
    for endpoint in ("token", "introspection", "revocation"):
        assert "private_key_jwt" in document[f"{endpoint}_endpoint_auth_methods_supported"]
        algorithms = document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
        assert algorithms == ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
