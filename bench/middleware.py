"""What the middleware adds to a request, in process, beside the bare signature check in the same run."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from watchword_asgi import Watchword
from watchword_asgi.testing import LocalIssuer
from watchword_asgi.tokens.jws import parse_compact

_TOKENS = 2000  # per round; each is seen once by the miss, then again by the hit
_START = {"type": "http.response.start", "status": 200, "headers": []}
_BODY = {"type": "http.response.body", "body": b"ok"}

Row = tuple[str, float, float]


async def _bare_app(_scope: Any, _receive: Any, send: Any) -> None:
    await send(_START)
    await send(_BODY)


async def _no_body() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _drop(_message: Any) -> None:
    pass


def _scopes(tokens: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "type": "http",
            "method": "GET",
            "path": "/notes",
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"api.test"), (b"accept", b"*/*"), (b"authorization", b"Bearer " + token.encode())],
        }
        for token in tokens
    ]


async def _time_app(app: Callable[..., Awaitable[None]], scopes: list[dict[str, Any]]) -> float:
    started = time.perf_counter()
    for scope in scopes:
        await app(scope, _no_body, _drop)
    return (time.perf_counter() - started) / len(scopes) * 1e6


def _time_raw(issuer: LocalIssuer, tokens: list[str]) -> float:
    public: Any = issuer.keys[0].pair.public_key
    parsed = [parse_compact(token) for token in tokens]
    if isinstance(public, EllipticCurvePublicKey):
        half = 32
        signed = [
            (
                encode_dss_signature(
                    int.from_bytes(each.signature[:half], "big"), int.from_bytes(each.signature[half:], "big")
                ),
                each.signing_input,
            )
            for each in parsed
        ]
    else:
        signed = [(each.signature, each.signing_input) for each in parsed]
    arguments: tuple[Any, ...] = ()
    if isinstance(public, RSAPublicKey):
        arguments = (PKCS1v15(), SHA256())
    elif isinstance(public, EllipticCurvePublicKey):
        arguments = (ECDSA(SHA256()),)
    else:
        assert isinstance(public, Ed25519PublicKey)
    started = time.perf_counter()
    for signature, text in signed:
        public.verify(signature, text, *arguments)
    return (time.perf_counter() - started) / len(signed) * 1e6


async def _measure_round(algorithm: str) -> tuple[float, float, float]:
    issuer = LocalIssuer(algorithm=algorithm)
    app = Watchword(_bare_app, issuer=issuer.issuer, audience=issuer.audience, http=issuer.transport)
    tokens = [issuer.token(scope="notes:read notes:write") for _ in range(_TOKENS)]
    await _time_app(app, _scopes([issuer.token()]))  # discovery and keys
    scopes = _scopes(tokens)
    raw = _time_raw(issuer, tokens)
    bare = await _time_app(_bare_app, scopes)
    miss = await _time_app(app, scopes) - bare
    hit = await _time_app(app, scopes) - bare
    return raw, miss, hit


def measure(rounds: int = 5) -> list[Row]:
    """Rows of (what, microseconds, ratio to the bare signature check of that algorithm); medians of the rounds."""
    rows: list[Row] = []
    for algorithm in ("RS256", "ES256", "Ed25519"):
        results = [asyncio.run(_measure_round(algorithm)) for _ in range(rounds)]
        raw, miss, hit = (statistics.median(column) for column in zip(*results, strict=True))
        rows.append((f"{algorithm}: signature check alone", raw, 1.0))
        rows.append((f"{algorithm}: added to a request, token not seen before", miss, miss / raw))
        rows.append((f"{algorithm}: added to a request, token seen before", hit, hit / raw))
    return rows


if __name__ == "__main__":
    for what, microseconds, ratio in measure():
        print(f"{what:<58} {microseconds:8.1f} us   {ratio:5.2f} x")
