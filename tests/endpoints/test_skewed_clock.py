"""A node whose clock is wrong by an hour: how long ago anything happened is the store's to say."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from tests.endpoints.people import ASHA, CODE, a_code, authorized
from tests.support.person import Person
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty, register, register_itself
from watchword.app import Provider, close_services, open_services
from watchword.clock import Clock
from watchword.services import Services
from watchword.settings import load_settings

HOUR = timedelta(hours=1)
REVOKED = "SELECT COUNT(*) AS found FROM authorization_grant WHERE revoked_at IS NOT NULL"


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    with running_provider(test_identifiers=f"{ASHA}:{CODE}", test_limits="off") as running:
        yield running


@pytest.fixture(scope="module")
def public(provider: RunningProvider) -> RelyingParty:
    """A client whose old refresh tokens are good for 30 seconds."""
    flow = {"grant_types": ["authorization_code", "refresh_token"]}
    return register_itself(provider, token_endpoint_auth_method="none", **flow)


class Node:
    """The same provider in this process: its clock is wrong, that of its store is not."""

    def __init__(self, services: Services, http: httpx2.AsyncClient) -> None:
        self.services, self.http = services, http

    async def exchange(self, party: RelyingParty, code: str) -> httpx2.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": party.redirect_uri}
        return await self._token(party, form | {"code_verifier": party.verifier})

    async def refresh(self, party: RelyingParty, token: str) -> httpx2.Response:
        return await self._token(party, {"grant_type": "refresh_token", "refresh_token": token})

    async def authorize(self, person: Person, party: RelyingParty, **changes: str) -> str:
        """Open a request in the browser of somebody who signed in at another node; returns where it leads."""
        return await self.open(person, party.authorization_url(**changes))

    async def open(self, person: Person, address: str) -> str:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar)
        answer = await self.http.get(address, headers={"cookie": cookies})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def _token(self, party: RelyingParty, form: dict[str, str]) -> httpx2.Response:
        return await self.http.post("/token", data={"client_id": party.client_id} | form)

    def pass_time(self, duration: timedelta) -> None:
        """Let time pass in the store."""
        self.services.clock.offset += duration


@pytest.fixture(params=[HOUR, -HOUR], ids=["ahead", "behind"])
async def node(
    provider: RunningProvider, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Node]:
    for name in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(name)
    for name, value in provider.environment.items():
        if name.startswith("WATCHWORD_") and not name.startswith("WATCHWORD_TEST_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("WATCHWORD_ENV", "development")
    settings = load_settings()
    services = await open_services(settings)
    skewed = Provider(settings)
    skewed.services = replace(services, clock=Clock(request.param))
    transport = httpx2.ASGITransport(app=skewed.build())
    async with httpx2.AsyncClient(transport=transport, base_url=settings.issuer) as http:
        yield Node(services, http)
    await close_services(services)


@pytest.fixture(scope="module")
def ours(provider: RunningProvider) -> RelyingParty:
    return register(provider)


async def test_prompt_login_is_not_met_by_a_sign_in_before_the_request(ours: RelyingParty, node: Node) -> None:
    async with Person() as person:
        await authorized(person, ours.authorization_url())
        for demand in ({"prompt": "login"}, {"prompt": "create"}, {"max_age": "0"}):
            assert "/login?" in await node.authorize(person, ours, **demand)
        assert "/login/select-account?" in await node.authorize(person, ours, prompt="select_account")


async def test_max_age_counts_from_the_sign_in(ours: RelyingParty, node: Node) -> None:
    async with Person() as person:
        await authorized(person, ours.authorization_url())
        assert "code=" in await node.authorize(person, ours, max_age="60")
        node.pass_time(timedelta(seconds=61))
        assert "/login?" in await node.authorize(person, ours, max_age="60")


async def test_a_sign_in_for_the_request_meets_prompt_login(ours: RelyingParty, node: Node) -> None:
    async with Person() as person:
        await authorized(person, ours.authorization_url())
        began = await node.authorize(person, ours, prompt="login")
        await authorized(person, ours.authorization_url(prompt="login"))
        assert "code=" in await node.open(person, began.replace("/login?", "/authorize?"))


def revoked(provider: RunningProvider) -> int:
    return int(provider.rows(REVOKED)[0]["found"])


async def test_a_race_for_a_code_is_told_from_a_replay(
    provider: RunningProvider, public: RelyingParty, node: Node
) -> None:
    code, before = await a_code(public), revoked(provider)
    assert (await node.exchange(public, code)).status_code == 200
    assert (await node.exchange(public, code)).json()["error"] == "invalid_grant"
    assert revoked(provider) == before
    node.pass_time(timedelta(seconds=6))
    assert (await node.exchange(public, code)).json()["error"] == "invalid_grant"
    assert revoked(provider) == before + 1


async def test_the_grace_of_a_refresh_token_is_thirty_seconds(
    provider: RunningProvider, public: RelyingParty, node: Node
) -> None:
    before = revoked(provider)
    first = (await node.exchange(public, await a_code(public))).json()["refresh_token"]
    second = (await node.refresh(public, first)).json()["refresh_token"]
    assert (await node.refresh(public, first)).json()["refresh_token"] == second
    assert revoked(provider) == before
    node.pass_time(timedelta(seconds=31))
    assert (await node.refresh(public, first)).json()["error"] == "invalid_grant"
    assert revoked(provider) == before + 1
