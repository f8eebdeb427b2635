"""Answers that the middleware gives in the app's place."""

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from .asgi import Receive, Scope, Send
from .errors import Refused, Unavailable

RawHeader = tuple[bytes, bytes]
_NO_STORE: RawHeader = (b"cache-control", b"no-store")

_STYLE = (
    "body{margin:0;min-height:100vh;display:grid;place-items:center;font:1rem/1.5 system-ui,sans-serif;"
    "color-scheme:light dark}main{max-width:28rem;padding:2rem}h1{font-size:1.35rem;font-weight:600}"
    "a,button{font:inherit;display:inline-block;padding:.6rem 1.1rem;border:1px solid;border-radius:.5rem;"
    "background:none;color:inherit;text-decoration:none;cursor:pointer}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# No form-action here: Chromium would block the way out to the provider after the sign-out form (CSP level 3).
_PAGE_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP response."""

    status: int
    headers: tuple[RawHeader, ...] = ()
    body: bytes = field(default=b"", repr=False)


def json_answer(status: int, error: str, description: str, *headers: RawHeader) -> Answer:
    """An error as RFC 6750 clients know it."""
    members = {"error": error, "error_description": description}
    body = json.dumps({name: text for name, text in members.items() if text}).encode()
    return Answer(status, ((b"content-type", b"application/json"), _NO_STORE, *headers), body)


def refusal_answer(refused: Refused, scopes: Sequence[str] = ()) -> Answer:
    """The answer of a protected resource (RFC 6750 section 3).

    Without credentials the challenge carries no error. `scope` names what the path needs, where it needs any.
    """
    error = refused.error or "unauthorized"
    if refused.status != 401 and error != "insufficient_scope":
        return json_answer(refused.status, error, refused.description)
    told: dict[str, str] = {}
    if error in ("invalid_token", "insufficient_scope"):
        told = {"error": error, "error_description": refused.description}
    if scopes:
        told["scope"] = " ".join(scopes)
    parameters = ", ".join(f'{name}="{text}"' for name, text in told.items())
    challenge = f"Bearer {parameters}".strip()
    return json_answer(refused.status, error, refused.description, (b"www-authenticate", challenge.encode("ascii")))


def unavailable_answer(unavailable: Unavailable) -> Answer:
    """503 without a challenge: the caller's token may be perfectly good, so it must not be thrown away."""
    wait = str(unavailable.retry_after).encode("ascii")
    return json_answer(503, unavailable.error, unavailable.description, (b"retry-after", wait))


def redirect_answer(location: str, *headers: RawHeader) -> Answer:
    """303: the browser goes there with GET, whatever it came with."""
    return Answer(303, ((b"location", location.encode("ascii")), _NO_STORE, *headers))


def page_answer(status: int, title: str, text: str, action: str, *headers: RawHeader) -> Answer:
    """A small page of our own. `action` is trusted HTML, the rest is escaped."""
    title, text = html.escape(title), html.escape(text)
    document = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1><p>{text}</p>{action}</main></body></html>"
    )
    fixed = (
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", _PAGE_POLICY.encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        _NO_STORE,
    )
    return Answer(status, (*fixed, *headers), document.encode("utf-8"))


async def send_answer(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the answer.

    A WebSocket is answered before it is accepted: by the answer itself where the server can pass it on, else by a
    close, which servers turn into 403.
    """
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()  # the connect event, which the protocol puts before any answer
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        kind = "websocket.http.response"
    length = (b"content-length", str(len(answer.body)).encode("ascii"))
    await send({"type": f"{kind}.start", "status": answer.status, "headers": [*answer.headers, length]})
    await send({"type": f"{kind}.body", "body": b"" if scope.get("method") == "HEAD" else answer.body})
