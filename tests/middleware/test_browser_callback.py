from typing import Any

import httpx2
import pytest

from tests.middleware.browser_support import APP, NAVIGATE, changed, login_app, sign_in, start
from tests.middleware.support import TurnableClock, browser, fetches
from watchword_asgi import Watchword
from watchword_asgi.testing import LocalIssuer, generate_signing_key


async def test_parallel_logins_in_two_tabs_both_end_well(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        first, second = await start(client, "/one"), await start(client, "/two")
        for address, page in ((second, "/two"), (first, "/one")):
            back = await client.get(issuer.sign_in(address), headers=NAVIGATE)
            assert back.headers["location"] == APP + page


async def test_of_many_unfinished_logins_the_five_last_can_be_finished(
    app: Watchword, issuer: LocalIssuer, clock: TurnableClock
) -> None:
    addresses = []
    async with browser(app, APP) as client:
        for _ in range(7):
            addresses.append(await start(client))
            clock.turn(1)
        assert len(client.cookies) == 5
        statuses = []
        for address in addresses:
            statuses.append((await client.get(issuer.sign_in(address), headers=NAVIGATE)).status_code)
            for name in [each for each in client.cookies if "_session" in each]:
                client.cookies.delete(name)
    assert statuses == [400, 400, 303, 303, 303, 303, 303]


async def test_a_login_that_takes_longer_than_ten_minutes_starts_again(
    app: Watchword, issuer: LocalIssuer, clock: TurnableClock
) -> None:
    async with browser(app, APP) as client:
        address = await start(client)
        clock.turn(601)
        back = await client.get(issuer.sign_in(address), headers=NAVIGATE)
    assert back.status_code == 400
    assert '<a href="/auth/login?return_to=/">Start again</a>' in back.text


async def test_the_back_button_after_a_login_leads_home(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        callback = issuer.sign_in(await start(client))
        await client.get(callback, headers=NAVIGATE)
        again = await client.get(callback, headers=NAVIGATE)
        assert (again.status_code, again.headers["location"]) == (303, f"{APP}/")


async def test_a_callback_in_another_browser_signs_nobody_in(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as attacker, browser(app, APP) as victim:
        callback = issuer.sign_in(await start(attacker), subject="eve")
        await start(victim)
        assert (await victim.get(callback, headers=NAVIGATE)).status_code == 400
        assert (await victim.get("/page", headers=NAVIGATE)).status_code == 303
    assert fetches(issuer, "/token") == 0


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"state": "another"}, 400),
        ({"state": None}, 400),
        ({"iss": None}, 400),
        ({"iss": "https://evil.test"}, 400),
        ({"iss": "https://id.test/"}, 400),
        ({"code": None}, 400),
        ({"code": "another"}, 400),
        ({"error": "access_denied"}, 400),
        ({"error": "<script>alert(1)</script>", "code": None}, 400),
    ],
)
async def test_a_callback_that_is_not_in_order_shows_a_page_and_signs_nobody_in(
    app: Watchword, issuer: LocalIssuer, changes: dict[str, str | None], status: int
) -> None:
    async with browser(app, APP) as client:
        back = await client.get(changed(issuer.sign_in(await start(client)), **changes), headers=NAVIGATE)
        assert back.status_code == status
        assert "Start again" in back.text
        assert "<script" not in back.text
        assert back.headers["content-security-policy"].startswith("default-src 'none'")
        assert (await client.get("/page", headers=NAVIGATE)).status_code == 303


