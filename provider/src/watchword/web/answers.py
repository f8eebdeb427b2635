"""Building answers: JSON, documents, files, redirects and pages, each with the fields that belong to its kind."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from watchword.web.exchange import Exchange
from watchword.web.wire import Answer, Field, field

_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
_NO_SNIFFING = {"x-content-type-options": "nosniff"}
_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:{images}; script-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'; object-src 'none'{frames}"
)
_PUBLIC_SECONDS = 300


def _fields(named: Mapping[str, str]) -> list[Field]:
    return [field(name, value) for name, value in named.items()]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one page may load or post to beyond our own origin: sources of its Content-Security-Policy.

    `forms` stands in place of our own origin, for the one page whose form is the relying party's.
    """

    images: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    forms: tuple[str, ...] = ("'self'",)

    def policy(self) -> str:
        """Write the policy. A source that could end its directive is left out."""
        images, frames, forms = map(_sources, (self.images, self.frames, self.forms))
        return _CSP.format(
            images=" " + images if images else "",
            frames="; frame-src " + frames if frames else "",
            forms=forms or "'none'",
        )


def _sources(sources: Iterable[str]) -> str:
    return " ".join(source for source in dict.fromkeys(sources) if not set(source) & _ENDS_A_SOURCE)


_ENDS_A_SOURCE = frozenset(" \t\r\n;,")
_OURS_ALONE = Allowed()
_JSON_TYPE = field("content-type", "application/json")
_EMPTY = _fields({**_NO_SNIFFING, **_NO_STORE})
_JSON = [_JSON_TYPE, *_fields({**_NO_SNIFFING, **_NO_STORE})]
_PAGE = _fields(
    {
        "content-type": "text/html; charset=utf-8",
        **_NO_SNIFFING,
        "x-frame-options": "DENY",
        # `no-referrer` would make our own forms send `Origin: null`; `same-origin` tells other sites just as little.
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), otp-credentials=(self)",
        "cross-origin-resource-policy": "same-origin",
        "vary": "Accept-Language",
        **_NO_STORE,
    }
)
_REDIRECT = _fields({**_NO_SNIFFING, **_NO_STORE, "referrer-policy": "same-origin"})
_KEPT = _fields({**_NO_SNIFFING, "cache-control": f"public, max-age={_PUBLIC_SECONDS}"})


def json_answer(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """JSON that no cache keeps (RFC 6749 section 5.1)."""
    body = orjson.dumps(content)
    return Answer(status, [*_JSON, *_fields(headers)] if headers else [*_JSON], body)


def empty_answer(*, status: int = 204) -> Answer:
    """Nothing but a status, kept by no cache."""
    return Answer(status, [*_EMPTY])


class PublicDocument:
    """A JSON document that anybody may read and keep for a while. Both its answers are written once."""

    __slots__ = ("_etag", "_unchanged", "_whole")

    def __init__(self, body: bytes) -> None:
        self._etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        kept = [*_KEPT, field("etag", self._etag)]
        self._whole = Answer(200, [_JSON_TYPE, *kept], body)
        self._unchanged = Answer(304, kept)

    def answer(self, exchange: Exchange) -> Answer:
        """Answer it, or 304 when the reader has it already (RFC 9110 section 13.1.2)."""
        if_none_match = exchange.headers.get("if-none-match")
        if if_none_match is not None and (self._etag in if_none_match or if_none_match.strip() == "*"):
            return self._unchanged
        return self._whole


@lru_cache(maxsize=8)
def public_document(body: bytes) -> PublicDocument:
    """Return the document of these bytes; the same bytes give the same document."""
    return PublicDocument(body)


def file_answer(content: bytes, *, media_type: str, headers: Mapping[str, str]) -> Answer:
    """A file as it is; text is UTF-8."""
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    named = {"content-type": media_type + charset, **_NO_SNIFFING, **headers}
    return Answer(200, _fields(named), content)


def see_other(location: str, cookies: Iterable[tuple[str, str]] = ()) -> Answer:
    """Send the browser on with a GET, never repeating a POST's body (RFC 9700 section 4.12)."""
    return Answer(303, [*_REDIRECT, field("location", location), *(field(name, value) for name, value in cookies)])


def page(
    exchange: Exchange,
    view: Any,
    *,
    status: int = 200,
    locale: str | None = None,
    cookies: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    allowed: Allowed = _OURS_ALONE,
) -> Answer:
    """A hosted page under a policy that lets nothing in but our own files, and what is `allowed` beside them."""
    html = exchange.renderer.render(view, locale=locale or exchange.locale()).encode()
    fields = [*_PAGE, _policy(allowed), *_fields(headers or {}), *(field(name, value) for name, value in cookies)]
    return Answer(status, fields, html)


@lru_cache(maxsize=256)
def _policy(allowed: Allowed) -> Field:
    return field("content-security-policy", allowed.policy())
