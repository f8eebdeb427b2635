"""The least an ASGI server can do: read a request whole and answer a short JSON document: every endpoint's floor."""

from typing import Any

_BODY = b'{"token_type":"Bearer","expires_in":900}'
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())],
}
_REST = {"type": "http.response.body", "body": _BODY}


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer any HTTP request."""
    if scope["method"] == "POST":
        while (await receive()).get("more_body"):
            pass
    await send(_START)
    await send(_REST)
