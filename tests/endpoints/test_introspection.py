"""Introspection: who may learn what about a token, and that everybody else learns nothing."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.endpoints.people import ASHA, BEN, CHITRA, CODE, DEV, PEOPLE, a_code, authorized, some_tokens
from tests.endpoints.refusal import check_refusal
from tests.support.jwt import claims_of
from tests.support.person import Person
from tests.support.provider import RunningProvider, http_client, running_provider
from tests.support.relying_party import REDIRECT_URI, RelyingParty, register
from tests.support.secrecy import remember_secret

ORDERS, BILLS = "https://orders.example", "https://bills.example"
VAULT, SAFE = "https://vault.example", "https://safe.example"
SCOPES = {ORDERS: "orders:read", BILLS: "bills:read", VAULT: "vault:open", SAFE: "safe:open"}
READ, OPAQUE = (ORDERS, BILLS), (VAULT, SAFE)
INACTIVE = {"active": False}
MEMBERS = {
    "active", "token_type", "iss", "sub", "aud", "client_id", "exp", "iat", "jti", "sid", "auth_time", "amr", "acr",
    "scope",
}  # fmt: skip


@dataclass
class World:
    """A provider with four resources: the clients that introspect for them, and those that have tokens."""

    provider: RunningProvider
    apis: dict[str, RelyingParty]
    party: RelyingParty
    machine: RelyingParty
    public: RelyingParty
    stranger: RelyingParty


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A provider of its own, for it has other resources than the rest of this folder."""
    words = ["openid", "email", "offline_access", *SCOPES.values()]
    every = [argument for word in words for argument in ("--scope", word)]
    machine = ["--grant", "client_credentials"]
    people = ",".join(f"{identifier}:{CODE}" for identifier in PEOPLE)
    with running_provider(test_limits="off", test_identifiers=people) as provider, ThreadPoolExecutor(4) as pool:
        apis = {audience: pool.submit(add_api, provider, audience) for audience in SCOPES}
        party = pool.submit(register, provider, *every)
        alone = pool.submit(register, provider, *every, *machine)
        yield World(
            provider,
            {audience: api.result() for audience, api in apis.items()},
            party.result(),
            alone.result(),
            registered_itself(provider, token_endpoint_auth_method="none"),
            registered_itself(provider),
        )


def registered_itself(provider: RunningProvider, **changes: Any) -> RelyingParty:
    metadata = {"redirect_uris": [REDIRECT_URI]} | changes
    client = httpx2.post(f"{provider.issuer}/register", json=metadata).json()
    secret = client.get("client_secret")
    return RelyingParty(provider, client["client_id"], secret and remember_secret(secret))


def add_api(provider: RunningProvider, audience: str) -> RelyingParty:
    client = registered_itself(provider)
    options = ["--audience", audience, "--scope", SCOPES[audience], "--client", client.client_id]
    done = provider.command("resources", "add", *options, *(["--opaque"] if audience in OPAQUE else []))
    assert (done.returncode, done.stderr) == (0, "")
    return client


async def introspect(client: RelyingParty, token: str | None, **form: str) -> httpx2.Response:
    """Ask as a client that authenticates by HTTP Basic."""
    content = form | ({} if token is None else {"token": token})
    async with http_client() as http:
        return await http.post(
            f"{client.provider.issuer}/introspect", data=content, auth=(client.client_id, client.secret or "")
        )


async def told(client: RelyingParty, token: str, **form: str) -> dict[str, Any]:
    answer = await introspect(client, token, **form)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    content: dict[str, Any] = answer.json()
    return content


async def tokens_at(world: World, *audiences: str, identifier: str = ASHA, **changes: str) -> dict[str, Any]:
    scope = " ".join(["openid", "email", *(SCOPES[audience] for audience in audiences)])
    return await some_tokens(world.party, *audiences, identifier=identifier, **({"scope": scope} | changes))


