"""The ASGI interface, as types, and the few questions asked of a scope."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]


def read_header(headers: Headers, name: bytes) -> str | None:
    """The first header of the name, None when there is none."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return None


def path_inside_mount(scope: Scope) -> str:
    """The decoded path as the wrapped app's router sees it: without the root path it is mounted at."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if not root or not path.startswith(root):
        return path
    inner = path[len(root) :]
    if inner and not inner.startswith("/"):
        return path  # /application is not inside a mount at /app
    return inner


def is_preflight(scope: Scope) -> bool:
    """Whether this is a CORS preflight, which browsers send without credentials (Fetch standard, section 3.3.5)."""
    headers: Headers = scope["headers"]
    return (
        scope["type"] == "http"
        and scope["method"] == "OPTIONS"
        and read_header(headers, b"origin") is not None
        and read_header(headers, b"access-control-request-method") is not None
    )
