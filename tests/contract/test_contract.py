"""What the provider issues, the middleware accepts; changed in any field, it refuses.

The two distributions share no code, so this corpus is what holds them together.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import register
from watchword.protocol.access_token import TYPE, access_token_claims
from watchword.protocol.id_token import id_token_claims
from watchword.protocol.jwt import SigningKey
from watchword.protocol.vocabulary import SigningAlgorithm
from watchword_asgi import Refused, Verifier
from watchword_asgi.tokens.access_token import AccessToken, verify_access_token
from watchword_asgi.tokens.jwk import VerificationKey, parse_jwk_set

ISSUER = "https://id.example.com"
AUDIENCE = "https://api.example.com"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Signer:
    """A signing key of the provider, and the same key as the middleware reads it from the published set."""

    signing: SigningKey
    published: tuple[VerificationKey, ...]


@pytest.fixture(scope="module", params=["ES256", "RS256"])
def signer(request: pytest.FixtureRequest) -> Signer:
    algorithm: SigningAlgorithm = request.param
    key = ECKey.generate_key("P-256") if algorithm == "ES256" else RSAKey.generate_key(2048)
    public = {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": algorithm}
    return Signer(SigningKey(key.thumbprint(), algorithm, key), parse_jwk_set({"keys": [public]}))


def issued_claims() -> dict[str, Any]:
    return access_token_claims(
        issuer=ISSUER,
        subject="0b0c7d3e-6f0f-4a53-9f57-0a1b2c3d4e5f",
        audience=(AUDIENCE,),
        client_id="c_notes",
        scope=("openid", "notes:read"),
        grant_id="11f3a2b4-1111-4222-8333-abcdefabcdef",
        session_id="22f3a2b4-1111-4222-8333-abcdefabcdef",
        auth_time=NOW,
        acr="urn:watchword:otp:email",
        jti="a-random-name",
        now=NOW,
        lifetime=timedelta(minutes=15),
        epoch=0,
    )


def verify(token: str, signer: Signer, now: datetime = NOW) -> AccessToken:
    return verify_access_token(
        token,
        signer.published,
        expected_issuer=ISSUER,
        expected_audience=frozenset({AUDIENCE}),
        now=now,
        leeway=timedelta(seconds=30),
    )


def test_an_issued_access_token_is_accepted(signer: Signer) -> None:
    token = verify(signer.signing.sign(issued_claims(), typ=TYPE), signer)
    assert token.subject == issued_claims()["sub"]
    assert token.scopes == {"openid", "notes:read"}
    assert token.client_id == "c_notes"


Change = Callable[[dict[str, Any]], dict[str, Any]]


def _without(name: str) -> Change:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


def _with(name: str, value: Any) -> Change:
    return lambda claims: claims | {name: value}


REFUSED_CHANGES: dict[str, Change] = {
    **{f"without {name}": _without(name) for name in ("iss", "sub", "aud", "client_id", "exp", "iat", "jti")},
    "another issuer": _with("iss", "https://id.example.com.evil.example"),
    "issuer with a slash": _with("iss", ISSUER + "/"),
    "another audience": _with("aud", "https://other.example.com"),
    "audience beginning the same": _with("aud", AUDIENCE + ".evil.example"),
    "audience of the wrong type": _with("aud", 7),
    "an empty subject": _with("sub", ""),
    "a subject of the wrong type": _with("sub", 7),
    "expiry as text": _with("exp", "4102444800"),
    "expiry as true": _with("exp", True),
    "expired": _with("exp", int(NOW.timestamp()) - 31),
    "issued in the future": _with("iat", int(NOW.timestamp()) + 3600),
    "not yet valid": _with("nbf", int(NOW.timestamp()) + 3600),
    "scope as a list": _with("scope", ["notes:read"]),
    "bound to a key": _with("cnf", {"jkt": "x"}),
}


@pytest.mark.parametrize("change", REFUSED_CHANGES.values(), ids=REFUSED_CHANGES.keys())
def test_a_token_that_differs_in_one_claim_is_refused_though_well_signed(signer: Signer, change: Change) -> None:
    with pytest.raises(Refused):
        verify(signer.signing.sign(change(issued_claims()), typ=TYPE), signer)


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
def test_a_token_changed_after_signing_is_refused(signer: Signer, part: int) -> None:
    segments = signer.signing.sign(issued_claims(), typ=TYPE).split(".")
    for position in range(0, len(segments[part]), 7):
        letters = list(segments[part])
        letters[position] = "A" if letters[position] != "A" else "B"
        changed = ".".join([*segments[:part], "".join(letters), *segments[part + 1 :]])
        with pytest.raises(Refused):
            verify(changed, signer)


@pytest.mark.parametrize("claim", sorted(issued_claims()))
def test_a_claim_changed_without_signing_anew_is_refused(signer: Signer, claim: str) -> None:
    header, _, signature = signer.signing.sign(issued_claims(), typ=TYPE).split(".")
    changed = orjson.dumps(issued_claims() | {claim: "changed"})
    payload = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
    with pytest.raises(Refused):
        verify(f"{header}.{payload}.{signature}", signer)


def test_an_id_token_is_no_access_token(signer: Signer) -> None:
    claims = id_token_claims(
        issuer=ISSUER,
        subject="somebody",
        client_id=AUDIENCE,
        session_id=None,
        auth_time=NOW,
        amr=("otp",),
        nonce="n",
        acr="urn:watchword:otp:email",
        at_hash="x",
        asked={},
        now=NOW,
        lifetime=timedelta(minutes=15),
    )
    with pytest.raises(Refused):
        verify(signer.signing.sign(claims, typ="JWT"), signer)


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "secevent+jwt", "dpop+jwt", ""])
def test_a_token_of_another_type_is_refused(signer: Signer, typ: str) -> None:
    with pytest.raises(Refused):
        verify(signer.signing.sign(issued_claims(), typ=typ), signer)


async def test_the_middleware_trusts_a_running_provider_by_its_issuer_url_alone(provider: RunningProvider) -> None:
    provider.add_resource(AUDIENCE, "notes:read")
    party = register(provider, "--scope", "openid", "--scope", "email", "--scope", "notes:read")
    async with Person() as person:
        url = party.authorization_url(scope="openid email notes:read", resource=AUDIENCE)
        answer = await person.sign_in(provider, url, "contract@example.com")
    tokens = (await party.exchange(answer["code"])).json()

    verifier = Verifier(issuer=provider.issuer, audience=AUDIENCE)
    try:
        identity = await verifier.verify(tokens["access_token"])
        assert identity.scopes == {"openid", "email", "notes:read"}
        assert (await identity.userinfo())["email"] == "contract@example.com"
        with pytest.raises(Refused):
            await verifier.verify(tokens["id_token"])
        with pytest.raises(Refused):
            await verifier.verify(tokens["refresh_token"])
    finally:
        await verifier.aclose()
    stranger = Verifier(issuer=provider.issuer, audience="https://other.example.com")
    try:
        with pytest.raises(Refused):
            await stranger.verify(tokens["access_token"])
    finally:
        await stranger.aclose()


def test_every_published_key_can_be_read_by_the_middleware(provider: RunningProvider) -> None:
    import httpx2

    document = json.loads(httpx2.get(f"{provider.issuer}/jwks").text)
    assert len(parse_jwk_set(document)) == len(document["keys"]) >= 4
