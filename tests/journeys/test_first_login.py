"""The whole road, as a person and a relying party walk it."""

from collections.abc import Iterator

import pytest

from tests.support.pairs import PAIRS, POOLED
from tests.support.person import Person
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty, register


@pytest.fixture(scope="module", params=(*PAIRS, POOLED))
def provider(request: pytest.FixtureRequest) -> Iterator[RunningProvider]:
    """A provider on each pair of stores, and behind a pooler."""
    with running_provider(pair=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def party(provider: RunningProvider) -> RelyingParty:
    return register(provider)


async def test_a_person_signs_in_with_a_code_and_the_client_learns_who_it_is(
    provider: RunningProvider, party: RelyingParty
) -> None:
    async with Person() as person:
        answer = await person.sign_in(provider, party.authorization_url(), "asha@example.com")
    assert answer["state"] == party.state
    assert answer["iss"] == provider.issuer
    tokens = (await party.exchange(answer["code"])).json()
    assert tokens["token_type"] == "Bearer"
    claims = (await party.userinfo(tokens["access_token"])).json()
    assert claims["email"] == "asha@example.com"
    assert claims["email_verified"] is True
    again = (await party.refresh(tokens["refresh_token"])).json()
    assert (await party.userinfo(again["access_token"])).json()["sub"] == claims["sub"]
