import logging

import httpx2
import pytest

from tests.middleware.browser_support import APP, KEY, NAVIGATE, SAME_ORIGIN, login_app, start
from tests.middleware.hostile import HOSTILE
from tests.middleware.support import TurnableClock, browser, get, protect
from watchword_asgi.testing import LocalIssuer


async def test_no_token_code_or_cookie_reaches_a_log(
    issuer: LocalIssuer, clock: TurnableClock, caplog: pytest.LogCaptureFixture
) -> None:
    secrets: set[str] = {KEY, "s3cret:%"}

    async def respond(request: httpx2.Request) -> httpx2.Response:
        answer = await issuer.respond(request)
        if request.url.path == "/token" and answer.status_code == 200:
            secrets.update(answer.json()[name] for name in ("access_token", "refresh_token", "id_token"))
        return answer

    caplog.set_level(logging.DEBUG)
    async with browser(login_app(issuer, clock, http=httpx2.MockTransport(respond)), APP) as client:
        callback = httpx2.URL(issuer.sign_in(await start(client)))
        secrets.update(callback.params[name] for name in ("code", "state"))
        secrets.update(client.cookies.values())
        # Only what the middleware and its own client log: the test's browser logs the addresses it visits.
        caplog.clear()
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        try:
            await client.get(callback, headers=NAVIGATE)
            secrets.update(client.cookies.values())
            clock.turn(15 * 60)
            await client.get("/page", headers=NAVIGATE)
            issuer.revoke_refresh_tokens()
            clock.turn(15 * 60)
            await client.get("/page", headers=NAVIGATE)
            await client.get(callback, headers=NAVIGATE)
            await client.post("/auth/logout", headers=SAME_ORIGIN)
        finally:
            logging.getLogger("httpx2").setLevel(logging.NOTSET)
    assert len(secrets) > 8
    assert not [secret for secret in secrets if secret in caplog.text]


async def test_no_part_of_a_refused_token_reaches_a_log_or_the_answer(
    issuer: LocalIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = protect(issuer)
    for case in HOSTILE:
        token = case.forge(issuer)
        if token.isascii() and token.isprintable() and " " not in token and len(token) > 100:
            answer = await get(app, headers={"Authorization": f"Bearer {token}"})
            parts = [part for part in token.split(".") if len(part) > 20]
            assert not [part for part in parts if part in caplog.text or part in answer.text], case.name


async def test_what_the_app_s_own_client_logs_holds_no_secret(
    issuer: LocalIssuer, clock: TurnableClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = protect(issuer, clock=clock.clock)
    token = issuer.token()
    await get(app, headers={"Authorization": f"Bearer {token}"})
    assert "id.test" in caplog.text
    assert token.rpartition(".")[2] not in caplog.text
