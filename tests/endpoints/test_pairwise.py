"""Pairwise subjects over HTTP: the same one wherever a client meets its person, another one in other sectors."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.endpoints.people import ASHA, BEN, CODE, PEOPLE, PHONE, some_tokens
from tests.support.jwt import claims_of
from tests.support.provider import RunningProvider, http_client, running_provider
from tests.support.relying_party import RelyingParty, register_document, register_itself

VAULT, READ = "https://vault.example", "https://read.example"
SCOPES = {VAULT: "vault:open", READ: "read:look"}
WORDS = ["openid", "email", "phone", "offline_access", *SCOPES.values()]


@dataclass
class World:
    """Two clients of one sector, one of another, one with public subjects, and the API that introspects."""

    provider: RunningProvider
    first: RelyingParty
    second: RelyingParty
    elsewhere: RelyingParty
    public: RelyingParty
    api: RelyingParty


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    people = ",".join(f"{identifier}:{CODE}" for identifier in PEOPLE)
    with running_provider(test_limits="off", test_identifiers=people) as provider, ThreadPoolExecutor() as pool:
        api = register_itself(provider)
        first = pool.submit(
            register_document,
            provider,
            redirect_uris=["https://app.example/callback"],
            subject_type="pairwise",
            scope=" ".join(WORDS),
            grant_types=["authorization_code", "refresh_token"],
        )
        for done in list(pool.map(lambda audience: add_resource(provider, audience, api), SCOPES)):
            assert done.returncode == 0, done.stderr
        yield World(
            provider,
            first.result(),
            client(provider, "https://app.example:8443/other"),
            client(provider, "https://other.example/callback"),
            client(provider, "https://app.example/callback", subject_type="public"),
            api,
        )


def add_resource(provider: RunningProvider, audience: str, api: RelyingParty) -> Any:
    options = ["--audience", audience, "--scope", SCOPES[audience], "--client", api.client_id]
    return provider.command("resources", "add", *options, *(["--opaque"] if audience == VAULT else []))


def client(provider: RunningProvider, redirect_uri: str, subject_type: str = "pairwise") -> RelyingParty:
    return register_itself(provider, redirect_uris=[redirect_uri], subject_type=subject_type)


async def subject(party: RelyingParty, identifier: str = ASHA) -> str:
    found: str = claims_of((await some_tokens(party, identifier=identifier))["id_token"])["sub"]
    return found


async def introspected(party: RelyingParty, token: str) -> dict[str, Any]:
    async with http_client() as http:
        url = f"{party.provider.issuer}/introspect"
        answer = await http.post(url, data={"token": token}, auth=(party.client_id, party.secret or ""))
    facts: dict[str, Any] = answer.json()
    return facts


async def test_a_sector_knows_a_person_by_one_subject_and_others_by_another(world: World) -> None:
    first, second = await subject(world.first), await subject(world.second)
    elsewhere, public = await subject(world.elsewhere), await subject(world.public)
    assert first == second == await subject(world.first)
    assert len({first, elsewhere, public, await subject(world.first, BEN)}) == 4
    assert first.startswith("p_")


@pytest.mark.parametrize("audience", [VAULT, READ])
async def test_a_client_meets_the_same_subject_everywhere(world: World, audience: str) -> None:
    expected = await subject(world.first)
    scope = f"openid email {SCOPES[audience]}"
    tokens = await some_tokens(world.first, audience, scope=scope)
    again = (await world.first.refresh(tokens["refresh_token"])).json()
    for each in (tokens, again):
        assert claims_of(each["id_token"])["sub"] == expected
        assert (await world.first.userinfo(each["access_token"])).json()["sub"] == expected
        assert (await introspected(world.api, each["access_token"]))["sub"] == expected
        if audience == READ:
            assert claims_of(each["access_token"])["sub"] == expected
    assert (await introspected(world.first, again["refresh_token"]))["sub"] == expected


async def test_no_token_of_such_a_client_names_the_account(world: World) -> None:
    tokens, account = await some_tokens(world.first), await subject(world.public)
    assert world.provider.rows("SELECT 1 FROM account WHERE id = :id", id=account)
    for token in (tokens["id_token"], tokens["access_token"]):
        assert account not in str(claims_of(token))


async def test_no_identifier_is_ever_a_subject(world: World) -> None:
    for identifier in (ASHA, PHONE):
        for party in (world.first, world.elsewhere, world.public):
            found = await subject(party, identifier)
            assert "@" not in found
            assert identifier.lstrip("+") not in found
            assert identifier.partition("@")[0] not in found


async def test_no_subject_is_a_client_id(world: World) -> None:
    """RFC 9700 section 4.15: a client that acts for itself has its client id as `sub`."""
    for party in (world.first, world.public):
        assert not (await subject(party)).startswith("c_")
        assert party.client_id.startswith("c_")
