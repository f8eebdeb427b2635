import pytest

from tests.middleware.support import browser, get, protect
from watchword_asgi import Reason, Refused, Rule
from watchword_asgi.testing import LocalIssuer


@pytest.fixture(scope="module")
def issuer() -> LocalIssuer:
    return LocalIssuer()


async def test_without_credentials_the_challenge_carries_no_error(issuer: LocalIssuer) -> None:
    answer = await get(protect(issuer))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"] == "unauthorized"


async def test_the_challenge_names_the_scopes_the_path_needs(issuer: LocalIssuer) -> None:
    answer = await get(protect(issuer, rules=[Rule("/", scopes=["notes:read", "notes:write"])]))
    assert answer.headers["www-authenticate"] == 'Bearer scope="notes:read notes:write"'


async def test_a_bad_token_is_told_so_in_fixed_words(issuer: LocalIssuer) -> None:
    answer = await get(protect(issuer), headers={"Authorization": "Bearer rubbish"})
    assert answer.status_code == 401
    expected = 'Bearer error="invalid_token", error_description="The token is malformed"'
    assert answer.headers["www-authenticate"] == expected
    assert answer.json() == {"error": "invalid_token", "error_description": "The token is malformed"}


async def test_too_little_scope_is_403(issuer: LocalIssuer) -> None:
    answer = await get(protect(issuer, rules=[Rule("/", scopes="admin")]), headers=issuer.bearer(scope="read"))
    assert answer.status_code == 403
    challenge = 'Bearer error="insufficient_scope", error_description="The token lacks a required scope", scope="admin"'
    assert answer.headers["www-authenticate"] == challenge


async def test_two_authorization_headers_are_400_even_when_both_are_good(issuer: LocalIssuer) -> None:
    value = issuer.bearer()["Authorization"]
    async with browser(protect(issuer)) as client:
        answer = await client.get("/", headers=[("Authorization", value), ("Authorization", value)])
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", 'Bearer "a"', "Bearer\ta", "bearer é"]
)
async def test_a_malformed_bearer_header_is_400(issuer: LocalIssuer, value: str) -> None:
    async with browser(protect(issuer)) as client:
        answer = await client.get("/", headers={b"Authorization": value.encode("latin-1")})
    assert answer.status_code == 400


@pytest.mark.parametrize("value", ["Basic YTpi", "DPoP abc", "Bearerish abc", "Negotiate", ""])
async def test_another_scheme_is_no_credentials(issuer: LocalIssuer, value: str) -> None:
    answer = await get(protect(issuer), headers={"Authorization": value})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_the_scheme_is_compared_without_case(issuer: LocalIssuer) -> None:
    assert (await get(protect(issuer), headers={"authorization": f"bEaReR  {issuer.token()}"})).status_code == 200


async def test_a_token_in_the_query_is_never_looked_at(issuer: LocalIssuer) -> None:
    assert (await get(protect(issuer), f"/?access_token={issuer.token()}")).status_code == 401


async def test_a_token_in_the_body_is_never_looked_at(issuer: LocalIssuer) -> None:
    async with browser(protect(issuer)) as client:
        assert (await client.post("/", data={"access_token": issuer.token()})).status_code == 401


async def test_head_is_answered_without_a_body(issuer: LocalIssuer) -> None:
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "HEAD", "path": "/", "headers": [], "query_string": b""}
    await protect(issuer)(scope, None, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 401
    assert sent[1]["body"] == b""


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_fixed_sentence_that_cannot_leave_its_quotes(reason: Reason) -> None:
    refused = Refused(reason)
    assert refused.status in (400, 401, 403)
    assert refused.description.isascii()
    assert not set(refused.description) & set('"\\\r\n')
    assert str(refused) == reason.value


async def test_the_body_is_left_for_the_app_to_read(issuer: LocalIssuer) -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def mirror(request: Request) -> Response:
        return Response(await request.body())

    app = protect(issuer, Starlette(routes=[Route("/", mirror, methods=["POST"])]))
    async with browser(app) as client:
        assert (await client.post("/", content=b"x" * 100_000, headers=issuer.bearer())).content == b"x" * 100_000


async def test_the_lifespan_reaches_the_app_and_its_end_closes_our_connections(issuer: LocalIssuer) -> None:
    seen: list[str] = []

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        seen.append(str(scope["type"]))
        await send({"type": "lifespan.startup.complete"})  # type: ignore[operator]
        await send({"type": "lifespan.shutdown.complete"})  # type: ignore[operator]

    async def send(message: dict[str, str]) -> None:
        seen.append(message["type"])

    await protect(issuer, app)({"type": "lifespan"}, None, send)  # type: ignore[arg-type]
    assert seen == ["lifespan", "lifespan.startup.complete", "lifespan.shutdown.complete"]
