import itertools
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from tests.middleware.support import get, protect
from watchword_asgi import Rule, Watchword
from watchword_asgi.rules import find_rules
from watchword_asgi.testing import LocalIssuer

DEFAULT = Rule("*")


@pytest.fixture(scope="module")
def issuer() -> LocalIssuer:
    return LocalIssuer()


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/health", "/health", True),
        ("/health", "/health/", False),
        ("/health", "/healthz", False),
        ("/health", "/Health", False),
        ("/health", "//health", False),
        ("/docs/*", "/docs/a/b", True),
        ("/docs/*", "/docs/", True),
        ("/docs/*", "/docs", True),
        ("/docs/*", "/docsy", False),
        ("/docs/*", "//docs/a", False),
        ("/file*", "/files", True),
        ("/*", "/", True),
        ("/*", "", True),
        ("*", "/anything", True),
    ],
)
def test_a_pattern_matches_the_path_exactly_up_to_its_star(pattern: str, path: str, matches: bool) -> None:
    assert Rule(pattern).matches(path, "GET") is matches


def test_the_first_rule_that_matches_decides() -> None:
    rules = (Rule("/a/public", public=True), Rule("/a/*", scopes="a"), Rule("/*", optional=True))
    found = [find_rules(rules, path, "GET", default=DEFAULT) for path in ("/a/public", "/a/x", "/b")]
    assert found == [(rule,) for rule in rules]


def test_where_no_rule_matches_the_default_stands() -> None:
    assert find_rules((Rule("/a", public=True),), "/b", "GET", default=DEFAULT) == (DEFAULT,)


def test_a_rule_for_methods_matches_those_alone_and_no_websocket() -> None:
    rule = Rule("/notes", public=True, methods="get")
    assert [rule.matches("/notes", method) for method in ("GET", "HEAD", "POST", None)] == [True, True, False, False]


def test_a_method_in_small_letters_is_the_same_method() -> None:
    # Some servers hand it on as it came, and Django and Quart then read it as POST.
    assert Rule("/notes", scopes="notes:write", methods="POST").matches("/notes", "post")


@pytest.mark.parametrize("path", ["/orders/", "//orders", "//orders//", "/orders//"])
def test_another_spelling_of_a_path_has_to_satisfy_the_rule_of_the_path_as_well(path: str) -> None:
    orders, rest = Rule("/orders", scopes=["orders:write"]), Rule("/*", public=True)
    assert find_rules((orders,), path, "GET", default=DEFAULT) == (DEFAULT, orders)
    assert find_rules((orders, rest), path, "GET", default=DEFAULT) == (rest, orders)


def test_a_rule_that_names_the_path_to_the_letter_decides_alone() -> None:
    public, orders = Rule("/orders/", public=True), Rule("/orders", scopes="orders:write")
    assert find_rules((public, orders), "/orders/", "GET", default=DEFAULT) == (public,)
    assert find_rules((public, orders), "/orders", "GET", default=DEFAULT) == (orders,)


def test_another_spelling_of_a_public_path_is_not_public() -> None:
    assert find_rules((Rule("/health", public=True),), "/health/", "GET", default=DEFAULT)[0] is DEFAULT


@pytest.mark.parametrize("pattern", ["health", "", "/a*b", "/**", "/*/x"])
def test_a_pattern_that_cannot_work_is_refused_at_once(pattern: str) -> None:
    with pytest.raises(ValueError, match="rule path"):
        Rule(pattern)


def test_a_public_rule_that_asks_for_something_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="public and yet"):
        Rule("/x", public=True, scopes="a")


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "naïve"])
def test_a_scope_that_would_break_the_challenge_is_refused_at_once(scope: str) -> None:
    with pytest.raises(ValueError, match="scope"):
        Rule("/x", scopes=[scope])


async def test_without_rules_everything_needs_a_token(issuer: LocalIssuer) -> None:
    app = protect(issuer)
    for path, method in itertools.product(("/", "/health", "/docs", "/openapi.json"), ("GET", "POST", "OPTIONS")):
        assert (await get(app, path, method=method)).status_code == 401
    assert (await get(app, headers=issuer.bearer())).json()["subject"] == "ada"


async def test_a_public_path_is_open_and_looks_at_no_token(issuer: LocalIssuer) -> None:
    app = protect(issuer, rules=[Rule("/health", public=True)])
    assert (await get(app, "/health", {"Authorization": "Bearer rubbish"})).json()["subject"] is None


async def test_an_optional_path_takes_no_token_and_good_ones_but_not_bad_ones(issuer: LocalIssuer) -> None:
    app = protect(issuer, rules=[Rule("/feed", optional=True)])
    assert (await get(app, "/feed")).json()["subject"] is None
    assert (await get(app, "/feed", issuer.bearer())).json()["subject"] == "ada"
    assert (await get(app, "/feed", {"Authorization": "Bearer rubbish"})).status_code == 401


