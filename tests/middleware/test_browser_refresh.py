import asyncio
from typing import Any

import httpx2
import pytest

from tests.middleware.browser_support import (
    APP,
    NAVIGATE,
    login_app,
    sign_in,
)
from tests.middleware.support import GatedTransport, TurnableClock, browser, fetches
from watchword_asgi import MemoryStore, Watchword
from watchword_asgi.testing import LocalIssuer


async def test_an_expired_access_token_is_refreshed_unnoticed(
    app: Watchword, issuer: LocalIssuer, clock: TurnableClock
) -> None:
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        before = dict(client.cookies)
        clock.turn(15 * 60)
        page = await client.get("/page", headers=NAVIGATE)
        assert page.json() == {**page.json(), "subject": "ada", "access_token": True}
        assert page.headers["cache-control"] == "no-store"
        assert dict(client.cookies) != before
        assert fetches(issuer, "/token") == 2
        await client.get("/page", headers=NAVIGATE)
        assert fetches(issuer, "/token") == 2


async def test_twenty_requests_with_one_expired_session_refresh_once(issuer: LocalIssuer, clock: TurnableClock) -> None:
    slow = GatedTransport(issuer)
    slow.gate.set()
    app = login_app(issuer, clock, http=slow)
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        jar = dict(client.cookies)
        clock.turn(15 * 60)
        slow.gate.clear()
        slow.arrived.clear()

        async def visit() -> Any:
            async with browser(app, APP) as tab:
                tab.cookies.update(jar)
                return await tab.get("/page", headers=NAVIGATE)

        waiting = [asyncio.create_task(visit()) for _ in range(20)]
        await slow.arrived.wait()
        slow.gate.set()
        answers = await asyncio.gather(*waiting)
        assert {answer.status_code for answer in answers} == {200}
        assert all("set-cookie" in answer.headers for answer in answers)
        clock.turn(29)
        assert (await visit()).status_code == 200
    assert fetches(issuer, "/token") == 2


async def test_two_processes_with_one_store_refresh_once(issuer: LocalIssuer, clock: TurnableClock) -> None:
    store = MemoryStore(clock.now)
    apps = [login_app(issuer, clock, store=store) for _ in range(2)]
    async with browser(apps[0], APP) as client:
        await sign_in(client, issuer)
        jar = dict(client.cookies)
    clock.turn(15 * 60)

    async def visit(app: Watchword) -> Any:
        async with browser(app, APP) as tab:
            tab.cookies.update(jar)
            return await tab.get("/page", headers=NAVIGATE)

    answers = await asyncio.gather(*(visit(app) for app in apps * 10))
    assert {answer.status_code for answer in answers} == {200}
    assert fetches(issuer, "/token") == 2


async def test_while_the_provider_is_down_the_session_stays(
    app: Watchword, issuer: LocalIssuer, clock: TurnableClock
) -> None:
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        clock.turn(15 * 60)
        issuer.outage = 503
        page = await client.get("/page", headers=NAVIGATE)
        assert (page.json()["subject"], page.json()["access_token"]) == ("ada", False)
        asked = fetches(issuer, "/token")
        await client.get("/page", headers=NAVIGATE)
        assert fetches(issuer, "/token") == asked
        issuer.outage = None
        clock.turn(5)
        assert (await client.get("/page", headers=NAVIGATE)).json()["access_token"] is True


@pytest.mark.parametrize("with_store", [False, True])
async def test_a_session_ended_at_the_provider_ends_here(
    issuer: LocalIssuer, clock: TurnableClock, with_store: bool
) -> None:
    app = login_app(issuer, clock, store=MemoryStore(clock.now) if with_store else None)
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        issuer.revoke_refresh_tokens()
        clock.turn(15 * 60)
        answer = await client.get("/page", headers=NAVIGATE)
        assert answer.status_code == 303
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert not client.cookies


async def test_a_refresh_that_speaks_of_somebody_else_ends_the_session(
    issuer: LocalIssuer, clock: TurnableClock
) -> None:
    async def respond(request: httpx2.Request) -> httpx2.Response:
        answer = await issuer.respond(request)
        if request.url.path == "/token" and b"refresh_token" in request.content:
            return httpx2.Response(
                200, json={**answer.json(), "id_token": issuer.id_token(subject="eve", client_id="web")}
            )
        return answer

    async with browser(login_app(issuer, clock, http=httpx2.MockTransport(respond)), APP) as client:
        await sign_in(client, issuer)
        clock.turn(15 * 60)
        assert (await client.get("/page", headers=NAVIGATE)).status_code == 303
