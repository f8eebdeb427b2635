import base64
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.middleware.browser_support import APP, NAVIGATE, changed, login_app, sign_in, start
from tests.middleware.support import TurnableClock, browser, fetches
from watchword_asgi import Watchword
from watchword_asgi.testing import LocalIssuer, generate_signing_key

Forge = Callable[[LocalIssuer, dict[str, Any]], str]


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


def _resigned(**changes: Any) -> Forge:
    """The right claims but for these, signed by the right key."""
    return lambda issuer, claims: issuer.sign(
        {name: value for name, value in {**claims, **changes}.items() if value is not None}, header={"typ": "JWT"}
    )


def _retyped(kind: str) -> Forge:
    return lambda issuer, claims: issuer.sign(claims, header={"typ": kind})


ID_TOKEN_FORGERIES: dict[str, Forge] = {
    "another nonce": _resigned(nonce="other"),
    "no nonce": _resigned(nonce=None),
    "another client": _resigned(aud="other"),
    "several audiences without azp": _resigned(aud=["web", "other"]),
    "azp of another client": _resigned(azp="other"),
    "another issuer": _resigned(iss="https://evil.test"),
    "expired": _resigned(exp=1000),
    "no exp": _resigned(exp=None),
    "no iat": _resigned(iat=None),
    "issued in the future": _resigned(iat=4102444800, exp=4102448400),
    "not valid yet": _resigned(nbf=4102444800, exp=4102448400),
    "no sub": _resigned(sub=None),
    "the hash of another access token": _resigned(at_hash="x" * 22),
    "type of an access token": _retyped("at+jwt"),
    "type of a logout token": _retyped("logout+jwt"),
    "type of an event": _retyped("secevent+jwt"),
    "no signature": lambda issuer, claims: issuer.sign(claims, header={"typ": "JWT"}).rpartition(".")[0] + ".",
    "alg none": lambda issuer, claims: issuer.sign(claims, header={"typ": "JWT", "alg": "none"}),
    "a foreign key": lambda issuer, claims: issuer.sign(
        claims, key=generate_signing_key("ES256", issuer.keys[0].kid), header={"typ": "JWT"}
    ),
}
GOOD_ID_TOKENS: dict[str, Forge] = {
    "as it was": _resigned(),
    "without a type": lambda issuer, claims: issuer.sign(claims, header={"typ": None}),
    "several audiences with azp": _resigned(aud=["other", "web"], azp="web"),
    "without at_hash": _resigned(at_hash=None),
}


async def sign_in_with(issuer: LocalIssuer, clock: TurnableClock, forge: Forge) -> int:
    """Sign in at a provider whose ID token is exchanged for another; the status of opening a page afterwards."""

    async def respond(request: httpx2.Request) -> httpx2.Response:
        answer = await issuer.respond(request)
        if request.url.path != "/token":
            return answer
        members = answer.json()
        payload = members["id_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) & 3)))
        return httpx2.Response(200, json={**members, "id_token": forge(issuer, claims)})

    async with browser(login_app(issuer, clock, http=httpx2.MockTransport(respond)), APP) as client:
        await sign_in(client, issuer)
        return (await client.get("/page", headers=NAVIGATE)).status_code


@pytest.mark.parametrize("name", ID_TOKEN_FORGERIES)
async def test_a_forged_id_token_signs_nobody_in(issuer: LocalIssuer, clock: TurnableClock, name: str) -> None:
    assert await sign_in_with(issuer, clock, ID_TOKEN_FORGERIES[name]) == 303


@pytest.mark.parametrize("name", GOOD_ID_TOKENS)
async def test_a_good_id_token_in_another_dress_signs_in(issuer: LocalIssuer, clock: TurnableClock, name: str) -> None:
    assert await sign_in_with(issuer, clock, GOOD_ID_TOKENS[name]) == 200


@pytest.mark.parametrize("hostile", ["//evil.test", "@evil.test", ".evil.test", "https://evil.test", "/auth/logout"])
async def test_a_login_link_from_elsewhere_cannot_choose_where_it_ends(
    app: Watchword, issuer: LocalIssuer, hostile: str
) -> None:
    async with browser(app, APP) as client:
        begun = await client.get("/auth/login", params={"return_to": hostile}, headers=NAVIGATE)
        back = await client.get(issuer.sign_in(begun.headers["location"]), headers=NAVIGATE)
    assert back.headers["location"] == f"{APP}/"
