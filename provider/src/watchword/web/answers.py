"""Building answers: JSON, redirects and pages, each with the headers that belong to its kind."""

import hashlib
from collections.abc import Iterable
from typing import Any

import orjson
from starlette.responses import Response

from watchword.web.exchange import Exchange

NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}

_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
_PAGE_HEADERS = {
    "content-security-policy": _CSP,
    "x-frame-options": "DENY",
    # `no-referrer` would make our own forms send `Origin: null`; `same-origin` tells other sites just as little.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), otp-credentials=(self)",
    "cross-origin-resource-policy": "same-origin",
    "vary": "Accept-Language",
    **NO_STORE,
}
_BASE_HEADERS = {"x-content-type-options": "nosniff"}
_PUBLIC_SECONDS = 300
_HSTS = {"strict-transport-security": "max-age=63072000; includeSubDomains"}


def json_answer(content: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON that no cache keeps (RFC 6749 section 5.1)."""
    return Response(
        orjson.dumps(content),
        status_code=status,
        headers={**_BASE_HEADERS, **NO_STORE, **(headers or {})},
        media_type="application/json",
    )


def public_document(exchange: Exchange, body: bytes) -> Response:
    """A JSON document that anybody may read and keep for a while: 304 when the reader has it already."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if_none_match = exchange.headers.get("if-none-match")
    headers = {
        **_BASE_HEADERS,
        "etag": etag,
        "cache-control": f"public, max-age={_PUBLIC_SECONDS}",
        "access-control-allow-origin": "*",
    }
    if if_none_match is not None and (etag in if_none_match or if_none_match.strip() == "*"):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def see_other(location: str, cookies: Iterable[tuple[str, str]] = ()) -> Response:
    """Send the browser on with a GET, never repeating a POST's body (RFC 9700 section 4.12)."""
    headers = {**_BASE_HEADERS, **NO_STORE, "location": location, "referrer-policy": "same-origin"}
    return _with_cookies(Response(status_code=303, headers=headers), cookies)


def page(
    exchange: Exchange,
    view: Any,
    *,
    status: int = 200,
    locale: str | None = None,
    cookies: Iterable[tuple[str, str]] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """A hosted page under a policy that lets nothing in but our own files."""
    html = exchange.renderer.render(view, locale=locale or exchange.locale())
    response = Response(html, status_code=status, media_type="text/html")
    response.headers.update({**_BASE_HEADERS, **_PAGE_HEADERS, **(headers or {})})
    return _with_cookies(response, cookies)


def add_transport_security(response: Response) -> None:
    """Tell browsers to keep to https; only for an https issuer."""
    response.headers.update(_HSTS)


def _with_cookies(response: Response, cookies: Iterable[tuple[str, str]]) -> Response:
    for name, value in cookies:
        response.headers.append(name, value)
    return response
