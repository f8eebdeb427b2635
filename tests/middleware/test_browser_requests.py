from typing import Any

import pytest

from tests.middleware.browser_support import APP, NAVIGATE, cookie_header, login_app, sign_in
from tests.middleware.support import TurnableClock, browser
from watchword_asgi import Rule, Watchword
from watchword_asgi.testing import LocalIssuer


async def test_a_script_gets_401_and_no_redirect(app: Watchword) -> None:
    async with browser(app, APP) as client:
        for headers in ({"Sec-Fetch-Mode": "cors", "Accept": "text/html"}, {"Accept": "application/json"}, {}):
            answer = await client.get("/page", headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "login_required")
        assert (await client.post("/page", headers=NAVIGATE)).status_code == 401


async def test_a_browser_without_fetch_metadata_is_told_by_what_it_accepts(app: Watchword) -> None:
    async with browser(app, APP) as client:
        answer = await client.get("/page", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.headers["location"] == f"{APP}/auth/login?return_to=/page"


async def test_an_api_path_wants_a_bearer_token_and_no_session(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        answer = await client.get("/api/notes", headers=NAVIGATE)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer scope="notes:read"')
        assert (await client.get("/api/notes", headers=issuer.bearer(scope="notes:read"))).status_code == 200


async def test_a_login_path_takes_a_bearer_token_too(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        assert (await client.get("/page", headers=issuer.bearer(subject="bob"))).json()["subject"] == "bob"
        assert (await client.get("/page", headers={"Authorization": "Bearer rubbish"})).status_code == 401


async def test_roles_come_from_the_id_token(app: Watchword, issuer: LocalIssuer) -> None:
    issuer.profiles["eve"] = {"roles": ["staff"]}
    for subject, status in (("ada", 403), ("eve", 200)):
        async with browser(app, APP) as client:
            await sign_in(client, issuer, subject=subject)
            page = await client.get("/admin", headers=NAVIGATE)
            assert page.status_code == status
            if status == 403:
                assert "You cannot open this page" in page.text
                assert (await client.get("/admin")).json()["error"] == "insufficient_scope"


async def test_an_optional_login_lets_strangers_in_and_knows_friends(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        assert (await client.get("/feed")).json()["subject"] is None
        await sign_in(client, issuer)
        assert (await client.get("/feed")).json()["subject"] == "ada"


async def test_without_an_audience_every_path_is_for_browsers(issuer: LocalIssuer, clock: TurnableClock) -> None:
    app = login_app(issuer, clock, audience=None, rules=[Rule("/health", public=True)])
    async with browser(app, APP) as client:
        assert (await client.get("/health")).status_code == 200
        await sign_in(client, issuer)
        page = await client.get("/page", headers={"Authorization": "Basic from-a-proxy"})
        assert page.json()["subject"] == "ada"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        ({"Origin": APP}, 200),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://evil.app.test"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": APP}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://app.test:444"}, 403),
        ({"Origin": "http://app.test"}, 403),
        ({"Origin": "https://app.test.evil.test"}, 403),
        ({}, 403),
    ],
)
async def test_a_changing_request_must_come_from_this_very_origin(
    app: Watchword, issuer: LocalIssuer, headers: dict[str, str], status: int
) -> None:
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = await client.request(method, "/page", headers=headers)
            assert answer.status_code == status
            assert "www-authenticate" not in answer.headers


async def test_a_bearer_token_needs_no_origin(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        assert (await client.post("/page", headers=issuer.bearer())).status_code == 200


@pytest.mark.parametrize(("origin", "called"), [(APP, True), ("https://evil.test", False), (None, False)])
async def test_a_websocket_with_a_session_must_come_from_this_very_origin(
    app: Watchword, issuer: LocalIssuer, origin: str | None, called: bool
) -> None:
    calls: list[Any] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        calls.append(scope["watchword"].subject)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        assert message == {"type": "websocket.close", "code": 1008, "reason": ""}

    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        cookie = cookie_header(client)["Cookie"]
    app.app = note
    headers = [(b"cookie", cookie.encode())] + ([(b"origin", origin.encode())] if origin else [])
    await app({"type": "websocket", "path": "/live", "headers": headers, "query_string": b""}, receive, send)
    assert calls == (["ada"] if called else [])
