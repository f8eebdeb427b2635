from typing import Annotated, Any

import pytest
from fastapi import FastAPI, WebSocket

from tests.middleware.support import browser, get, protect
from watchword_asgi import Rule
from watchword_asgi.fastapi import Identity, requires
from watchword_asgi.testing import LocalIssuer


@pytest.fixture(scope="module")
def issuer() -> LocalIssuer:
    return LocalIssuer()


def orders_api() -> FastAPI:
    app = FastAPI()

    @app.get("/orders")
    async def orders(me: Annotated[Identity, requires("orders:read")]) -> dict[str, Any]:
        return {"of": me.subject}

    @app.get("/staff")
    async def staff(me: Annotated[Identity, requires(roles="staff")]) -> dict[str, Any]:
        return {"of": me.subject}

    @app.get("/feed")
    async def feed(me: Annotated[Identity, requires()]) -> dict[str, Any]:
        return {"of": me.subject}

    @app.websocket("/live")
    async def live(socket: WebSocket, me: Annotated[Identity, requires("live")]) -> None:
        await socket.accept()

    return app


async def test_a_route_gets_the_identity_and_its_scopes_are_checked(issuer: LocalIssuer) -> None:
    app = protect(issuer, orders_api())
    assert (await get(app, "/orders", issuer.bearer(scope="orders:read"))).json() == {"of": "ada"}
    refused = await get(app, "/orders", issuer.bearer(scope="orders:write"))
    assert refused.status_code == 403
    assert 'scope="orders:read"' in refused.headers["www-authenticate"]


async def test_a_route_can_ask_for_a_role(issuer: LocalIssuer) -> None:
    app = protect(issuer, orders_api())
    assert (await get(app, "/staff", issuer.bearer(roles=["staff"]))).status_code == 200
    assert (await get(app, "/staff", issuer.bearer())).status_code == 403


async def test_a_stranger_let_in_by_a_rule_is_still_a_stranger_to_the_route(issuer: LocalIssuer) -> None:
    app = protect(issuer, orders_api(), rules=[Rule("/feed", optional=True)])
    answer = await get(app, "/feed")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_websocket_route_is_closed_for_want_of_scope(issuer: LocalIssuer) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", issuer.bearer()["Authorization"].encode())]
    scope = {"type": "websocket", "path": "/live", "headers": headers, "query_string": b"", "scheme": "ws"}
    await protect(issuer, orders_api())(scope, receive, send)
    assert [(each["type"], each["code"]) for each in sent] == [("websocket.close", 1008)]


async def test_an_app_that_is_not_wrapped_fails_loudly() -> None:
    async with browser(orders_api()) as client:
        with pytest.raises(RuntimeError, match="wrap the app"):
            await client.get("/orders")
