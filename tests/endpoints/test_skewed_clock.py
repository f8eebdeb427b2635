"""A node whose clock is wrong by an hour: how long ago a code or refresh token was used is the store's to say."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from tests.endpoints.people import ASHA, CODE, a_code
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty, register_itself
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