async def test_all_scopes_and_any_role_are_needed(issuer: LocalIssuer) -> None:
    app = protect(issuer, rules=[Rule("/admin", scopes="read admin", roles=["staff", "owner"])])
    staff = {"roles": ["staff"]}
    assert (await get(app, "/admin", issuer.bearer(scope="admin read", **staff))).status_code == 200
    for claims in ({"scope": "admin", **staff}, {"scope": "admin read"}, {"scope": "admin read", "roles": ["guest"]}):
        answer = await get(app, "/admin", issuer.bearer(**claims))
        assert answer.status_code == 403
        assert answer.json()["error"] == "insufficient_scope"
        assert 'scope="read admin"' in answer.headers["www-authenticate"]


async def test_a_true_preflight_passes_and_a_false_one_does_not(issuer: LocalIssuer) -> None:
    app = protect(issuer)
    preflight = {"Origin": "https://spa.test", "Access-Control-Request-Method": "GET"}
    assert (await get(app, "/", preflight, "OPTIONS")).status_code == 200
    assert (await get(app, "/", {"Origin": "https://spa.test"}, "OPTIONS")).status_code == 401
    assert (await get(app, "/", preflight, "GET")).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/./admin",
        "/admin%00",
        "/admin/..",
        "/admin%0a",
        "/%7fadmin",
        "admin",
    ],
)
async def test_a_path_with_two_readings_is_refused(issuer: LocalIssuer, path: str) -> None:
    app = protect(issuer, rules=[Rule("/public/*", public=True)])
    seen: list[str] = []

    async def ask(scope_path: str) -> int:
        async def send(message: object) -> None:
            if message["type"] == "http.response.start":  # type: ignore[index]
                seen.append(str(message["status"]))  # type: ignore[index]

        from urllib.parse import unquote

        scope = {"type": "http", "method": "GET", "path": unquote(scope_path), "headers": [], "query_string": b""}
        await app(scope, None, send)  # type: ignore[arg-type]
        return int(seen[-1])

    assert await ask(path) == 400


async def test_no_other_spelling_leads_around_a_rule(issuer: LocalIssuer) -> None:
    # Starlette's own patterns match before a final line feed; the app below folds slashes as Litestar and Quart do.
    async def show(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("orders")

    router = Starlette(routes=[Route("/orders", show)])

    async def folding(scope: Any, receive: Any, send: Any) -> None:
        await router({**scope, "path": "/" + scope["path"].strip("/")}, receive, send)

    rules = [Rule("/orders", scopes="orders:read"), Rule("/*", optional=True)]
    app = protect(issuer, folding, rules=rules)
    little, enough = issuer.bearer(scope="notes:read"), issuer.bearer(scope="orders:read")
    for path in ("/orders", "/orders/", "//orders", "/orders//"):
        address = f"https://api.test{path}"
        assert (await get(app, address)).status_code == 401
        assert (await get(app, address, little)).status_code == 403
        assert (await get(app, address, enough)).text == "orders"
    assert (await get(protect(issuer, router, rules=rules), "/orders%0a", little)).status_code == 400


async def test_rules_match_inside_the_mount(issuer: LocalIssuer) -> None:
    async def show(request: Request) -> PlainTextResponse:
        identity = request.scope["watchword"]
        return PlainTextResponse(identity.subject if identity else "nobody")

    inner = Starlette(routes=[Route("/health", show), Route("/notes", show)])
    outer = Starlette(routes=[Mount("/api", app=protect(issuer, inner, rules=[Rule("/health", public=True)]))])
    assert (await get(outer, "/api/health")).text == "nobody"
    assert (await get(outer, "/api/notes")).status_code == 401
    assert (await get(outer, "/api/notes", issuer.bearer())).text == "ada"


async def test_the_middleware_can_be_added_the_framework_s_way(issuer: LocalIssuer) -> None:
    async def show(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.scope["watchword"].subject)

    app = Starlette(routes=[Route("/", show)])
    app.add_middleware(Watchword, issuer=issuer.issuer, audience=issuer.audience, http=issuer.transport)
    assert (await get(app)).status_code == 401
    assert (await get(app, headers=issuer.bearer())).text == "ada"


async def test_an_identity_from_outside_never_reaches_the_app(issuer: LocalIssuer) -> None:
    app = protect(issuer, rules=[Rule("/health", public=True)])

    async def outer(scope: dict[str, object], receive: object, send: object) -> None:
        scope["watchword"] = object()
        await app(scope, receive, send)  # type: ignore[arg-type]

    assert (await get(outer, "/health")).json()["subject"] is None