@pytest.mark.parametrize("audience", [ORDERS, VAULT])
async def test_a_resource_learns_what_a_token_for_it_says(world: World, audience: str) -> None:
    tokens = await tokens_at(world, audience)
    facts = await told(world.apis[audience], tokens["access_token"])
    person = claims_of(tokens["id_token"])
    assert facts.keys() == MEMBERS
    assert facts["active"] is True
    assert (facts["iss"], facts["sub"], facts["sid"]) == (world.provider.issuer, person["sub"], person["sid"])
    assert (facts["aud"], facts["client_id"]) == (audience, world.party.client_id)
    assert (facts["token_type"], facts["amr"], facts["acr"]) == ("Bearer", person["amr"], person["acr"])
    assert facts["auth_time"] == person["auth_time"]
    assert facts["exp"] - facts["iat"] == 900
    assert set(facts["scope"].split()) == {"openid", "email", SCOPES[audience]}


@pytest.mark.parametrize("audience", [ORDERS, VAULT])
async def test_a_machines_token_has_no_person(world: World, audience: str) -> None:
    tokens = (await world.machine.token(grant_type="client_credentials", resource=audience)).json()
    facts = await told(world.apis[audience], tokens["access_token"])
    assert facts.keys() == MEMBERS - {"sid", "auth_time", "amr", "acr"}
    assert facts["sub"] == facts["client_id"] == world.machine.client_id
    assert facts["scope"] == SCOPES[audience]


@pytest.mark.parametrize("pair", [READ, OPAQUE])
async def test_of_a_token_for_two_resources_each_learns_its_own_part(world: World, pair: tuple[str, str]) -> None:
    token = (await tokens_at(world, *pair))["access_token"]
    for audience in pair:
        facts = await told(world.apis[audience], token)
        assert facts["aud"] == audience
        assert set(facts["scope"].split()) == {"openid", "email", SCOPES[audience]}


@pytest.mark.parametrize("audience", [ORDERS, VAULT])
async def test_nobody_else_learns_anything_about_it(world: World, audience: str) -> None:
    token = (await tokens_at(world, audience))["access_token"]
    others = [api for name, api in world.apis.items() if name != audience]
    for client in (*others, world.party, world.machine, world.stranger):
        assert await told(client, token) == INACTIVE
    assert (await told(world.apis[audience], token))["active"] is True


async def test_a_token_for_the_provider_itself_is_nobodys_business(world: World) -> None:
    token = (await tokens_at(world))["access_token"]
    for client in (*world.apis.values(), world.party):
        assert await told(client, token) == INACTIVE


async def test_what_is_no_token_is_not_active(world: World) -> None:
    tokens = await tokens_at(world, ORDERS)
    header, payload, signature = tokens["access_token"].split(".")
    opaque = (await tokens_at(world, VAULT))["access_token"]
    for text in (
        "abc", "a.b.c", "ww_at_", "ww_at_AAAA", "wr1.x.y.0.z", "\u0939", "x" * 10_000, tokens["id_token"],
        f"{header}.{payload}.", f"{header}.{payload}.{signature[:-4]}AAAA", opaque[:-1],
        opaque[:-4] + "AAAA", opaque + " ",
    ):  # fmt: skip
        for audience in (ORDERS, VAULT):
            assert await told(world.apis[audience], text) == INACTIVE, text[:40]


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
async def test_a_hint_changes_nothing(world: World, hint: str) -> None:
    tokens = await tokens_at(world, VAULT)
    assert (await told(world.apis[VAULT], tokens["access_token"], token_type_hint=hint))["active"] is True
    assert (await told(world.party, tokens["refresh_token"], token_type_hint=hint))["active"] is True


@pytest.mark.parametrize("audience", [ORDERS, VAULT])
async def test_a_token_is_over_when_its_person_signs_out(world: World, audience: str) -> None:
    async with Person() as person:
        url = world.party.authorization_url(scope=f"openid {SCOPES[audience]}", resource=audience)
        answer = await authorized(person, url)
        tokens = (await world.party.exchange(answer["code"])).json()
        assert (await told(world.apis[audience], tokens["access_token"]))["active"] is True
        await person.http.get(f"{world.provider.issuer}/logout", params={"id_token_hint": tokens["id_token"]})
    assert await told(world.apis[audience], tokens["access_token"]) == INACTIVE
    assert await told(world.party, tokens["refresh_token"]) == INACTIVE


