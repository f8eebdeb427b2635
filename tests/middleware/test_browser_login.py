from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.middleware.browser_support import APP, NAVIGATE, login_app, sign_in, start
from tests.middleware.support import TurnableClock, browser, echo_app, fetches, protect
from watchword_asgi import Rule, Watchword
from watchword_asgi.testing import LocalIssuer


async def test_a_person_is_sent_to_sign_in_and_comes_back_to_the_page(app: Watchword, issuer: LocalIssuer) -> None:
    async with browser(app, APP) as client:
        back = await sign_in(client, issuer)
        assert (back.status_code, back.headers["location"]) == (303, f"{APP}/page?x=1")
        page = await client.get("/page?x=1", headers=NAVIGATE)
        assert page.json()["subject"] == "ada"
        assert page.json()["access_token"] is True


async def test_the_authorization_request_carries_state_nonce_and_pkce(app: Watchword) -> None:
    async with browser(app, APP) as client:
        address = await start(client)
    query = parse_qs(urlsplit(address).query)
    assert address.startswith("https://id.test/authorize?")
    assert query["response_type"] == ["code"]
    assert query["client_id"] == ["web"]
    assert query["redirect_uri"] == [f"{APP}/auth/callback"]
    assert query["scope"] == ["openid profile email phone"]
    assert query["code_challenge_method"] == ["S256"]
    assert all(len(query[name][0]) >= 43 for name in ("state", "nonce", "code_challenge"))
    assert "resource" not in query


async def test_a_resource_is_asked_for_and_the_api_takes_the_token(issuer: LocalIssuer, clock: TurnableClock) -> None:
    app = login_app(issuer, clock, resource=issuer.audience, scope="openid notes:read")
    seen: list[str] = []

    async def show(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["watchword"].access_token)
        await echo_app(scope, receive, send)

    app.app = show
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        await client.get("/page", headers=NAVIGATE)
    async with browser(protect(issuer, rules=[Rule("*", scopes="notes:read")], clock=clock.clock)) as api:
        answer = await api.get("/notes", headers={"Authorization": f"Bearer {seen[0]}"})
    assert answer.json()["subject"] == "ada"


async def test_a_session_knows_the_profile_from_userinfo(issuer: LocalIssuer, clock: TurnableClock) -> None:
    issuer.profiles["ada"] = {"email": "ada@example.test", "roles": ["staff"]}
    app = login_app(issuer, clock)
    profiles: list[Any] = []

    async def show(scope: Any, receive: Any, send: Any) -> None:
        profiles.append(await scope["watchword"].userinfo())
        await echo_app(scope, receive, send)

    app.app = show
    async with browser(app, APP) as client:
        await sign_in(client, issuer)
        await client.get("/page", headers=NAVIGATE)
        await client.get("/page", headers=NAVIGATE)
    assert [profile["email"] for profile in profiles] == ["ada@example.test"] * 2
    assert fetches(issuer, "/userinfo") == 1


async def test_a_public_client_proves_itself_by_pkce_alone(issuer: LocalIssuer, clock: TurnableClock) -> None:
    bodies: list[httpx2.Request] = []

    async def respond(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/token":
            bodies.append(request)
        return await issuer.respond(request)

    for secret in (None, "s3cret:%"):
        app = login_app(issuer, clock, client_secret=secret, http=httpx2.MockTransport(respond))
        async with browser(app, APP) as client:
            assert (await sign_in(client, issuer)).status_code == 303
    public, confidential = bodies
    assert "authorization" not in public.headers
    assert b"client_id=web" in public.content
    assert confidential.headers["authorization"] == "Basic d2ViOnMzY3JldCUzQSUyNQ=="  # web:s3cret%3A%25
    assert b"client_id" not in confidential.content


@pytest.mark.parametrize(
    ("methods", "in_form"),
    [
        (["client_secret_post"], True),
        (["private_key_jwt", "client_secret_post"], True),
        (["client_secret_post", "client_secret_basic"], False),
        (["private_key_jwt"], False),
        (None, False),
        ("client_secret_post", False),
    ],
)
async def test_the_secret_goes_into_the_form_where_the_provider_takes_no_other_way(
    clock: TurnableClock, methods: object, in_form: bool
) -> None:
    issuer = LocalIssuer(now=clock.now)
    issuer.metadata["token_endpoint_auth_methods_supported"] = methods
    sent: list[httpx2.Request] = []

    async def listen(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return await issuer.respond(request)

    app = login_app(issuer, clock, http=httpx2.MockTransport(listen))
    async with browser(app, APP) as client:
        assert (await sign_in(client, issuer)).status_code == 303
    (request,) = [each for each in sent if each.url.path == "/token"]
    assert (b"client_secret=s3cret%3A%25" in request.content) is in_form
    assert ("authorization" in request.headers) is not in_form
