from typing import Any

import pytest
import websockets

from tests.middleware.support import protect, served
from watchword_asgi import Rule
from watchword_asgi.testing import LocalIssuer


class EchoSocket:
    """Accepts and sends the subject; counts how often it was called."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        self.calls += 1
        identity = scope["watchword"]
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": identity.subject if identity else "nobody"})
        await send({"type": "websocket.close", "code": 1000})


@pytest.fixture(scope="module")
def issuer() -> LocalIssuer:
    return LocalIssuer()


async def test_a_websocket_without_a_token_never_reaches_the_app(issuer: LocalIssuer) -> None:
    app = EchoSocket()
    async with served(protect(issuer, app), "ws") as address:
        with pytest.raises(websockets.InvalidStatus) as caught:
            await websockets.connect(f"{address}/live")
    assert caught.value.response.status_code == 401
    assert caught.value.response.headers["www-authenticate"] == "Bearer"
    assert app.calls == 0


async def test_a_websocket_with_a_bad_token_never_reaches_the_app(issuer: LocalIssuer) -> None:
    app = EchoSocket()
    async with served(protect(issuer, app), "ws") as address:
        for headers in ({"Authorization": "Bearer rubbish"}, issuer.bearer(aud="https://other.test")):
            with pytest.raises(websockets.InvalidStatus):
                await websockets.connect(f"{address}/live", additional_headers=headers)
    assert app.calls == 0


async def test_a_websocket_with_a_token_and_its_scopes_is_let_in(issuer: LocalIssuer) -> None:
    app = EchoSocket()
    async with served(protect(issuer, app, rules=[Rule("/live", scopes="live")]), "ws") as address:
        with pytest.raises(websockets.InvalidStatus) as caught:
            await websockets.connect(f"{address}/live", additional_headers=issuer.bearer())
        assert caught.value.response.status_code == 403
        async with websockets.connect(f"{address}/live", additional_headers=issuer.bearer(scope="live")) as connection:
            assert await connection.recv() == "ada"
    assert app.calls == 1


async def test_where_the_server_cannot_pass_an_answer_on_the_socket_is_closed_before_it_is_accepted(
    issuer: LocalIssuer,
) -> None:
    app = EchoSocket()
    order: list[Any] = []

    async def receive() -> Any:
        order.append("connect received")
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        order.append((message["type"], message["code"]))

    scope = {"type": "websocket", "path": "/live", "headers": [], "query_string": b""}
    await protect(issuer, app)(scope, receive, send)
    assert order == ["connect received", ("websocket.close", 1008)]
    assert app.calls == 0


async def test_a_cold_outage_refuses_websockets_too(issuer: LocalIssuer) -> None:
    down = LocalIssuer()
    down.outage = 503
    app = EchoSocket()
    async with served(protect(down, app), "ws") as address:
        with pytest.raises(websockets.InvalidStatus) as caught:
            await websockets.connect(f"{address}/live", additional_headers=down.bearer())
    assert caught.value.response.status_code == 503
    assert app.calls == 0