async def test_a_parameter_that_comes_twice_signs_nobody_in(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        back = await client.get(issuer.sign_in(await start(client)) + "&code=other", headers=NAVIGATE)
    assert back.status_code == 400
    assert fetches(issuer, "/token") == 0


async def test_a_provider_that_does_not_announce_iss_may_leave_it_out(app: Watchword, issuer: LocalIssuer) -> None:
    issuer.metadata = {"authorization_response_iss_parameter_supported": False}
    async with browser(app, APP) as client:
        back = await client.get(changed(issuer.sign_in(await start(client)), iss=None), headers=NAVIGATE)
    assert back.status_code == 303


async def test_an_outage_of_the_provider_is_a_page_that_can_be_tried_again(
    app: Watchword, issuer: LocalIssuer, clock: TurnableClock
) -> None:
    async with browser(app, APP) as client:
        issuer.outage = 503
        answer = await client.get("/auth/login", headers=NAVIGATE)
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        assert "text/html" in answer.headers["content-type"]
        issuer.outage = None
        clock.turn(2)
        address = await start(client)
        callback = issuer.sign_in(address)
        issuer.outage = 500
        assert (await client.get(callback, headers=NAVIGATE)).status_code == 503
        issuer.outage = None
        assert (await client.get(callback, headers=NAVIGATE)).status_code == 303


@pytest.mark.parametrize(
    "change",
    [
        {"id_token": None},
        {"id_token": 5},
        {"id_token": "a.b.c"},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": "é"},
        {"token_type": "DPoP"},
        {"expires_in": "soon"},
        {"expires_in": -1},
        {"expires_in": True},
        {"scope": ["openid"]},
        {"refresh_token": {}},
        {"access_token": "another-than-at_hash-says"},
    ],
)
async def test_a_token_response_that_is_not_in_order_signs_nobody_in(
    issuer: LocalIssuer, clock: TurnableClock, change: dict[str, Any]
) -> None:
    async def respond(request: httpx2.Request) -> httpx2.Response:
        answer = await issuer.respond(request)
        return httpx2.Response(200, json={**answer.json(), **change}) if request.url.path == "/token" else answer

    app = login_app(issuer, clock, http=httpx2.MockTransport(respond))
    async with browser(app, APP) as client:
        back = await sign_in(client, issuer)
        assert back.status_code in (400, 503)
        assert not [name for name in client.cookies if "_session" in name]


ID_TOKEN_FORGERIES: dict[str, Any] = {
    "wrong nonce": lambda i, t: i.id_token(client_id="web", nonce="other", access_token=t),
    "no nonce": lambda i, t: i.id_token(client_id="web", access_token=t),
    "another client": lambda i, t: i.id_token(client_id="other", nonce=t, access_token=t),
    "several audiences without azp": lambda i, t: i.id_token(aud=["web", "other"], access_token=t),
    "azp of another client": lambda i, t: i.id_token(client_id="web", azp="other", access_token=t),
    "another issuer": lambda i, t: i.id_token(client_id="web", iss="https://evil.test"),
    "expired": lambda i, t: i.id_token(client_id="web", exp=1000),
    "no exp": lambda i, t: i.id_token(client_id="web", exp=None),
    "no iat": lambda i, t: i.id_token(client_id="web", iat=None),
    "issued in the future": lambda i, t: i.id_token(client_id="web", iat=4102444800, exp=4102448400),
    "no sub": lambda i, t: i.id_token(client_id="web", sub=None),
    "an access token": lambda i, t: i.token(aud="web", client_id="web"),
    "a logout token": lambda i, t: i.sign({"iss": i.issuer, "aud": "web", "sub": "ada"}, header={"typ": "logout+jwt"}),
    "unsigned": lambda i, t: i.id_token(client_id="web", nonce="n").rpartition(".")[0] + ".",
    "a foreign key": lambda i, t: i.sign({}, key=generate_signing_key("ES256", i.keys[0].kid), header={"typ": "JWT"}),
}


@pytest.mark.parametrize("name", ID_TOKEN_FORGERIES)
async def test_a_forged_id_token_signs_nobody_in(issuer: LocalIssuer, clock: TurnableClock, name: str) -> None:
    async def respond(request: httpx2.Request) -> httpx2.Response:
        answer = await issuer.respond(request)
        if request.url.path != "/token":
            return answer
        members = answer.json()
        return httpx2.Response(
            200, json={**members, "id_token": ID_TOKEN_FORGERIES[name](issuer, members["access_token"])}
        )

    async with browser(login_app(issuer, clock, http=httpx2.MockTransport(respond)), APP) as client:
        back = await sign_in(client, issuer)
        assert back.status_code == 400
        assert (await client.get("/page", headers=NAVIGATE)).status_code == 303
