"""What is measured: each scenario's operation, and what it cannot do without."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.load import Operation, connect, measure_load
from bench.requests import get
from bench.server import Registration, Server
from bench.surroundings import Surroundings
from bench.walks import (
    Authorize,
    ExchangeCode,
    RotateRefreshToken,
    SameRequest,
    SignIn,
    authorization_target,
    token_request,
    tokens_of_session,
)

_CODES_PER_SECOND = 1500  # more than can be redeemed; each lives for a minute


@dataclass(frozen=True, slots=True)
class Work:
    """What an operation cannot do without: requests, SQLite statements in either store, cryptography."""

    gets: int = 0
    posts: int = 0
    reads: int = 0
    writes: int = 0
    commits: int = 0
    es256: int = 0
    rs256: int = 0
    verifications: int = 0

    def limit(self, limits: Mapping[str, float]) -> float:
        """Return the least CPU time, in microseconds, given what each part costs alone in the same run."""
        return (
            self.gets * limits["get"]
            + self.posts * limits["post"]
            + self.reads * limits["read"]
            + self.writes * limits["write"]
            + self.commits * limits["commit"]
            + self.es256 * limits["es256"]
            + self.rs256 * limits["rs256"]
            + self.verifications * limits["verification"]
        )


Prepare = Callable[[Surroundings, int, float], Awaitable[Sequence[Operation]]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One line of the report. `prepare` makes an operation for each connection of a round of that many seconds."""

    name: str
    work: Work
    prepare: Prepare
    server: Callable[[Surroundings], Server] = lambda around: around.provider


async def _bare_get(_around: Surroundings, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SameRequest(get("/"))] * connections


async def _bare_post(around: Surroundings, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SameRequest(_client_credentials(around))] * connections


async def _discovery(_around: Surroundings, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SameRequest(get("/.well-known/openid-configuration"))] * connections


async def _jwks(_around: Surroundings, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SameRequest(get("/jwks"))] * connections


async def _service_token(around: Surroundings, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SameRequest(_client_credentials(around))] * connections


async def _userinfo(around: Surroundings, connections: int, _seconds: float) -> Sequence[Operation]:
    tokens = await _tokens(around, around.clients.rs256)
    return [SameRequest(get("/userinfo", bearer=tokens["access_token"]))] * connections


async def _authorize(around: Surroundings, connections: int, _seconds: float) -> Sequence[Operation]:
    return [Authorize(_authorization(around), [])] * connections


async def _exchange(around: Surroundings, connections: int, seconds: float) -> Sequence[Operation]:
    codes: list[str] = []
    asking = Authorize(_authorization(around), codes)
    while len(codes) < connections + seconds * _CODES_PER_SECOND:
        await measure_load(around.provider, [asking] * 16, 0.05)
    return [ExchangeCode(around.clients.rs256, codes)] * connections


async def _refresh(around: Surroundings, connections: int, _seconds: float) -> Sequence[Operation]:
    return [await _family(around, around.clients.rs256) for _ in range(connections)]


async def _refresh_es256(around: Surroundings, connections: int, _seconds: float) -> Sequence[Operation]:
    return [await _family(around, around.clients.es256) for _ in range(connections)]


async def _login(around: Surroundings, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SignIn(around.clients.rs256)] * connections


async def _login_es256(around: Surroundings, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SignIn(around.clients.es256)] * connections


def _client_credentials(around: Surroundings) -> bytes:
    return token_request(around.clients.rs256, grant_type="client_credentials")


def _authorization(around: Surroundings) -> bytes:
    return get(authorization_target(around.clients.rs256), cookie=around.session)


async def _family(around: Surroundings, client: Registration) -> RotateRefreshToken:
    return RotateRefreshToken(client, (await _tokens(around, client))["refresh_token"])


async def _tokens(around: Surroundings, client: Registration) -> dict[str, str]:
    connection = await connect(around.provider)
    try:
        return await tokens_of_session(connection, client, around.session)
    finally:
        connection.close()


# In seven requests; the message that the outbox sends meanwhile is part of it.
_LOGIN = Work(gets=4, posts=3, reads=13, writes=23, commits=17, es256=1, rs256=1)

# The two floors come first: every limit needs them.
SCENARIOS: tuple[Scenario, ...] = (
    Scenario("bare GET", Work(gets=1), _bare_get, lambda around: around.bare),
    Scenario("bare POST", Work(posts=1), _bare_post, lambda around: around.bare),
    Scenario("discovery", Work(gets=1), _discovery),
    Scenario("jwks", Work(gets=1), _jwks),
    Scenario("client_credentials", Work(posts=1, writes=1, commits=1, es256=1), _service_token),
    Scenario("userinfo", Work(gets=1, reads=1, verifications=1), _userinfo),
    Scenario("authorize, signed in", Work(gets=1, reads=1, writes=2, commits=1), _authorize),
    Scenario("code exchange", Work(posts=1, writes=4, commits=1, es256=1, rs256=1), _exchange),
    Scenario("refresh", Work(posts=1, reads=1, writes=2, commits=1, es256=1, rs256=1), _refresh),
    Scenario("refresh, ES256 ID token", Work(posts=1, reads=1, writes=2, commits=1, es256=2), _refresh_es256),
    Scenario("full login", _LOGIN, _login, lambda around: around.logins),
    Scenario(
        "full login, ES256 ID token", replace(_LOGIN, es256=2, rs256=0), _login_es256, lambda around: around.logins
    ),
)
