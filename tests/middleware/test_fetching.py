import json
import logging
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc.jwk import ECKey, OctKey, OKPKey

from tests.middleware.support import TurnableClock, fetches, get, protect
from watchword_asgi import Unavailable, Verifier
from watchword_asgi.remote.fetch import Fetcher, FetchFailed
from watchword_asgi.testing import LocalIssuer, base64url, generate_signing_key
from watchword_asgi.tokens.jwk import parse_jwk_set

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def verifier(issuer: LocalIssuer, clock: TurnableClock) -> Verifier:
    return Verifier(issuer=issuer.issuer, audience=issuer.audience, http=issuer.transport, clock=clock.clock)


async def test_the_second_form_of_discovery_is_tried_when_the_first_is_not_found(clock: TurnableClock) -> None:
    issuer = LocalIssuer("https://id.test/tenant", now=clock.now)
    asked: list[str] = []

    async def respond(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        if request.url.path == "/.well-known/oauth-authorization-server/tenant":
            return httpx2.Response(200, json={"issuer": issuer.issuer, "jwks_uri": issuer.issuer + "/jwks"})
        return await issuer.respond(request) if request.url.path.endswith("/jwks") else httpx2.Response(404)

    verifier = Verifier(
        issuer=issuer.issuer, audience=issuer.audience, http=httpx2.MockTransport(respond), clock=clock.clock
    )
    assert (await verifier.verify(issuer.token())).subject == "ada"
    assert asked == [
        "https://id.test/tenant/.well-known/openid-configuration",
        "https://id.test/.well-known/oauth-authorization-server/tenant",
        "https://id.test/tenant/jwks",
    ]


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://id.test/"},
        {"issuer": "https://evil.test"},
        {"issuer": None},
        {"jwks_uri": "http://id.test/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://user:secret@id.test/jwks"},
        {"jwks_uri": None},
        {"jwks_uri": ["https://id.test/jwks"]},
    ],
)
async def test_metadata_that_is_not_in_order_opens_nothing(issuer: LocalIssuer, metadata: dict[str, Any]) -> None:
    issuer.metadata = metadata
    answer = await get(protect(issuer), headers=issuer.bearer())
    assert answer.status_code == 503


async def test_a_wrong_issuer_setting_is_told_with_both_values(
    issuer: LocalIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    app = protect(issuer, issuer="https://id.test/")
    with caplog.at_level(logging.WARNING, "watchword_asgi"):
        await get(app, headers=issuer.bearer())
    assert "'https://id.test'" in caplog.text
    assert "'https://id.test/'" in caplog.text


async def _large(keys: list[Any]) -> Any:
    for _ in range(600):
        yield b" " * 1024
    yield json.dumps({"keys": keys}).encode()


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx2.Response(302, headers={"location": "https://id.test/elsewhere"}),
        lambda keys: httpx2.Response(200, content=_large(keys)),
        lambda _: httpx2.Response(200, content=b"not json"),
        lambda _: httpx2.Response(200, content=b"[" * 100_000),
        lambda _: httpx2.Response(200, json=[]),
        lambda _: httpx2.Response(200, json={"keys": "none"}),
        lambda _: httpx2.Response(200, content=b'{"keys": [], "keys": []}'),
        lambda keys: httpx2.Response(401, json={"keys": keys}),
    ],
    ids=["redirect", "too large", "not JSON", "nested", "a list", "keys not a list", "keys twice", "refused"],
)
async def test_a_key_set_that_is_not_in_order_is_an_outage(issuer: LocalIssuer, answer: Any) -> None:
    async def respond(request: httpx2.Request) -> httpx2.Response:
        published = [key.public for key in issuer.keys]
        return answer(published) if request.url.path == "/jwks" else await issuer.respond(request)

    reply = await get(protect(issuer, http=httpx2.MockTransport(respond)), headers=issuer.bearer())
    assert reply.status_code == 503


async def test_keys_that_moved_are_found_again(issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock) -> None:
    issuer.metadata = {"jwks_uri": "https://id.test/old"}
    with pytest.raises(Unavailable):
        await verifier.verify(issuer.token())
    issuer.metadata = {}
    clock.turn(1)
    assert (await verifier.verify(issuer.token())).subject == "ada"


@pytest.mark.parametrize(
    "url", ["http://id.test/jwks", "ftp://id.test/jwks", "https://a@id.test/", "https://id.test/ x"]
)
async def test_nothing_is_fetched_in_the_clear(issuer: LocalIssuer, url: str) -> None:
    with pytest.raises(FetchFailed):
        await Fetcher(issuer.transport).get(url)
    assert issuer.requests == []


async def test_a_client_that_follows_redirects_is_not_let_to(issuer: LocalIssuer) -> None:
    async def respond(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/jwks":
            return httpx2.Response(307, headers={"location": "https://id.test/moved"})
        return await issuer.respond(request)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(respond), follow_redirects=True) as client:
        assert (await get(protect(issuer, http=client), headers=issuer.bearer())).status_code == 503
    assert fetches(issuer, "/moved") == 0


@pytest.mark.parametrize("error", [httpx2.ConnectError("x"), httpx2.ReadTimeout("x"), OSError("x"), TimeoutError()])
async def test_network_errors_are_an_outage(issuer: LocalIssuer, error: Exception) -> None:
    async def respond(request: httpx2.Request) -> httpx2.Response:
        raise error

    reply = await get(protect(issuer, http=httpx2.MockTransport(respond)), headers=issuer.bearer())
    assert reply.status_code == 503


def test_keys_of_no_use_are_skipped_and_the_others_stay() -> None:
    good = generate_signing_key("ES256").public
    modulus = generate_private_key(65537, 1024).public_key().public_numbers().n
    weak_rsa = {"kty": "RSA", "e": "AQAB", "n": base64url(modulus.to_bytes(128))}
    private = {**generate_signing_key("ES256").pair.as_dict(private=True), "kid": "p"}
    useless: list[Any] = [
        {**good, "use": "enc"},
        {**good, "key_ops": ["sign"]},
        {**good, "key_ops": "verify"},
        {**good, "alg": "ES384"},
        {**good, "alg": "HS256"},
        {**good, "kid": 5},
        {**good, "x": "AAAA"},
        {**good, "kty": "RSA"},
        {**weak_rsa, "n": 5},
        {**weak_rsa, "n": []},
        {**weak_rsa, "n": "", "e": ""},
        {**weak_rsa, "n": "é"},
        {**good, "crv": ["P-256"]},
        {**good, "x": None},
        {**good, "kty": ["EC"]},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"},
        private,
        ECKey.generate_key("P-384").as_dict(private=False),
        OKPKey.generate_key("X25519").as_dict(private=False),
        OctKey.generate_key(256).as_dict(private=False),
        weak_rsa,
        "not a key",
        None,
        [],
        {},
    ]
    assert [key.kid for key in parse_jwk_set({"keys": [*useless, good]})] == [good["kid"]]


def test_no_more_than_a_hundred_keys_are_read() -> None:
    public = generate_signing_key("ES256").public
    assert len(parse_jwk_set({"keys": [{**public, "kid": str(number)} for number in range(150)]})) == 100
