"""Every route in one table: a new one fails here until somebody writes down who may call it, how, and from where.

The rules themselves are tested elsewhere: test_hosts, test_cross_origin, and in tests/login headers, cookies and forms.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.endpoints.test_hostile_input import build, send
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty
from watchword.endpoints import ENDPOINTS
from watchword.pages import PAGES
from watchword.web.endpoint import Access, CrossOrigin

PUBLIC, PERSON, CLIENT, TOKEN = Access.PUBLIC, Access.PERSON, Access.CLIENT, Access.TOKEN
OPERATOR, DEVELOPMENT = Access.OPERATOR, Access.DEVELOPMENT


@dataclass(frozen=True)
class Row:
    """What a route is. `kept`: caches may keep its answer. `post`: what protects its POST from other sites."""

    methods: str
    access: Access
    cross_origin: CrossOrigin = CrossOrigin.NONE
    any_host: bool = False
    kept: bool = False
    post: str = ""


FORM = "form"  # a signed token, and the browser's word where the form stood; see test_forged_forms
ITSELF = "client or token"  # nothing a browser adds by itself gives any right
JSON = "json"  # no form can send it, and no other origin may ask
PROTOCOL = "protocol"  # OpenID Connect wants it from other sites; what it does there needs the person or a hint

ROWS = {
    "/authorize": Row("GET POST", PERSON, post=PROTOCOL),
    "/token": Row("POST", CLIENT, CrossOrigin.REGISTERED, post=ITSELF),
    "/userinfo": Row("GET POST", TOKEN, CrossOrigin.REGISTERED, post=ITSELF),
    "/introspect": Row("POST", CLIENT, post=ITSELF),
    "/revoke": Row("POST", CLIENT, CrossOrigin.REGISTERED, post=ITSELF),
    "/jwks": Row("GET", PUBLIC, CrossOrigin.ANYBODY, kept=True),
    "/.well-known/openid-configuration": Row("GET", PUBLIC, CrossOrigin.ANYBODY, kept=True),
    "/.well-known/oauth-authorization-server": Row("GET", PUBLIC, CrossOrigin.ANYBODY, kept=True),
    "/register": Row("POST", PUBLIC, post=JSON),
    "/register/*": Row("DELETE GET PUT", CLIENT),
    "/logout": Row("GET POST", PERSON, post=PROTOCOL),
    "/healthz": Row("GET", PUBLIC, any_host=True),
    "/readyz": Row("GET", PUBLIC, any_host=True),
    "/metrics": Row("GET", OPERATOR, any_host=True),
    "/dev/clock": Row("POST", DEVELOPMENT, post=JSON),
    "/login": Row("GET POST", PERSON, post=FORM),
    "/login/code": Row("GET POST", PERSON, post=FORM),
    "/login/resend": Row("GET POST", PERSON, post=FORM),
    "/login/change": Row("POST", PERSON, post=FORM),
    "/login/cancel": Row("POST", PERSON, post=FORM),
    "/login/select-account": Row("GET POST", PERSON, post=FORM),
    "/login/static/*": Row("GET", PUBLIC, kept=True),
    "/consent": Row("GET POST", PERSON, post=FORM),
    "/account/applications": Row("GET POST", PERSON, post=FORM),
    "/logout/confirm": Row("GET POST", PERSON, post=FORM),
    "/logout/done": Row("GET", PERSON),
    "/dev/mailbox": Row("GET", DEVELOPMENT),
    "/dev/mailbox.json": Row("GET", DEVELOPMENT),
}
ROUTES = {endpoint.path: endpoint for endpoint in (*ENDPOINTS, *PAGES)}
FILE = "/login/static/watchword.css"


def address(path: str) -> str:
    """An address that the route serves."""
    return path.replace("/login/static/*", FILE).replace("/register/*", "/register/c_nobody")


def test_every_route_is_in_the_table_as_it_is() -> None:
    found = {
        path: (" ".join(sorted(route.methods)), route.access, route.cross_origin, route.any_host)
        for path, route in ROUTES.items()
    }
    assert found == {path: (row.methods, row.access, row.cross_origin, row.any_host) for path, row in ROWS.items()}


def test_every_route_that_takes_a_post_says_what_protects_it() -> None:
    assert {path for path, row in ROWS.items() if row.post} == {p for p, r in ROUTES.items() if "POST" in r.methods}
    assert {path for path, row in ROWS.items() if row.post == FORM} == {p.path for p in PAGES if "POST" in p.methods}


@pytest.mark.parametrize("path", ROWS)
def test_only_what_is_public_for_everybody_is_kept_by_caches(http: httpx2.Client, path: str) -> None:
    for accept in ("text/html", "application/json"):
        answer = http.get(address(path), headers={"accept": accept})
        kept = answer.headers["cache-control"]
        assert kept.startswith(("public, max-age=", "no-cache")) if ROWS[path].kept else "no-store" in kept


@pytest.mark.parametrize("path", [path for path, row in ROWS.items() if row.post == JSON])
def test_a_route_for_programs_takes_nothing_that_a_form_can_send(http: httpx2.Client, path: str) -> None:
    for media_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""):
        headers = {"content-type": media_type, "origin": "https://evil.example"}
        answer = http.post(path, content=b'{"advance": 1, "redirect_uris": ["https://evil.example/"]}', headers=headers)
        assert answer.status_code == 400, media_type


# --- by which name we are asked (F-14)

NAMES = ("evil.example:{port}", "localhost:1", "")


@pytest.mark.parametrize("path", ROWS)
def test_a_request_by_another_name_is_refused_unless_it_is_a_probe(provider: RunningProvider, path: str) -> None:
    port, row = urlsplit(provider.issuer).port, ROWS[path]
    plain = httpx2.get(provider.issuer + address(path))
    for name in NAMES:
        answer = send(
            provider, b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
            % (address(path).encode(), name.format(port=port).encode()),
        )  # fmt: skip
        assert answer.status == (plain.status_code if row.any_host else 400), name
        assert b"evil.example" not in answer.body
        assert "location" not in answer.headers


@pytest.mark.parametrize("path", [path for path, row in ROWS.items() if not row.any_host])
def test_two_names_at_once_are_refused(provider: RunningProvider, path: str) -> None:
    own = urlsplit(provider.issuer).netloc.encode()
    answer = send(
        provider, b"GET %s HTTP/1.1\r\nHost: %s\r\nHost: evil.example\r\n\r\n" % (address(path).encode(), own)
    )
    assert answer.status == 400


HINTS = (
    ("X-Forwarded-Host", b"evil.example"), ("X-Forwarded-Proto", b"https"), ("X-Forwarded-Prefix", b"/evil.example"),
    ("Forwarded", b"host=evil.example;proto=https"), ("X-Host", b"evil.example"), ("X-Original-URL", b"/evil.example"),
    ("X-Rewrite-URL", b"/evil.example"), ("X-Forwarded-Server", b"evil.example"), ("X-HTTP-Method-Override", b"POST"),
)  # fmt: skip


@pytest.mark.parametrize("path", ROWS)
def test_no_header_and_no_target_changes_the_addresses_we_give(provider: RunningProvider, path: str) -> None:
    changing = {"date", "x-request-id", "set-cookie", "location", "content-length"}
    target = address(path).encode()
    plain = send(provider, build(provider, "GET", target, [], b""))
    for changed, headers in ((target, [hint]) for hint in HINTS):
        answer = send(provider, build(provider, "GET", changed, headers, b""))
        assert answer.status == plain.status, headers
        assert {n: v for n, v in answer.headers.items() if n not in changing} == {
            n: v for n, v in plain.headers.items() if n not in changing
        }
        assert b"evil.example" not in answer.body
        assert "evil.example" not in answer.headers.get("location", "")
    absolute = send(provider, build(provider, "GET", b"http://evil.example" + target, [], b""))
    assert absolute.status in {plain.status, 400}
    assert b"evil.example" not in absolute.body
    assert "evil.example" not in absolute.headers.get("location", "")


# --- from which origins scripts may read us (F-18)

APP = "https://app.example.com"
LOOKALIKES = ("null", f"{APP}.evil.example", f"{APP}:8443", "https://confidential.example.com")


@pytest.fixture(scope="module")
def browser_app(provider: RunningProvider) -> RelyingParty:
    """A public client at an origin of its own, and a confidential one at another; both known after five seconds."""
    client = provider.add_client("--name", "App", "--redirect-uri", f"{APP}/callback", "--public")
    provider.add_client("--name", "Confidential", "--redirect-uri", "https://confidential.example.com/callback")
    provider.advance(6)  # longer than clients are remembered
    return RelyingParty(provider, client["client_id"], None, f"{APP}/callback")


def allowed(answer: httpx2.Response) -> str | None:
    """Whom an answer lets read it; credentials never."""
    assert "access-control-allow-credentials" not in answer.headers
    assert len(answer.headers.get_list("access-control-allow-origin")) <= 1
    return answer.headers.get("access-control-allow-origin")


def ask(http: httpx2.Client, path: str, origin: str) -> list[httpx2.Response]:
    """What a script of that origin would be answered, before and after it asks for leave."""
    own = [http.request(method, address(path), headers={"origin": origin}) for method in sorted(ROUTES[path].methods)]
    question = {"origin": origin, "access-control-request-method": min(ROUTES[path].methods)}
    return [*own, http.options(address(path), headers=question)]


@pytest.mark.parametrize("path", ROWS)
def test_only_a_public_clients_own_origin_may_read_and_only_where_it_should(
    http: httpx2.Client, browser_app: RelyingParty, path: str
) -> None:
    expected = {CrossOrigin.NONE: None, CrossOrigin.REGISTERED: APP, CrossOrigin.ANYBODY: "*"}[ROWS[path].cross_origin]
    for answer in ask(http, path, APP):
        assert allowed(answer) == expected, (answer.request.method, answer.status_code)
        if expected == APP:
            assert "Origin" in answer.headers["vary"]
    assert ask(http, path, APP)[-1].status_code == (204 if expected else 405)


@pytest.mark.parametrize("path", [path for path, row in ROWS.items() if row.cross_origin is not CrossOrigin.ANYBODY])
def test_a_look_alike_origin_may_read_nothing(http: httpx2.Client, browser_app: RelyingParty, path: str) -> None:
    for origin in LOOKALIKES:
        for answer in ask(http, path, origin):
            assert allowed(answer) is None, origin
            assert not any(name.startswith("access-control-") for name in answer.headers)
    twice = http.request(min(ROUTES[path].methods), address(path), headers=[("origin", APP), ("origin", APP)])
    assert allowed(twice) is None
