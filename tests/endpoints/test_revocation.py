"""The revocation endpoint: what dies with a token, whose tokens one may revoke, and what everybody is answered."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.endpoints.people import CODE, PEOPLE, a_code, some_tokens
from tests.endpoints.refusal import check_refusal
from tests.support.jwt import claims_of
from tests.support.provider import RunningProvider, http_client, running_provider
from tests.support.relying_party import RelyingParty, register, register_itself

VAULT, READ = "https://vault.example", "https://read.example"
SCOPES = {VAULT: "vault:open", READ: "read:look"}
WORDS = ("openid", "email", "offline_access", *SCOPES.values())
EVERY = tuple(argument for word in WORDS for argument in ("--scope", word))
NONSENSE = ("abc", "a.b.c", "ww_at_AAAA", "wr1.x.y.0.z", "\u0939", "x" * 10_000)


@dataclass
class World:
    """A client that acts for people and for itself, another one, a public one, and the API that introspects."""

    provider: RunningProvider
    party: RelyingParty
    other: RelyingParty
    public: RelyingParty
    api: RelyingParty


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    people = ",".join(f"{identifier}:{CODE}" for identifier in PEOPLE)
    with running_provider(test_limits="off", test_identifiers=people) as provider, ThreadPoolExecutor() as pool:
        api = register_itself(provider)
        grants = ("authorization_code", "refresh_token", "client_credentials")
        options = [*EVERY, *(argument for grant in grants for argument in ("--grant", grant))]
        party = pool.submit(register, provider, *options)
        for done in list(pool.map(lambda audience: add_resource(provider, audience, api), SCOPES)):
            assert done.returncode == 0, done.stderr
        flow = {"grant_types": ["authorization_code", "refresh_token"]}
        public = register_itself(provider, token_endpoint_auth_method="none", **flow)
        yield World(provider, party.result(), register_itself(provider), public, api)


def add_resource(provider: RunningProvider, audience: str, api: RelyingParty) -> Any:
    options = ["--audience", audience, "--scope", SCOPES[audience], "--client", api.client_id]
    return provider.command("resources", "add", *options, *(["--opaque"] if audience == VAULT else []))


async def revoke(client: RelyingParty, token: str | None, **form: str) -> httpx2.Response:
    """Ask as a client that authenticates by HTTP Basic, or names itself when it is public."""
    content = form | ({} if token is None else {"token": token})
    url = f"{client.provider.issuer}/revoke"
    async with http_client() as http:
        if client.secret is None:
            return await http.post(url, data={"client_id": client.client_id} | content)
        return await http.post(url, data=content, auth=(client.client_id, client.secret))


def check_done(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")


async def tokens_at(party: RelyingParty, audience: str) -> dict[str, Any]:
    return await some_tokens(party, audience, scope=f"openid email {SCOPES[audience]}")


async def machine_token(world: World, audience: str) -> str:
    token: str = (await world.party.token(grant_type="client_credentials", resource=audience)).json()["access_token"]
    return token


async def is_active(client: RelyingParty, token: str) -> bool:
    async with http_client() as http:
        url = f"{client.provider.issuer}/introspect"
        answer = await http.post(url, data={"token": token}, auth=(client.client_id, client.secret or ""))
    assert answer.json() == {"active": False} or answer.json()["active"] is True
    return bool(answer.json()["active"])


async def is_good(party: RelyingParty, token: str) -> bool:
    answer = await party.userinfo(token)
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    return answer.status_code == 200


@pytest.mark.parametrize("audience", [VAULT, READ])
async def test_an_access_token_dies_alone_and_everywhere_at_once(world: World, audience: str) -> None:
    tokens = await tokens_at(world.party, audience)
    sibling = (await world.party.refresh(tokens["refresh_token"])).json()
    assert await is_good(world.party, tokens["access_token"])
    assert await is_active(world.api, tokens["access_token"])
    check_done(await revoke(world.party, tokens["access_token"]))
    assert not await is_good(world.party, tokens["access_token"])
    assert not await is_active(world.api, tokens["access_token"])
    assert await is_good(world.party, sibling["access_token"])
    assert await is_active(world.api, sibling["access_token"])
    assert (await world.party.refresh(sibling["refresh_token"])).status_code == 200


@pytest.mark.parametrize("audience", [VAULT, READ])
async def test_a_machines_token_dies_alone_too(world: World, audience: str) -> None:
    one, two = await machine_token(world, audience), await machine_token(world, audience)
    check_done(await revoke(world.party, one))
    assert [await is_active(world.api, token) for token in (one, two)] == [False, True]


@pytest.mark.parametrize("kind", ["party", "public"])
async def test_a_refresh_token_takes_its_whole_grant_along(world: World, kind: str) -> None:
    party: RelyingParty = getattr(world, kind)
    tokens, other = await some_tokens(party), await some_tokens(party)
    check_done(await revoke(party, tokens["refresh_token"]))
    assert not await is_good(party, tokens["access_token"])
    check_refusal(await party.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    assert await is_good(party, other["access_token"])
    assert (await party.refresh(other["refresh_token"])).status_code == 200


async def test_any_generation_ends_the_grant(world: World) -> None:
    tokens = [await tokens_at(world.party, READ)]
    for _ in range(3):
        tokens.append((await world.party.refresh(tokens[-1]["refresh_token"])).json())
    check_done(await revoke(world.party, tokens[0]["refresh_token"]))
    check_refusal(await world.party.refresh(tokens[-1]["refresh_token"]), 400, "invalid_grant")
    assert not any([await is_active(world.api, each["access_token"]) for each in tokens])
    assert not any([await is_good(world.party, each["access_token"]) for each in tokens])


async def test_a_revoked_code_grants_nothing_a_second_time(world: World) -> None:
    code = await a_code(world.party, scope="openid")
    tokens = (await world.party.exchange(code)).json()
    check_done(await revoke(world.party, tokens["refresh_token"]))
    check_refusal(await world.party.exchange(code), 400, "invalid_grant")


async def test_what_is_no_live_token_is_answered_like_a_success(world: World) -> None:
    tokens = await tokens_at(world.party, READ)
    access, refresh = tokens["access_token"], tokens["refresh_token"]
    version, kid, family, generation, tag = refresh.split(".")
    forged = ".".join([version, kid, family, generation, ("A" if tag[0] != "A" else "B") + tag[1:]])
    unknown = ".".join([version, kid, "0" * 32, generation, tag])
    for text in (*NONSENSE, access[:-4] + "AAAA", forged, unknown, tokens["id_token"]):
        check_done(await revoke(world.party, text))
    assert await is_good(world.party, access)
    for token in (access, refresh):
        for _ in range(2):
            check_done(await revoke(world.party, token))
    expired = (await tokens_at(world.party, READ))["access_token"]
    world.provider.advance(901)
    check_done(await revoke(world.party, expired))


@pytest.mark.parametrize("audience", [VAULT, READ])
async def test_another_clients_token_is_answered_alike_and_nothing_happens(world: World, audience: str) -> None:
    tokens, machines = await tokens_at(world.party, audience), await machine_token(world, audience)
    for client in (world.other, world.public, world.api):
        for token in (tokens["access_token"], tokens["refresh_token"], machines):
            check_done(await revoke(client, token))
    assert await is_good(world.party, tokens["access_token"])
    assert await is_active(world.api, machines)
    assert (await world.party.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
async def test_a_hint_changes_nothing(world: World, hint: str) -> None:
    tokens = await tokens_at(world.party, VAULT)
    check_done(await revoke(world.party, tokens["access_token"], token_type_hint=hint))
    assert not await is_good(world.party, tokens["access_token"])
    check_done(await revoke(world.party, tokens["refresh_token"], token_type_hint=hint))
    check_refusal(await world.party.refresh(tokens["refresh_token"]), 400, "invalid_grant")


async def test_who_does_not_authenticate_revokes_nothing(world: World) -> None:
    tokens = await tokens_at(world.party, READ)
    wrong = RelyingParty(world.provider, world.party.client_id, "wrong")
    nameless = RelyingParty(world.provider, world.party.client_id)
    unknown = RelyingParty(world.provider, "c_unknown", "wrong")
    for client in (wrong, nameless, unknown):
        for token in (tokens["access_token"], tokens["refresh_token"]):
            check_refusal(await revoke(client, token), 401, "invalid_client")
    async with http_client() as http:
        url = f"{world.provider.issuer}/revoke"
        check_refusal(await http.post(url, data={"token": tokens["access_token"]}), 401, "invalid_client")
    assert await is_good(world.party, tokens["access_token"])


async def test_malformed_requests_are_refused(world: World) -> None:
    pair = (world.party.client_id, world.party.secret or "")
    check_refusal(await revoke(world.party, None), 400, "invalid_request")
    check_refusal(await revoke(world.party, ""), 400, "invalid_request")
    async with http_client() as http:
        url = f"{world.provider.issuer}/revoke"
        form = {"content-type": "application/x-www-form-urlencoded"}
        check_refusal(await http.post(url, content=b"token=a&token=b", headers=form, auth=pair), 400, "invalid_request")
        check_refusal(await http.post(url, json={"token": "a"}, auth=pair), 400, "invalid_request")
        by_get = await http.get(url, params={"token": "a"}, auth=pair)
        assert (by_get.status_code, by_get.headers["allow"]) == (405, "POST")


def test_the_endpoint_is_discovered(world: World) -> None:
    document = httpx2.get(f"{world.provider.issuer}/.well-known/openid-configuration").json()
    assert document["revocation_endpoint"] == f"{world.provider.issuer}/revoke"


async def test_a_revocation_is_one_event_and_another_clients_token_one_of_its_own(world: World) -> None:
    tokens = await tokens_at(world.party, READ)
    begun = _newest(world)
    grant_id = claims_of(tokens["access_token"])["gid"]
    for token in (tokens["access_token"], tokens["refresh_token"]):
        await revoke(world.other, token)
        for _ in range(2):
            await revoke(world.party, token)
        await revoke(world.party, "abc")
    party, other = world.party.client_id, world.other.client_id
    denied = ("token.revocation_denied", other, {"issued_to": party})
    assert _events(world, begun) == [
        denied,
        ("token.revoked", party, {"token_type": "access_token", "grant_id": grant_id}),
        denied,
        ("token.revoked", party, {"token_type": "refresh_token", "grant_id": grant_id}),
    ]


async def test_sixty_revocations_at_once_are_one(world: World) -> None:
    tokens = await tokens_at(world.party, READ)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        begun = _newest(world)
        for answer in await asyncio.gather(*(revoke(world.party, token) for _ in range(60))):
            check_done(answer)
        assert [name for name, _, _ in _events(world, begun)] == ["token.revoked"]


async def test_a_revoked_token_is_forgotten_once_it_would_have_expired(world: World) -> None:
    token = (await tokens_at(world.party, READ))["access_token"]
    claims = claims_of(token)
    await revoke(world.party, token)
    [row] = world.provider.rows("SELECT expires_at FROM revoked_token WHERE jti = :jti", jti=claims["jti"])
    assert row["expires_at"] == claims["exp"] * 1_000_000


def _newest(world: World) -> int:
    [row] = world.provider.rows("SELECT MAX(id) AS id FROM audit_event")
    return int(row["id"])


def _events(world: World, begun: int) -> list[tuple[str, str, dict[str, Any]]]:
    query = "SELECT name, client_id, detail FROM audit_event WHERE id > :begun AND name LIKE 'token.rev%' ORDER BY id"
    rows = world.provider.rows(query, begun=begun)
    return [(row["name"], row["client_id"], json.loads(row["detail"])) for row in rows]
