"""Opaque access tokens at the door: which resources get them, what they are good for, and when they end."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.endpoints.people import ASHA, CODE, PEOPLE, a_code, some_tokens
from tests.endpoints.refusal import check_refusal
from tests.support.jwt import claims_of
from tests.support.provider import RunningProvider, free_port, http_client, running_provider
from tests.support.relying_party import REDIRECT_URI, RelyingParty, register
from watchword.protocol.id_token import half_hash

VAULT, SAFE, READ = "https://vault.example", "https://safe.example", "https://read.example"
OPEN, LOCK, LOOK = "vault:open", "safe:lock", "read:look"
WORDS = ("openid", "email", "offline_access", OPEN, LOCK, LOOK)
EVERY = tuple(argument for word in WORDS for argument in ("--scope", word))


@dataclass
class World:
    """Two opaque resources, one that reads its tokens, and two clients."""

    provider: RunningProvider
    party: RelyingParty
    machine: RelyingParty


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    people = ",".join(f"{identifier}:{CODE}" for identifier in PEOPLE)
    with running_provider(test_limits="off", test_identifiers=people) as provider, ThreadPoolExecutor(4) as pool:
        resources = [
            pool.submit(add_resource, provider, VAULT, OPEN, "--opaque"),
            pool.submit(add_resource, provider, SAFE, LOCK, "--opaque", "--lifetime", "60"),
            pool.submit(add_resource, provider, READ, LOOK),
        ]
        party = pool.submit(register, provider, *EVERY)
        machine = pool.submit(register, provider, "--grant", "client_credentials", *EVERY)
        for resource in resources:
            assert resource.result().returncode == 0
        yield World(provider, party.result(), machine.result())


def add_resource(provider: RunningProvider, audience: str, scope: str, *options: str) -> Any:
    return provider.command("resources", "add", "--audience", audience, "--scope", scope, *options)


def check_opaque(token: str) -> None:
    """Check that nothing in it can be read, by whichever way somebody takes it apart."""
    assert token.startswith("ww_at_")
    assert token.isascii()
    assert "." not in token
    content = token.removeprefix("ww_at_")
    raw = base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))
    for word in (b"sub", b"aud", b"vault", b"localhost"):
        assert word not in raw


async def userinfo(world: World, token: str) -> httpx2.Response:
    return await world.party.userinfo(token)


async def test_a_client_gets_an_opaque_token_for_an_opaque_resource_and_a_jwt_otherwise(world: World) -> None:
    opaque = await some_tokens(world.party, VAULT, scope=f"openid {OPEN}")
    check_opaque(opaque["access_token"])
    assert (opaque["token_type"], opaque["expires_in"]) == ("Bearer", 900)
    assert set(opaque["scope"].split()) == {"openid", OPEN}
    readable = await some_tokens(world.party, READ, scope=f"openid {LOOK}")
    assert claims_of(readable["access_token"])["aud"] == READ
    assert claims_of((await some_tokens(world.party))["access_token"])["aud"] == world.provider.issuer


async def test_a_machine_gets_one_too(world: World) -> None:
    answer = await world.machine.token(grant_type="client_credentials", resource=VAULT)
    check_opaque(answer.json()["access_token"])


async def test_a_resources_lifetime_counts(world: World) -> None:
    tokens = await some_tokens(world.party, SAFE, scope=f"openid {LOCK}")
    assert tokens["expires_in"] == 60
    world.provider.advance(59)
    assert (await userinfo(world, tokens["access_token"])).status_code == 200
    world.provider.advance(2)
    assert (await userinfo(world, tokens["access_token"])).status_code == 401


async def test_no_two_tokens_are_alike(world: World) -> None:
    answers = [await world.machine.token(grant_type="client_credentials", resource=VAULT) for _ in range(5)]
    sealed = [answer.json()["access_token"][len("ww_at_") + 7 :] for answer in answers]
    assert len({text[:20] for text in sealed}) == len(sealed)


async def test_the_id_token_is_bound_to_the_opaque_token(world: World) -> None:
    tokens = await some_tokens(world.party, VAULT, scope=f"openid {OPEN}")
    assert claims_of(tokens["id_token"])["at_hash"] == half_hash(tokens["access_token"], "RS256")


async def test_a_refresh_gives_an_opaque_token_again(world: World) -> None:
    tokens = await some_tokens(world.party, VAULT, scope=f"openid {OPEN}")
    again = (await world.party.refresh(tokens["refresh_token"])).json()
    check_opaque(again["access_token"])
    assert (await userinfo(world, again["access_token"])).status_code == 200


async def test_userinfo_takes_an_opaque_token_until_its_grant_is_over(world: World) -> None:
    code = await a_code(world.party, VAULT, scope=f"openid email {OPEN}")
    token = (await world.party.exchange(code)).json()["access_token"]
    answer = await userinfo(world, token)
    assert (answer.status_code, answer.json()["email"]) == (200, ASHA)
    world.provider.advance(6)
    check_refusal(await world.party.exchange(code), 400, "invalid_grant")  # a replay, which ends the grant
    answer = await userinfo(world, token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


async def test_userinfo_asks_an_opaque_token_for_its_scope(world: World) -> None:
    token = (await some_tokens(world.party, VAULT, scope=OPEN))["access_token"]
    assert (await userinfo(world, token)).status_code == 403
    machine = (await world.machine.token(grant_type="client_credentials", resource=VAULT)).json()["access_token"]
    assert (await userinfo(world, machine)).status_code == 403


async def test_a_tampered_opaque_token_is_refused(world: World) -> None:
    token = (await some_tokens(world.party, VAULT, scope=f"openid {OPEN}"))["access_token"]
    for position in range(6, len(token), 29):
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert (await userinfo(world, changed)).json()["error"] == "invalid_token"


async def test_two_opaque_resources_share_a_token(world: World) -> None:
    tokens = await some_tokens(world.party, VAULT, SAFE, scope=f"openid {OPEN} {LOCK}")
    check_opaque(tokens["access_token"])
    assert tokens["expires_in"] == 60


async def test_no_token_is_for_resources_of_both_kinds_and_asking_for_one_consumes_nothing(world: World) -> None:
    code = await a_code(world.party, VAULT, READ, scope=f"openid {OPEN} {LOOK}")
    check_refusal(await world.party.exchange(code), 400, "invalid_target")
    tokens = (await world.party.exchange(code, resource=VAULT)).json()
    check_opaque(tokens["access_token"])
    check_refusal(await world.party.refresh(tokens["refresh_token"]), 400, "invalid_target")
    readable = (await world.party.refresh(tokens["refresh_token"], resource=READ)).json()
    assert claims_of(readable["access_token"])["aud"] == READ
    async with http_client() as http:
        form = [("grant_type", "client_credentials"), ("resource", VAULT), ("resource", READ)]
        body = "&".join(f"{name}={value}" for name, value in form)
        answer = await http.post(
            f"{world.provider.issuer}/token",
            content=body.encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
            auth=(world.machine.client_id, world.machine.secret or ""),
        )
    check_refusal(answer, 400, "invalid_target")


def test_the_operator_is_told_when_nobody_could_look_tokens_up(world: World) -> None:
    lonely = add_resource(world.provider, "https://lonely.example", "lonely", "--opaque")
    assert (lonely.returncode, "--client" in lonely.stderr) == (0, True)
    metadata = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    public = httpx2.post(f"{world.provider.issuer}/register", json=metadata).json()["client_id"]
    for client, problem in (("c_nobody", "no client c_nobody"), (public, "is public")):
        refused = add_resource(world.provider, "https://other.example", "other", "--client", client)
        assert refused.returncode == 1
        (line,) = refused.stderr.splitlines()
        assert problem in line


def test_resources_are_listed_with_their_kind_of_tokens(world: World) -> None:
    listed = json.loads(world.provider.command("resources", "list", "--json").stdout)
    by_audience = {resource["audience"]: resource for resource in listed}
    assert by_audience[VAULT] == {"audience": VAULT, "scopes": [OPEN], "tokens": "opaque"}
    assert by_audience[SAFE]["lifetime"] == 60
    assert by_audience[READ]["tokens"] == "jwt"


async def test_tokens_from_before_a_restore_are_dead_those_of_machines_too(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "port": free_port(),
        "database_url": f"sqlite:///{tmp_path}/watchword.sqlite3",
        "ephemeral_url": f"sqlite:///{tmp_path}/ephemeral.sqlite3",
    }
    with running_provider(**settings) as provider:
        api = register(provider, "--grant", "client_credentials", "--scope", OPEN, "--scope", LOOK)
        for audience, scope, kind in ((VAULT, OPEN, ["--opaque"]), (READ, LOOK, [])):
            assert add_resource(provider, audience, scope, "--client", api.client_id, *kind).returncode == 0
        before = [await _machine_token(api, audience) for audience in (VAULT, READ)]
        assert [await _is_active(api, token) for token in before] == [True, True]
        assert provider.command("db", "restored").returncode == 0
    with running_provider(**settings) as provider:
        api.provider = provider
        after = [await _machine_token(api, audience) for audience in (VAULT, READ)]
        assert [await _is_active(api, token) for token in before] == [False, False]
        assert [await _is_active(api, token) for token in after] == [True, True]


async def _machine_token(api: RelyingParty, audience: str) -> str:
    token: str = (await api.token(grant_type="client_credentials", resource=audience)).json()["access_token"]
    return token


async def _is_active(api: RelyingParty, token: str) -> bool:
    async with http_client() as http:
        answer = await http.post(
            f"{api.provider.issuer}/introspect", data={"token": token}, auth=(api.client_id, api.secret or "")
        )
    active: bool = answer.json()["active"]
    return active
