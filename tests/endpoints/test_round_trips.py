"""What a request costs on a server: questions that it waits for the database's answer to, counted and not timed."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.endpoints.people import ASHA, CODE, request_url
from tests.endpoints.test_costs import GRANTS, SCOPES, Counted, State, counted, credentials, state
from tests.support.pairs import SERVERS
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty, register
from watchword.database.postgresql import PostgreSQLDatabase

__all__ = ["counted", "state"]


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[RunningProvider, RelyingParty]]:
    with running_provider(pair=SERVERS, test_identifiers=f"{ASHA}:{CODE}", test_limits="off") as running:
        yield running, register(running, *SCOPES, *GRANTS)


async def round_trips(counted: Counted, method: str, path: str, status: int = 200, **options: Any) -> int:
    database = counted.services.database
    assert isinstance(database, PostgreSQLDatabase)
    before = database.round_trips
    answer = await counted.http.request(method, path, **options)
    assert answer.status_code == status, answer.text
    return database.round_trips - before


async def test_userinfo_asks_once(counted: Counted, state: State) -> None:
    bearer = {"authorization": f"Bearer {state.tokens['access_token']}"}
    assert await round_trips(counted, "GET", "/userinfo", headers=bearer) == 1


async def test_client_credentials_ask_twice(counted: Counted, state: State) -> None:
    form = {"grant_type": "client_credentials"}
    await counted.http.post("/token", data=form, auth=credentials(state.party))
    # Whether the client is still there, then the event.
    assert await round_trips(counted, "POST", "/token", data=form, auth=credentials(state.party)) == 2


async def test_a_refresh_asks_twice(counted: Counted, state: State) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": state.tokens["refresh_token"]}
    answer = await counted.http.post("/token", data=form, auth=credentials(state.party))
    form["refresh_token"] = answer.json()["refresh_token"]
    # Read, then rotation and event together.
    assert await round_trips(counted, "POST", "/token", data=form, auth=credentials(state.party)) == 2


async def test_a_code_takes_as_many_as_are_needed(counted: Counted, state: State) -> None:
    url = request_url(state.party).removeprefix(state.party.provider.issuer)
    browser = {"cookie": state.cookie}
    await counted.http.get(url, headers=browser)
    # The session, then code and event together.
    assert await round_trips(counted, "GET", url, 303, headers=browser) == 2
    location = (await counted.http.get(url, headers=browser)).headers["location"]
    form = {
        "grant_type": "authorization_code",
        "code": re.findall(r"code=([^&]+)", location)[0],
        "redirect_uri": state.party.redirect_uri,
        "code_verifier": state.party.verifier,
    }
    # BEGIN, redemption, then grant, family and event together, COMMIT.
    assert await round_trips(counted, "POST", "/token", data=form, auth=credentials(state.party)) == 4
