import httpx2
import pytest

from tests.middleware.browser_support import APP, KEY, NAVIGATE, cookie_header, login_app, sign_in
from tests.middleware.support import TurnableClock, browser
from watchword_asgi import MemoryStore, Watchword
from watchword_asgi.testing import LocalIssuer


async def test_cookies_over_https_are_bound_to_the_host(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        back = await sign_in(client, issuer)
    for cookie in back.headers.get_list("set-cookie"):
        assert cookie.startswith("__Host-watchword_")
        assert cookie.endswith("; HttpOnly; SameSite=Lax; Secure")
        assert "; Path=/;" in cookie
        assert "Domain" not in cookie


async def test_cookies_on_http_localhost_have_plain_names(issuer: LocalIssuer, clock: TurnableClock) -> None:
    local = "http://127.0.0.1:9001"
    async with browser(login_app(issuer, clock, base_url=local), local) as client:
        back = await sign_in(client, issuer)
        assert all(
            each.startswith("watchword_") and "Secure" not in each for each in back.headers.get_list("set-cookie")
        )
        assert (await client.get("/page", headers=NAVIGATE)).json()["subject"] == "ada"


async def test_two_apps_on_one_host_do_not_take_each_others_session(issuer: LocalIssuer, clock: TurnableClock) -> None:
    names = []
    for client_id in ("web", "other"):
        async with browser(login_app(issuer, clock, client_id=client_id), APP) as client:
            await sign_in(client, issuer)
            names.append(set(client.cookies.keys()))
    assert names[0].isdisjoint(names[1])


async def test_nothing_of_the_session_can_be_read_or_changed_in_the_browser(
    app: Watchword, issuer: LocalIssuer
) -> None:
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        (name, value), *_ = client.cookies.items()
        assert "ada" not in value
        forged = value[:-6] + ("A" * 6)
        client.cookies.clear()
        answer = await client.get("/page", headers={**NAVIGATE, "Cookie": f"{name}={forged}"})
        assert answer.status_code == 303


async def test_old_cookie_keys_still_open_and_dropped_ones_do_not(issuer: LocalIssuer, clock: TurnableClock) -> None:
    new = "a new key that is long enough, 0123456789"
    async with browser(login_app(issuer, clock), APP) as client:
        await sign_in(client, issuer)
        jar = dict(client.cookies)
    for keys, status in (([new, KEY], 200), ([new], 303)):
        async with browser(login_app(issuer, clock, cookie_keys=keys), APP) as client:
            client.cookies.update(jar)
            assert (await client.get("/page", headers=NAVIGATE)).status_code == status


async def test_a_large_session_is_cut_into_cookies_a_browser_can_hold(app: Watchword, issuer: LocalIssuer) -> None:
    issuer.profiles["ada"] = {"roles": [f"role-{number}" for number in range(300)]}
    async with browser(app, APP) as client:
        back = await sign_in(client, issuer)
        cookies = [each for each in back.headers.get_list("set-cookie") if "_session" in each]
        assert len(cookies) in (2, 3)
        assert all(len(each) <= 3900 for each in cookies)
        assert (await client.get("/page", headers=NAVIGATE)).json()["subject"] == "ada"
        pieces = [name for name in client.cookies if name.endswith("_1")]
        client.cookies.delete(pieces[0])
        assert (await client.get("/page", headers=NAVIGATE)).status_code == 303
    issuer.profiles["ada"] = {}
    async with browser(app, APP) as client:
        client.cookies.set(pieces[0], "left over")
        back = await sign_in(client, issuer)
        assert f"{pieces[0]}=; Path=/; Max-Age=0" in str(back.headers.get_list("set-cookie"))


async def test_a_session_too_large_for_five_cookies_says_so(
    issuer: LocalIssuer, clock: TurnableClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def respond(request: httpx2.Request) -> httpx2.Response:
        answer = await issuer.respond(request)
        if request.url.path == "/token":
            return httpx2.Response(200, json={**answer.json(), "refresh_token": "r" * 20000})
        return answer

    async with browser(login_app(issuer, clock, http=httpx2.MockTransport(respond)), APP) as client:
        back = await sign_in(client, issuer)
    assert back.status_code == 500
    assert "give Login a store" in caplog.text


async def test_with_a_store_the_cookie_holds_an_id_only(issuer: LocalIssuer, clock: TurnableClock) -> None:
    issuer.profiles["ada"] = {"roles": [f"role-{number}" for number in range(300)]}
    app = login_app(issuer, clock, store=MemoryStore(clock.now))
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        (_, value), *more = client.cookies.items()
        assert len(value) < 100
        assert not more
        assert (await client.get("/page", headers=NAVIGATE)).json()["subject"] == "ada"
        clock.turn(24 * 3600)
        assert (await client.get("/page", headers=NAVIGATE)).status_code == 303


async def test_a_session_ends_with_its_lifetime(issuer: LocalIssuer, clock: TurnableClock) -> None:
    async with browser(login_app(issuer, clock), APP) as client:
        await sign_in(client, issuer)
        kept = cookie_header(client)
        clock.turn(24 * 3600)
        answer = await client.get("/page", headers=NAVIGATE | kept)
    assert answer.status_code == 303


async def test_a_login_makes_a_new_session_and_ends_the_one_before(issuer: LocalIssuer, clock: TurnableClock) -> None:
    async with browser(login_app(issuer, clock), APP) as client:
        await sign_in(client, issuer)
        before = NAVIGATE | cookie_header(client)
        login = await client.get("/auth/login?return_to=/page", headers=NAVIGATE)
        await client.get(issuer.sign_in(login.headers["location"], subject="bob"), headers=NAVIGATE)
        assert (await client.get("/page", headers=NAVIGATE)).json()["subject"] == "bob"
        client.cookies.clear()
        assert (await client.get("/page", headers=before)).status_code == 303
