import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.middleware.browser_support import (
    APP,
    NAVIGATE,
    SAME_ORIGIN,
    cookie_header,
    login_app,
    sign_in,
)
from tests.middleware.support import GatedTransport, TurnableClock, browser
from watchword_asgi import Watchword
from watchword_asgi.testing import LocalIssuer


async def test_signing_out_ends_the_session_here_and_goes_to_the_provider(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        old = NAVIGATE | cookie_header(client)
        answer = await client.post("/auth/logout", headers=SAME_ORIGIN)
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("https://id.test/logout?")
        assert query["client_id"] == ["web"]
        assert query["post_logout_redirect_uri"] == [f"{APP}/"]
        assert query["id_token_hint"][0].count(".") == 2
        assert not client.cookies
        assert (await client.get("/page", headers=old)).status_code == 303


async def test_a_link_to_logout_asks_first(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        page = await client.get("/auth/logout", headers=NAVIGATE)
        assert '<form method="post" action="/auth/logout">' in page.text
        assert (await client.get("/page", headers=NAVIGATE)).status_code == 200


async def test_another_site_cannot_sign_anybody_out(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        answer = await client.post("/auth/logout", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
        assert (await client.get("/page", headers=NAVIGATE)).status_code == 200


async def test_an_answer_still_on_its_way_does_not_undo_a_logout(issuer: LocalIssuer, clock: TurnableClock) -> None:
    slow = GatedTransport(issuer)
    slow.gate.set()
    async with browser(login_app(issuer, clock, http=slow), APP) as client:
        await sign_in(client, issuer)
        jar = dict(client.cookies)
        clock.turn(15 * 60)
        slow.gate.clear()
        slow.arrived.clear()
        late = asyncio.create_task(client.get("/page", headers=NAVIGATE))
        await slow.arrived.wait()
        async with browser(client._transport.app, APP) as tab:  # type: ignore[attr-defined]
            tab.cookies.update(jar)
            await tab.post("/auth/logout", headers=SAME_ORIGIN)
        slow.gate.set()
        assert "set-cookie" not in (await late).headers


@pytest.mark.parametrize("broken", ["no endpoint", "outage"])
async def test_without_a_logout_endpoint_the_session_ends_here_alone(
    issuer: LocalIssuer, clock: TurnableClock, broken: str
) -> None:
    if broken == "no endpoint":
        issuer.metadata = {"end_session_endpoint": None}
    async with browser(login_app(issuer, clock, after_logout="/bye"), APP) as client:
        await sign_in(client, issuer)
        if broken == "outage":
            issuer.outage = 503
            clock.turn(23 * 3600)
        answer = await client.post("/auth/logout", headers=SAME_ORIGIN)
        if broken == "no endpoint":
            assert answer.headers["location"] == f"{APP}/bye"
        assert not client.cookies


async def test_signing_out_twice_is_no_error(app: Watchword) -> None:
    async with browser(app, APP) as client:
        assert (await client.post("/auth/logout", headers=SAME_ORIGIN)).headers["location"] == f"{APP}/"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/auth/login", 405),
        ("POST", "/auth/callback", 405),
        ("PUT", "/auth/logout", 405),
        ("GET", "/auth/x", 404),
    ],
)
async def test_the_prefix_answers_nothing_else(app: Watchword, method: str, path: str, status: int) -> None:
    async with browser(app, APP) as client:
        assert (await client.request(method, path)).status_code == status


async def test_the_prefix_can_be_moved(issuer: LocalIssuer, clock: TurnableClock) -> None:
    async with browser(login_app(issuer, clock, prefix="/my/door"), APP) as client:
        back = await sign_in(client, issuer)
        assert back.headers["location"] == f"{APP}/page?x=1"
        assert (await client.get("/auth/login", headers=SAME_ORIGIN)).json()["path"] == "/auth/login"


async def test_an_app_below_a_path_keeps_to_it(issuer: LocalIssuer, clock: TurnableClock) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    outer = Starlette(routes=[Mount("/shop", app=login_app(issuer, clock, base_url=f"{APP}/shop"))])
    async with browser(outer, APP) as client:
        back = await sign_in(client, issuer, "/shop/cart")
        assert back.headers["location"] == f"{APP}/shop/cart"
        assert (await client.get("/shop/cart", headers=NAVIGATE)).json()["subject"] == "ada"
