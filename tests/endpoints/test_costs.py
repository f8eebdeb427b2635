"""What a request costs, counted and not timed: statements, commits, signatures and verifications.

A first request fills what a worker keeps in memory; the second one is counted.
"""

import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.endpoints.people import ASHA, CODE, authorized, request_url
from tests.support.person import Person
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty, register
from watchword.app import Provider, close_services, open_services
from watchword.keys import keyring
from watchword.services import Services
from watchword.settings import load_settings

SCOPES = [argument for scope in ("openid", "email", "offline_access") for argument in ("--scope", scope)]
GRANTS = [
    argument
    for grant in ("authorization_code", "refresh_token", "client_credentials")
    for argument in ("--grant", grant)
]


@dataclass(frozen=True, slots=True)
class State:
    """A store in which somebody signed in, after its provider has stopped."""

    environment: dict[str, str]
    party: RelyingParty
    cookie: str
    tokens: dict[str, Any]


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[RunningProvider, RelyingParty]]:
    with running_provider(test_identifiers=f"{ASHA}:{CODE}", test_limits="off") as running:
        yield running, register(running, *SCOPES, *GRANTS)


@pytest.fixture
async def state(started: tuple[RunningProvider, RelyingParty]) -> State:
    running, party = started
    async with Person() as person:
        answer = await authorized(person, request_url(party))
        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar)
    tokens = (await party.exchange(answer["code"])).json()
    return State(running.environment, party, cookie, tokens)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request took."""

    statements: int = 0
    commits: int = 0
    signatures: int = 0
    verifications: int = 0


class Counted:
    """The same provider in this process, not in test mode, with nothing beside its requests."""

    def __init__(self, services: Services, http: httpx2.AsyncClient) -> None:
        self.services, self.http = services, http

    def spent(self) -> Cost:
        keys, database = self.services.keyring.verifying.values(), self.services.database
        return Cost(
            database.statements,
            getattr(database, "commits", 0),
            sum(key.signatures for key in keys),
            sum(key.verifications for key in keys),
        )

    async def cost(self, method: str, path: str, status: int = 200, **options: Any) -> Cost:
        before = self.spent()
        answer = await self.http.request(method, path, **options)
        assert answer.status_code == status, answer.text
        after = self.spent()
        return Cost(
            *(getattr(after, name) - getattr(before, name) for name in Cost.__slots__),
        )


@pytest.fixture
async def counted(state: State, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Counted]:
    for name in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(name)
    for name, value in state.environment.items():
        if name.startswith("WATCHWORD_") and not name.startswith("WATCHWORD_TEST_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("WATCHWORD_ENV", "development")
    settings = load_settings()
    provider = Provider(settings)
    provider.services = await open_services(settings)
    transport = httpx2.ASGITransport(app=provider.build())
    async with httpx2.AsyncClient(transport=transport, base_url=settings.issuer) as http:
        yield Counted(provider.services, http)
    await close_services(provider.services)


def credentials(party: RelyingParty) -> tuple[str, str]:
    assert party.secret is not None
    return party.client_id, party.secret


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks"])
async def test_a_public_document_costs_nothing(counted: Counted, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await counted.http.get(path)
    monkeypatch.setattr(keyring, "_open", None)  # no key is read again
    assert await counted.cost("GET", path) == Cost()
    assert await counted.cost("GET", path, headers={"origin": "https://anybody.example"}) == Cost()


async def test_a_token_seen_before_costs_userinfo_one_statement(counted: Counted, state: State) -> None:
    bearer = {"authorization": f"Bearer {state.tokens['access_token']}"}
    assert await counted.cost("GET", "/userinfo", headers=bearer) == Cost(statements=1, verifications=1)
    assert await counted.cost("GET", "/userinfo", headers=bearer) == Cost(statements=1)


async def test_a_token_whose_key_is_gone_is_not_remembered(counted: Counted, state: State) -> None:
    bearer = {"authorization": f"Bearer {state.tokens['access_token']}"}
    assert (await counted.http.get("/userinfo", headers=bearer)).status_code == 200
    counted.services.keyring.verifying.clear()  # type: ignore[attr-defined]
    assert (await counted.http.get("/userinfo", headers=bearer)).status_code == 401


async def test_client_credentials_cost_one_commit_and_one_signature(counted: Counted, state: State) -> None:
    form = {"grant_type": "client_credentials"}
    await counted.http.post("/token", data=form, auth=credentials(state.party))
    cost = await counted.cost("POST", "/token", data=form, auth=credentials(state.party))
    assert cost == Cost(statements=2, commits=1, signatures=1)


async def test_a_refresh_costs_three_statements_one_commit_and_two_signatures(counted: Counted, state: State) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": state.tokens["refresh_token"]}
    answer = await counted.http.post("/token", data=form, auth=credentials(state.party))
    form["refresh_token"] = answer.json()["refresh_token"]
    cost = await counted.cost("POST", "/token", data=form, auth=credentials(state.party))
    assert cost == Cost(statements=3, commits=1, signatures=2)


async def test_claims_in_the_id_token_cost_the_client_that_asks_one_statement(
    counted: Counted, started: tuple[RunningProvider, RelyingParty]
) -> None:
    _, party = started
    async with Person() as person:
        answer = await authorized(person, request_url(party, claims='{"id_token":{"email":null}}'))
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": party.redirect_uri,
        "code_verifier": party.verifier,
    }
    await counted.http.post("/token", data={"grant_type": "client_credentials"}, auth=credentials(party))
    assert await counted.cost("POST", "/token", data=form, auth=credentials(party)) == Cost(5, 1, signatures=2)


async def test_a_revocation_costs_one_commit_and_no_signature(counted: Counted, state: State) -> None:
    pair = credentials(state.party)
    await counted.http.post("/revoke", data={"token": "abc"}, auth=pair)
    access, refresh = state.tokens["access_token"], state.tokens["refresh_token"]
    assert await counted.cost("POST", "/revoke", data={"token": access}, auth=pair) == Cost(2, 1, verifications=1)
    assert await counted.cost("POST", "/revoke", data={"token": refresh}, auth=pair) == Cost(4, 1)
    assert await counted.cost("POST", "/revoke", data={"token": refresh}, auth=pair) == Cost(3, 1)
    assert await counted.cost("POST", "/revoke", data={"token": "abc"}, auth=pair) == Cost()


async def test_a_code_costs_one_commit_when_issued_and_one_when_redeemed(counted: Counted, state: State) -> None:
    url = request_url(state.party).removeprefix(state.party.provider.issuer)
    browser = {"cookie": state.cookie}
    await counted.http.get(url, headers=browser)
    assert await counted.cost("GET", url, 303, headers=browser) == Cost(statements=3, commits=1)
    location = (await counted.http.get(url, headers=browser)).headers["location"]
    form = {
        "grant_type": "authorization_code",
        "code": re.findall(r"code=([^&]+)", location)[0],
        "redirect_uri": state.party.redirect_uri,
        "code_verifier": state.party.verifier,
    }
    cost = await counted.cost("POST", "/token", data=form, auth=credentials(state.party))
    assert cost == Cost(statements=4, commits=1, signatures=2)


async def test_a_sign_out_that_nobody_wants_to_hear_of_costs_one_statement_for_asking(
    counted: Counted, state: State
) -> None:
    path = f"/logout?id_token_hint={state.tokens['id_token']}"
    await counted.http.get(path)  # no cookie, so nothing ends
    cost = await counted.cost("GET", path, 303, headers={"cookie": state.cookie})
    # Find the session; end it, its grant with the grant's family; ask who wants to hear of it; record.
    assert cost == Cost(statements=6, commits=1)
