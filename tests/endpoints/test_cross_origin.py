"""Which scripts in a browser may read which answers."""

import httpx2
import pytest

from tests.endpoints.people import a_code
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty, register
from watchword.protocol.origins import browser_origins

ORIGIN = "http://127.0.0.1:8999"
PUBLIC = ("/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
FOR_CLIENTS = {"/token": "POST", "/userinfo": "GET", "/revoke": "POST"}
CLOSED = ("/authorize", "/login", "/logout", "/consent", "/register", "/healthz", "/dev/mailbox.json", "/nowhere")
STRANGERS = (
    "null", "https://127.0.0.1:8999", "http://127.0.0.1:8998", "http://127.0.0.1:8", "http://127.0.0.1:8999.evil.example",
    "http://127.0.0.1:89990", "HTTP://127.0.0.1:8999", "http://127.0.0.1:8999/", "http://evil.example",
    "http://127.0.0.1:8999, http://evil.example", "*", "",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def spa(provider: RunningProvider, public: RelyingParty) -> RelyingParty:
    """A public client that every worker knows of."""
    provider.advance(6)
    return public


def cors(answer: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def ask(http: httpx2.Client, path: str, origin: str, method: str | None = None) -> httpx2.Response:
    return http.request(method or FOR_CLIENTS.get(path, "GET"), path, headers={"origin": origin})


def preflight(http: httpx2.Client, path: str, origin: str, method: str) -> httpx2.Response:
    wanted = {"access-control-request-method": method, "access-control-request-headers": "authorization"}
    return http.options(path, headers={"origin": origin, **wanted})


@pytest.mark.parametrize("path", PUBLIC)
@pytest.mark.parametrize("origin", [ORIGIN, "https://anybody.example", "null"])
def test_public_documents_are_for_every_script_without_credentials(http: httpx2.Client, path: str, origin: str) -> None:
    assert cors(ask(http, path, origin)) == {"access-control-allow-origin": "*"}
    assert preflight(http, path, origin, "GET").status_code == 204


@pytest.mark.parametrize("path", FOR_CLIENTS)
def test_a_public_clients_own_origin_may_read_even_a_refusal(http: httpx2.Client, path: str) -> None:
    answer = ask(http, path, ORIGIN)
    assert answer.status_code in {400, 401}
    assert cors(answer)["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("path", FOR_CLIENTS)
@pytest.mark.parametrize("origin", STRANGERS)
def test_null_and_look_alikes_get_no_header(http: httpx2.Client, path: str, origin: str) -> None:
    answer = ask(http, path, origin)
    assert not cors(answer)
    assert answer.headers["vary"] == "Origin"
    refused = preflight(http, path, origin, FOR_CLIENTS[path])
    assert (refused.status_code, cors(refused)) == (405, {})


def test_an_origin_given_twice_gets_no_header(http: httpx2.Client) -> None:
    answer = http.post("/token", headers=[("origin", ORIGIN), ("origin", ORIGIN)])
    assert not cors(answer)


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_everything_else_is_for_no_script(http: httpx2.Client, path: str, method: str) -> None:
    assert not cors(ask(http, path, ORIGIN, method))
    assert not cors(preflight(http, path, ORIGIN, method))


@pytest.mark.parametrize(("path", "method"), FOR_CLIENTS.items())
def test_a_preflight_says_exactly_what_may_be_sent(http: httpx2.Client, path: str, method: str) -> None:
    answer = preflight(http, path, ORIGIN, method)
    assert (answer.status_code, answer.content) == (204, b"")
    assert cors(answer) == {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-methods": "GET, POST" if path == "/userinfo" else "POST",
        "access-control-allow-headers": "Authorization, Content-Type",
        "access-control-max-age": "600",
        "access-control-expose-headers": "WWW-Authenticate, Retry-After, X-Request-Id",
    }


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "post"])
def test_a_preflight_for_another_method_is_refused(http: httpx2.Client, method: str) -> None:
    answer = preflight(http, "/token", ORIGIN, method)
    assert answer.status_code == 405


async def test_a_script_redeems_a_code_and_reads_its_person(http: httpx2.Client, spa: RelyingParty) -> None:
    code = await a_code(spa)
    form = {
        "grant_type": "authorization_code",
        "client_id": spa.client_id,
        "code": code,
        "redirect_uri": spa.redirect_uri,
        "code_verifier": spa.verifier,
    }
    answer = http.post("/token", data=form, headers={"origin": ORIGIN})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    headers = {"origin": ORIGIN, "authorization": f"Bearer {answer.json()['access_token']}"}
    assert http.get("/userinfo", headers=headers).headers["access-control-allow-origin"] == ORIGIN


def test_a_client_with_a_secret_opens_nothing_to_scripts(provider: RunningProvider, http: httpx2.Client) -> None:
    redirect_uri = "https://confidential.example/callback"
    register(provider, "--redirect-uri", redirect_uri)
    provider.advance(6)
    assert not cors(ask(http, "/token", "https://confidential.example"))


def test_a_removed_client_has_no_origin_any_more(provider: RunningProvider, http: httpx2.Client) -> None:
    client = provider.add_client("--name", "SPA", "--redirect-uri", "https://spa.example/callback", "--public")
    provider.advance(6)
    assert cors(ask(http, "/token", "https://spa.example"))
    assert provider.command("clients", "remove", client["client_id"]).returncode == 0
    provider.advance(6)
    assert not cors(ask(http, "/token", "https://spa.example"))


@pytest.mark.parametrize(
    ("redirect_uri", "origins"),
    [
        ("https://app.example/callback", {"https://app.example"}),
        ("https://app.example:443/callback", {"https://app.example"}),
        ("https://app.example:8443/a?b=c", {"https://app.example:8443"}),
        ("HTTPS://App.Example/callback", {"https://app.example"}),
        ("http://[::1]:4200/callback", {"http://[::1]:4200"}),
        ("http://localhost/callback", {"http://localhost"}),
        ("com.example.app:/callback", set()),
        ("https://app.example:99999/callback", set()),
    ],
)
def test_the_origin_of_a_redirect_uri_is_what_browsers_send(redirect_uri: str, origins: set[str]) -> None:
    assert browser_origins([redirect_uri]) == origins
