"""What is measured: each scenario's operation at any contender, and what ours cannot do without."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import orjson

from bench.contender import Contender, Registration
from bench.load import Operation, connect, measure_load
from bench.requests import get, post_form
from bench.walks import (
    Authorize,
    ExchangeCode,
    RotateRefreshToken,
    SameRequest,
    SignIn,
    authorization_target,
    sign_in,
    token_request,
)

_CODES_PER_SECOND = 4000  # more than can be redeemed; each lives for a minute


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


Prepare = Callable[[Contender, int, float], Awaitable[Sequence[Operation]]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One line of the report. `prepare` makes an operation for each connection of a round of that many seconds."""

    name: str
    work: Work
    prepare: Prepare


async def _get_bare(contender: Contender, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SameRequest(get(contender.host, "/"))] * connections


async def _post_bare(contender: Contender, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SameRequest(_own_token_request(contender, {}))] * connections


async def _discover(contender: Contender, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SameRequest(get(contender.host, contender.routes.discovery))] * connections


async def _get_jwks(contender: Contender, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SameRequest(get(contender.host, contender.routes.jwks))] * connections


async def _get_jwt(contender: Contender, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SameRequest(_own_token_request(contender, contender.jwt))] * connections


async def _get_opaque(contender: Contender, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SameRequest(_own_token_request(contender, contender.opaque))] * connections


async def _read_userinfo(contender: Contender, connections: int, _seconds: float) -> Sequence[Operation]:
    _, tokens = await sign_in(contender, contender.clients.rs256)
    request = get(contender.host, contender.routes.userinfo, bearer=tokens["access_token"])
    return [SameRequest(request)] * connections


async def _introspect(contender: Contender, connections: int, _seconds: float) -> Sequence[Operation]:
    issued = await _answer(contender, _own_token_request(contender, contender.opaque))
    form = {"token": str(issued["access_token"])}
    request = post_form(contender.host, contender.routes.introspection, form, client=contender.clients.rs256)
    if not (await _answer(contender, request))["active"]:
        raise RuntimeError(f"{contender.name} calls its own token inactive")
    return [SameRequest(request)] * connections


async def _authorize(contender: Contender, connections: int, _seconds: float) -> Sequence[Operation]:
    return [Authorize(_authorization(contender), [])] * connections


async def _exchange(contender: Contender, connections: int, seconds: float) -> Sequence[Operation]:
    codes: list[str] = []
    asking = Authorize(_authorization(contender), codes)
    while len(codes) < connections + seconds * _CODES_PER_SECOND:
        await measure_load(contender.server, [asking] * 16, 0.05)
    return [ExchangeCode(contender, contender.clients.rs256, codes)] * connections


async def _refresh(es256: bool, contender: Contender, connections: int, _seconds: float) -> Sequence[Operation]:
    client = _client(contender, es256=es256)
    signed_in = [(await sign_in(contender, client))[1] for _ in range(connections)]
    return [RotateRefreshToken(contender, client, tokens["refresh_token"]) for tokens in signed_in]


async def _login(es256: bool, contender: Contender, connections: int, _seconds: float) -> Sequence[Operation]:
    return [SignIn(contender, _client(contender, es256=es256))] * connections


def _client(contender: Contender, *, es256: bool) -> Registration:
    return contender.clients.es256 if es256 else contender.clients.rs256


def _own_token_request(contender: Contender, more: Mapping[str, str]) -> bytes:
    return token_request(contender, contender.clients.rs256, grant_type="client_credentials", **more)


def _authorization(contender: Contender) -> bytes:
    target = authorization_target(contender.routes.authorization, contender.clients.rs256)
    return get(contender.host, target, cookie=contender.session)


async def _answer(contender: Contender, request: bytes) -> Mapping[str, object]:
    connection = await connect(contender.server)
    try:
        answer: Mapping[str, object] = orjson.loads((await connection.fetch(request, 200)).body)
        return answer
    finally:
        connection.close()


BARE_GET, BARE_POST = "bare GET", "bare POST"
DISCOVERY, JWKS = "discovery", "jwks"
OWN_JWT, OWN_OPAQUE = "client_credentials, JWT ES256", "client_credentials, opaque"
USERINFO, INTROSPECTION = "userinfo", "introspection"
AUTHORIZE, EXCHANGE = "authorize, signed in", "code exchange"
REFRESH_RS256, REFRESH_ES256 = "refresh, RS256", "refresh, ES256"
LOGIN_RS256, LOGIN_ES256 = "login, RS256", "login, ES256"
LOGINS = (LOGIN_RS256, LOGIN_ES256)

# In seven requests; the message that the outbox sends meanwhile is part of it.
_LOGIN = Work(gets=4, posts=3, reads=13, writes=23, commits=17, es256=1, rs256=1)
_REFRESH = Work(posts=1, reads=1, writes=2, commits=1, es256=1, rs256=1)

# The two floors come first: every limit needs them.
SCENARIOS: tuple[Scenario, ...] = (
    Scenario(BARE_GET, Work(gets=1), _get_bare),
    Scenario(BARE_POST, Work(posts=1), _post_bare),
    Scenario(DISCOVERY, Work(gets=1), _discover),
    Scenario(JWKS, Work(gets=1), _get_jwks),
    Scenario(OWN_JWT, Work(posts=1, writes=1, commits=1, es256=1), _get_jwt),
    Scenario(OWN_OPAQUE, Work(posts=1, writes=1, commits=1), _get_opaque),
    Scenario(USERINFO, Work(gets=1, reads=1, verifications=1), _read_userinfo),
    Scenario(INTROSPECTION, Work(posts=1, reads=1), _introspect),
    Scenario(AUTHORIZE, Work(gets=1, reads=1, writes=2, commits=1), _authorize),
    Scenario(EXCHANGE, Work(posts=1, writes=4, commits=1, es256=1, rs256=1), _exchange),
    Scenario(REFRESH_RS256, _REFRESH, partial(_refresh, False)),
    Scenario(REFRESH_ES256, replace(_REFRESH, es256=2, rs256=0), partial(_refresh, True)),
    Scenario(LOGIN_RS256, _LOGIN, partial(_login, False)),
    Scenario(LOGIN_ES256, replace(_LOGIN, es256=2, rs256=0), partial(_login, True)),
)

OF_BARE = frozenset({BARE_GET, BARE_POST})
OF_OURS = frozenset(each.name for each in SCENARIOS) - OF_BARE
BESIDE_NODE = OF_OURS - {AUTHORIZE, EXCHANGE}
