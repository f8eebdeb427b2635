"""The demo apps by themselves, with an issuer in memory: what they answer when something is wrong."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from demo_apps.notes_api import app as notes_api
from demo_apps.notes_web.app import create_app
from demo_apps.notes_web.settings import Settings
from watchword_asgi.testing import LocalIssuer

API = "http://127.0.0.1:9002"
WEB = "http://127.0.0.1:9001"
SETTINGS = Settings(
    issuer="https://id.test",
    client_id="notes",
    client_secret="s" * 20,
    cookie_key="0123456789abcdefghijklmnopqrstuvwxyz",
    base_url=WEB,
    api_url=API,
)


@dataclass
class Network(httpx2.AsyncBaseTransport):
    """The issuer and the API, each at its address. `api_status` makes the API answer that, or nothing at all (0)."""

    issuer: LocalIssuer
    api: Any = None
    api_status: int | None = None
    revoked: bool = False
    asked: list[httpx2.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "id.test":
            if self.revoked and request.url.path == "/userinfo":
                return httpx2.Response(401)
            return await self.issuer.respond(request)
        self.asked.append(request)
        if self.api_status == 0:
            raise httpx2.ConnectError("nobody listens")
        if self.api_status is not None:
            return httpx2.Response(self.api_status)
        return await httpx2.ASGITransport(app=self.api).handle_async_request(request)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    monkeypatch.setenv("ISSUER", SETTINGS.issuer)
    monkeypatch.setenv("AUDIENCE", API)
    issuer = LocalIssuer(audience=API)
    issuer.profiles["ada"] = {"name": "Ada", "email": "ada@example.com", "email_verified": True}
    network = Network(issuer)
    network.api = notes_api.create_app(network)
    yield network
    notes_api.notebooks.clear()


@pytest.fixture
def api(network: Network) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=network.api), base_url=API)


@pytest.fixture
def browser(network: Network) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=create_app(SETTINGS, network))
    headers = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin"}
    return httpx2.AsyncClient(transport=transport, base_url=WEB, headers=headers)


async def sign_in(browser: httpx2.AsyncClient, network: Network) -> None:
    start = await browser.get("/auth/login", params={"return_to": "/notes"})
    back = await browser.get(network.issuer.sign_in(start.headers["location"]))
    assert urlsplit(back.headers["location"]).path == "/notes"


def bearer(network: Network, subject: str = "ada", scope: str = "openid notes:read notes:write") -> dict[str, str]:
    return network.issuer.bearer(subject=subject, scope=scope)


# ---- the API


async def test_notes_belong_to_the_subject_that_wrote_them(api: httpx2.AsyncClient, network: Network) -> None:
    written = await api.post("/notes", json={"text": " Milk "}, headers=bearer(network))
    assert written.status_code == 201
    assert (await api.get("/notes", headers=bearer(network))).json() == [written.json()]
    assert written.json()["text"] == "Milk"
    assert (await api.get("/notes", headers=bearer(network, subject="bob"))).json() == []


async def test_only_the_newest_hundred_notes_are_kept(api: httpx2.AsyncClient, network: Network) -> None:
    for number in range(101):
        await api.post("/notes", json={"text": str(number)}, headers=bearer(network))
    kept = (await api.get("/notes", headers=bearer(network))).json()
    assert [each["text"] for each in kept] == [str(number) for number in range(100, 0, -1)]


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "  "}, {"text": "x" * 501}, {"text": 1}, []])
async def test_a_note_without_a_good_text_is_refused(api: httpx2.AsyncClient, network: Network, body: Any) -> None:
    assert (await api.post("/notes", json=body, headers=bearer(network))).status_code == 422


@pytest.mark.parametrize(("method", "scope"), [("GET", "openid notes:write"), ("POST", "openid notes:read")])
async def test_each_call_needs_its_own_scope(
    api: httpx2.AsyncClient, network: Network, method: str, scope: str
) -> None:
    answer = await api.request(method, "/notes", json={"text": "Milk"}, headers=bearer(network, scope=scope))
    assert answer.status_code == 403
    assert "insufficient_scope" in answer.headers["www-authenticate"]


async def test_a_token_for_another_api_is_refused(api: httpx2.AsyncClient, network: Network) -> None:
    foreign = network.issuer.bearer(aud="https://another.example", scope="notes:read")
    assert (await api.get("/notes", headers=foreign)).status_code == 401


async def test_me_tells_what_userinfo_says(api: httpx2.AsyncClient, network: Network) -> None:
    answer = await api.get("/me", headers=bearer(network))
    assert answer.json() == {"sub": "ada", "name": "Ada", "email": "ada@example.com", "email_verified": True}


async def test_me_is_401_once_the_grant_is_over(api: httpx2.AsyncClient, network: Network) -> None:
    network.revoked = True
    answer = await api.get("/me", headers=bearer(network))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_me_is_503_while_the_provider_is_away(api: httpx2.AsyncClient, network: Network) -> None:
    assert (await api.get("/notes", headers=bearer(network))).status_code == 200  # the keys are known by now
    network.issuer.outage = 503
    answer = await api.get("/me", headers=bearer(network))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


# ---- the web app


async def test_a_stranger_is_welcomed_and_sent_to_sign_in_for_the_notes(browser: httpx2.AsyncClient) -> None:
    welcome = await browser.get("/")
    assert welcome.status_code == 200
    assert 'href="/auth/login?return_to=/notes"' in welcome.text
    assert "development mailbox" not in welcome.text
    notes = await browser.get("/notes")
    assert notes.status_code == 303
    assert "/auth/login" in notes.headers["location"]


async def test_a_page_allows_no_script_and_forms_lead_here_or_to_the_provider(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' https://id.test;" in policy
    assert "script-src" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_person_is_shown_and_the_api_is_called_with_their_token(
    browser: httpx2.AsyncClient, network: Network
) -> None:
    await sign_in(browser, network)
    assert (await browser.get("/")).headers["location"] == "/notes"
    assert (await browser.post("/notes", data={"text": "Milk & <b>honey</b>"})).status_code == 303
    page = await browser.get("/notes")
    assert "ada@example.com" in page.text
    assert "Milk &amp; &lt;b&gt;honey&lt;/b&gt;" in page.text
    [note] = notes_api.notebooks["ada"]
    assert note.text == "Milk & <b>honey</b>"
    token = network.asked[-1].headers["authorization"].removeprefix("Bearer ")
    assert token not in page.text


async def test_a_person_of_whom_only_the_subject_is_known_is_shown_too(
    browser: httpx2.AsyncClient, network: Network
) -> None:
    network.issuer.profiles.clear()
    await sign_in(browser, network)
    page = await browser.get("/notes")
    assert page.status_code == 200
    assert "verified</span>" not in page.text


@pytest.mark.parametrize(
    ("api_status", "status", "said"), [(0, 503, "cannot be reached"), (401, 502, "401"), (500, 502, "500")]
)
async def test_a_note_stays_in_the_field_when_the_api_does_not_take_it(
    browser: httpx2.AsyncClient, network: Network, api_status: int, status: int, said: str
) -> None:
    await sign_in(browser, network)
    network.api_status = api_status
    page = await browser.post("/notes", data={"text": "Milk"})
    assert page.status_code == status
    assert said in page.text
    assert ">Milk</textarea>" in page.text
    assert (await browser.get("/notes")).status_code == status


@pytest.mark.parametrize("body", [b"", b"text=", b"other=1", b"text=" + b"x" * 9000, b"text=%FF%FE" + b"x" * 600])
async def test_a_form_without_a_good_note_is_refused(
    browser: httpx2.AsyncClient, network: Network, body: bytes
) -> None:
    await sign_in(browser, network)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    page = await browser.post("/notes", content=body, headers=headers)
    assert page.status_code == 422
    assert "1 to 500 characters" in page.text


async def test_a_form_sent_by_another_site_adds_nothing(browser: httpx2.AsyncClient, network: Network) -> None:
    await sign_in(browser, network)
    answer = await browser.post("/notes", data={"text": "Milk"}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert not notes_api.notebooks["ada"]


async def test_a_sign_in_that_the_provider_has_ended_is_told_and_can_be_renewed(
    browser: httpx2.AsyncClient, network: Network
) -> None:
    await sign_in(browser, network)
    network.revoked = True
    page = await browser.get("/notes")
    assert page.status_code == 401
    assert "Your sign-in has ended" in page.text
    assert 'href="/auth/login?return_to=/notes"' in page.text


async def test_a_provider_that_is_away_is_told(browser: httpx2.AsyncClient, network: Network) -> None:
    await sign_in(browser, network)
    network.issuer.outage = 503
    page = await browser.get("/notes")
    assert page.status_code == 503
    assert "The provider does not answer" in page.text


def test_settings_never_show_their_secrets() -> None:
    assert SETTINGS.client_secret not in repr(SETTINGS)
    assert SETTINGS.cookie_key not in repr(SETTINGS)
