"""Two providers on one PostgreSQL and one Valkey are one provider: every request of a journey may go to either."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.login.doors import ask, fresh_email, page_of
from tests.support.alternating import alternating
from tests.support.pairs import SERVERS, settings_of
from tests.support.person import Person
from tests.support.provider import RunningProvider, free_port, running_provider
from tests.support.relying_party import RelyingParty, register


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    """Two providers behind one address."""
    front, one, other = free_port(), free_port(), free_port()
    with settings_of(SERVERS) as stores, alternating(front, one, other):
        issuer = f"http://localhost:{front}"
        with (
            running_provider(port=one, issuer=issuer, stores=stores) as first,
            running_provider(port=other, issuer=issuer, stores=stores),
        ):
            yield first


@pytest.fixture(scope="module")
def party(provider: RunningProvider) -> RelyingParty:
    return register(provider)


@pytest.fixture
async def person() -> AsyncIterator[Person]:
    async with Person() as person:
        yield person


async def tokens_of(person: Person, party: RelyingParty, email: str) -> dict[str, str]:
    await person.type_code(await ask(person, party, email))
    tokens: dict[str, str] = (await party.exchange(person.answer()["code"])).json()
    return tokens


async def userinfo_at_both(party: RelyingParty, tokens: dict[str, str]) -> list[int]:
    return [(await party.userinfo(tokens["access_token"])).status_code for _ in range(2)]


async def test_a_journey_whose_requests_go_to_either_is_one_journey(party: RelyingParty, person: Person) -> None:
    tokens = await tokens_of(person, party, fresh_email())
    assert await userinfo_at_both(party, tokens) == [200, 200]
    for _ in range(4):
        answer = await party.refresh(tokens["refresh_token"])
        assert answer.status_code == 200
        tokens = answer.json()
    assert await userinfo_at_both(party, tokens) == [200, 200]
    for _ in range(2):  # signed in at both
        await person.open(party.authorization_url(prompt="none"))
        assert "code" in person.answer()


async def test_a_sign_out_holds_at_both_at_once(party: RelyingParty, person: Person) -> None:
    tokens = await tokens_of(person, party, fresh_email())
    await person.open(f"{party.provider.issuer}/logout?id_token_hint={tokens['id_token']}")
    assert "You are signed out" in page_of(person).title
    assert await userinfo_at_both(party, tokens) == [401, 401]
    for _ in range(2):
        assert (await party.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_new_client_works_at_both_at_once_and_a_removed_one_at_neither(
    provider: RunningProvider, person: Person
) -> None:
    party = register(provider)
    tokens = await tokens_of(person, party, fresh_email())
    for _ in range(2):
        assert (await party.token(grant_type="client_credentials")).json()["error"] == "unauthorized_client"
    assert await userinfo_at_both(party, tokens) == [200, 200]
    assert provider.command("clients", "remove", party.client_id).returncode == 0
    assert await userinfo_at_both(party, tokens) == [401, 401]
    for _ in range(2):
        assert (await party.refresh(tokens["refresh_token"])).status_code in {400, 401}


async def test_a_disabled_account_is_out_at_both_at_once(
    provider: RunningProvider, party: RelyingParty, person: Person
) -> None:
    email = fresh_email()
    tokens = await tokens_of(person, party, email)
    [account] = provider.rows("SELECT account_id FROM identifier WHERE value = :value", value=email)
    assert provider.command("accounts", "disable", account["account_id"]).returncode == 0
    assert await userinfo_at_both(party, tokens) == [401, 401]
    for _ in range(2):
        assert (await party.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
        await person.open(party.authorization_url(prompt="none"))
        assert person.answer()["error"] == "login_required"