async def test_tokens_are_over_when_their_account_is_disabled(world: World) -> None:
    every = {audience: await tokens_at(world, audience, identifier=BEN) for audience in (ORDERS, VAULT)}
    for audience, tokens in every.items():
        assert (await told(world.apis[audience], tokens["access_token"]))["active"] is True
    subject = claims_of(every[ORDERS]["id_token"])["sub"]
    assert world.provider.command("accounts", "disable", subject).returncode == 0
    for audience, tokens in every.items():
        assert await told(world.apis[audience], tokens["access_token"]) == INACTIVE
        assert await told(world.party, tokens["refresh_token"]) == INACTIVE


@pytest.mark.parametrize(("ending", "identifier"), [("account", CHITRA), ("client", DEV)])
async def test_what_is_kept_for_offline_use_is_over_with_its_account_and_its_client(
    world: World, ending: str, identifier: str
) -> None:
    """Signing out spared its grant, so it is over only because each look reads both anew."""
    words = ("openid", "offline_access", SCOPES[ORDERS])
    party = register(world.provider, *[argument for word in words for argument in ("--scope", word)])
    async with Person() as person:
        url = party.authorization_url(scope=" ".join(words), resource=ORDERS)
        tokens = (await party.exchange((await authorized(person, url, identifier))["code"])).json()
        await person.http.get(f"{world.provider.issuer}/logout", params={"id_token_hint": tokens["id_token"]})
    assert (await told(world.apis[ORDERS], tokens["access_token"]))["active"] is True
    over = {"account": ("accounts", "disable", identifier), "client": ("clients", "remove", party.client_id)}
    assert world.provider.command(*over[ending]).returncode == 0
    assert await told(world.apis[ORDERS], tokens["access_token"]) == INACTIVE


async def test_a_machines_tokens_are_over_when_its_client_is_removed(world: World) -> None:
    scopes = ("--scope", SCOPES[ORDERS], "--scope", SCOPES[VAULT])
    gone = register(world.provider, "--grant", "client_credentials", *scopes)
    tokens = {
        audience: (await gone.token(grant_type="client_credentials", resource=audience)).json()["access_token"]
        for audience in (ORDERS, VAULT)
    }
    for audience, token in tokens.items():
        assert (await told(world.apis[audience], token))["active"] is True
    assert world.provider.command("clients", "remove", gone.client_id).returncode == 0
    for audience, token in tokens.items():
        assert await told(world.apis[audience], token) == INACTIVE


@pytest.mark.parametrize("audience", [ORDERS, VAULT])
async def test_a_token_is_over_when_it_expires(world: World, audience: str) -> None:
    token = (await tokens_at(world, audience))["access_token"]
    world.provider.advance(895)
    assert (await told(world.apis[audience], token))["active"] is True
    world.provider.advance(6)
    assert await told(world.apis[audience], token) == INACTIVE


async def test_a_replayed_code_ends_its_token(world: World) -> None:
    code = await a_code(world.party, VAULT, scope=f"openid {SCOPES[VAULT]}")
    token = (await world.party.exchange(code)).json()["access_token"]
    world.provider.advance(6)
    check_refusal(await world.party.exchange(code), 400, "invalid_grant")
    assert await told(world.apis[VAULT], token) == INACTIVE


