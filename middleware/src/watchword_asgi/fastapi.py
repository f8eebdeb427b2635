"""For FastAPI: who asks, as a parameter, with the scopes and roles that a route needs.

    @app.get("/orders")
    async def orders(me: Annotated[Identity, requires("orders:read")]): ...

The app itself stays wrapped in Watchword, which has verified the token by then.
"""

from collections.abc import Iterable
from typing import Any

from fastapi import Depends, HTTPException, WebSocketException
from fastapi.requests import HTTPConnection

from .answers import refusal_answer
from .errors import Reason, Refused
from .identity import Identity
from .rules import Rule

__all__ = ["Identity", "requires"]


def requires(*scopes: str, roles: str | Iterable[str] = ()) -> Any:
    """A dependency that gives the Identity, once it has all the scopes and one of the roles.

    Raises (as FastAPI's own exceptions, since its error handling sits inside of any middleware):
        HTTPException: 401 without credentials, 403 without the scopes or roles.
        WebSocketException: 1008 for either.
        RuntimeError: the app is not wrapped in Watchword.
    """
    rule = Rule("*", scopes=scopes, roles=roles)

    async def find_identity(connection: HTTPConnection) -> Identity:
        if "watchword" not in connection.scope:
            raise RuntimeError("wrap the app: app = Watchword(app, issuer=..., audience=...)")
        identity: Identity | None = connection.scope["watchword"]
        if identity is None:
            raise _as_exception(Refused(Reason.NO_CREDENTIALS), rule, connection)
        try:
            rule.check(identity)
        except Refused as refused:
            raise _as_exception(refused, rule, connection) from None
        return identity

    return Depends(find_identity)


def _as_exception(refused: Refused, rule: Rule, connection: HTTPConnection) -> Exception:
    if connection.scope["type"] == "websocket":
        return WebSocketException(1008)
    answer = refusal_answer(refused, rule.needed_scopes)
    headers = {name.decode("ascii"): value.decode("ascii") for name, value in answer.headers}
    headers.pop("content-type")
    return HTTPException(refused.status, refused.description, headers)