async def test_a_client_may_look_at_its_own_refresh_token_and_wears_nothing_out(world: World) -> None:
    tokens = await tokens_at(world, ORDERS)
    person = claims_of(tokens["id_token"])
    first, second = [await told(world.party, tokens["refresh_token"]) for _ in range(2)]
    assert (
        first
        == second
        == {
            "active": True,
            "iss": world.provider.issuer,
            "sub": person["sub"],
            "client_id": world.party.client_id,
            "scope": f"openid email {SCOPES[ORDERS]}",
            "sid": person["sid"],
            "auth_time": person["auth_time"],
            "amr": person["amr"],
            "acr": person["acr"],
        }
    )
    assert (await world.party.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_refresh_token_is_its_own_clients_business_alone(world: World) -> None:
    token = (await tokens_at(world, ORDERS))["refresh_token"]
    for client in (world.apis[ORDERS], world.machine, world.stranger):
        assert await told(client, token) == INACTIVE
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert await told(world.party, forged) == INACTIVE
    version, kid, _, generation, tag = token.split(".")
    assert await told(world.party, ".".join([version, kid, "0" * 32, generation, tag])) == INACTIVE


async def test_an_old_copy_of_a_refresh_token_is_not_active_and_looking_at_it_ends_nothing(world: World) -> None:
    first = (await tokens_at(world, ORDERS))["refresh_token"]
    second = remember_secret((await world.party.refresh(first)).json()["refresh_token"])
    assert (await told(world.party, first))["active"] is True  # it would still be answered
    third = remember_secret((await world.party.refresh(second)).json()["refresh_token"])
    assert await told(world.party, first) == INACTIVE
    assert (await world.party.refresh(third)).status_code == 200


async def test_who_does_not_authenticate_learns_nothing(world: World) -> None:
    token = (await tokens_at(world, ORDERS))["access_token"]
    api = world.apis[ORDERS]
    wrong = RelyingParty(world.provider, api.client_id, "wrong")
    unknown = RelyingParty(world.provider, "c_unknown", "wrong")
    for client in (wrong, unknown):
        answer = await introspect(client, token)
        check_refusal(answer, 401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")
    async with http_client() as http:
        url = f"{world.provider.issuer}/introspect"
        check_refusal(await http.post(url, data={"token": token}), 401, "invalid_client")
        check_refusal(await http.post(url, data={"token": token, "client_id": api.client_id}), 401, "invalid_client")
        check_refusal(
            await http.post(url, data={"token": token, "client_id": world.public.client_id}), 401, "invalid_client"
        )
        bearer = {"authorization": f"Bearer {token}"}
        check_refusal(await http.post(url, data={"token": token}, headers=bearer), 401, "invalid_client")


async def test_malformed_requests_are_refused(world: World) -> None:
    api = world.apis[ORDERS]
    pair = (api.client_id, api.secret or "")
    check_refusal(await introspect(api, None), 400, "invalid_request")
    check_refusal(await introspect(api, ""), 400, "invalid_request")
    async with http_client() as http:
        url = f"{world.provider.issuer}/introspect"
        form = {"content-type": "application/x-www-form-urlencoded"}
        twice = await http.post(url, content=b"token=a&token=b", headers=form, auth=pair)
        check_refusal(twice, 400, "invalid_request")
        check_refusal(await http.post(url, json={"token": "a"}, auth=pair), 400, "invalid_request")
        by_get = await http.get(url, params={"token": "a"}, auth=pair)
        assert (by_get.status_code, by_get.headers["allow"]) == (405, "POST")


async def test_the_endpoint_and_its_methods_are_discovered(world: World) -> None:
    document = httpx2.get(f"{world.provider.issuer}/.well-known/openid-configuration").json()
    assert document["introspection_endpoint"] == f"{world.provider.issuer}/introspect"
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    assert document["introspection_endpoint_auth_methods_supported"] == methods


async def test_asking_about_somebody_elses_token_is_an_event(world: World) -> None:
    before = _denials(world)
    tokens = await tokens_at(world, ORDERS)
    await told(world.apis[BILLS], tokens["access_token"])
    await told(world.apis[BILLS], tokens["refresh_token"])
    await told(world.apis[BILLS], "abc")
    after = _denials(world)
    assert after[len(before) :] == [(world.apis[BILLS].client_id, world.party.client_id)] * 2


def _denials(world: World) -> list[tuple[str, str]]:
    file = world.provider.folder / "watchword.sqlite3"
    with sqlite3.connect(file) as connection:
        rows = connection.execute(
            "SELECT client_id, detail FROM audit_event WHERE name = 'token.introspection_denied' ORDER BY id"
        ).fetchall()
    connection.close()
    return [(client_id, json.loads(detail)["issued_to"]) for client_id, detail in rows]
