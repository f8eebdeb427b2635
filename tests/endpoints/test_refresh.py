"""The refresh token grant: families, generations, and what ends them."""

import asyncio
import contextlib
import json
import sqlite3
from uuid import UUID

import pytest

from tests.endpoints.people import API, DEV, FILES, authorized, some_tokens
from tests.endpoints.refusal import check_refusal
from tests.support.jwt import claims_of
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty, register_itself

DAY = 24 * 3600


@pytest.fixture(params=["party", "public"])
def either(request: pytest.FixtureRequest) -> RelyingParty:
    """A client that authenticates, then one that cannot."""
    found: RelyingParty = request.getfixturevalue(request.param)
    return found


async def test_a_refresh_rotates_and_its_tokens_are_about_the_same_sign_in(
    provider: RunningProvider, either: RelyingParty
) -> None:
    first = await some_tokens(either)
    provider.advance(60)
    answer = await either.refresh(first["refresh_token"])
    second = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert second.keys() == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert second["refresh_token"] != first["refresh_token"]
    old, new = claims_of(first["id_token"]), claims_of(second["id_token"])
    assert new["iat"] >= old["iat"] + 60
    for name in ("iss", "sub", "aud", "auth_time", "amr", "sid"):
        assert new[name] == old[name]
    assert "nonce" not in new
    before, after = claims_of(first["access_token"]), claims_of(second["access_token"])
    assert before["jti"] != after["jti"]
    assert (before["gid"], before["sub"], before["scope"]) == (after["gid"], after["sub"], after["scope"])


async def test_the_generation_before_gives_the_same_successor_with_a_fresh_access_token(either: RelyingParty) -> None:
    first = (await some_tokens(either))["refresh_token"]
    answers = [(await either.refresh(first)).json() for _ in range(3)]
    assert len({answer["refresh_token"] for answer in answers}) == 1
    assert len({answer["access_token"] for answer in answers}) == 3
    assert (await either.refresh(answers[0]["refresh_token"])).status_code == 200


async def test_parallel_refreshes_all_get_the_same_successor(either: RelyingParty) -> None:
    token = (await some_tokens(either))["refresh_token"]
    answers = await asyncio.gather(*(either.refresh(token) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_a_generation_whose_commit_was_lost_counts_as_current(
    provider: RunningProvider, either: RelyingParty
) -> None:
    """As after a crash of the store's machine: the token went out, its row did not survive."""
    first = (await some_tokens(either))["refresh_token"]
    second = (await either.refresh(first)).json()["refresh_token"]
    family = UUID(second.split(".")[2])
    with contextlib.closing(sqlite3.connect(provider.folder / "watchword.sqlite3", isolation_level=None)) as store:
        changed = store.execute(
            "UPDATE refresh_family SET generation = 0 WHERE id IN (?, ?)", (str(family), family.hex)
        )
        assert changed.rowcount == 1
    third = (await either.refresh(second)).json()["refresh_token"]
    assert third.split(".")[3] == "2"
    assert (await either.refresh(third)).status_code == 200
    check_refusal(await either.refresh(first), 400, "invalid_grant")


async def test_a_public_client_has_thirty_seconds_for_that(provider: RunningProvider, public: RelyingParty) -> None:
    first = (await some_tokens(public))["refresh_token"]
    second = (await public.refresh(first)).json()
    provider.advance(25)
    assert (await public.refresh(first)).json()["refresh_token"] == second["refresh_token"]
    provider.advance(6)
    check_refusal(await public.refresh(first), 400, "invalid_grant")
    check_refusal(await public.refresh(second["refresh_token"]), 400, "invalid_grant")
    assert (await public.userinfo(second["access_token"])).status_code == 401


async def test_a_client_that_authenticates_has_until_the_successor_is_used(
    provider: RunningProvider, party: RelyingParty
) -> None:
    first = (await some_tokens(party))["refresh_token"]
    second = (await party.refresh(first)).json()["refresh_token"]
    provider.advance(3 * DAY)
    assert (await party.refresh(first)).json()["refresh_token"] == second
    assert (await party.refresh(second)).status_code == 200
    check_refusal(await party.refresh(first), 400, "invalid_grant")


async def test_an_older_generation_ends_the_whole_family(either: RelyingParty) -> None:
    tokens = [await some_tokens(either)]
    for _ in range(2):
        tokens.append((await either.refresh(tokens[-1]["refresh_token"])).json())
    check_refusal(await either.refresh(tokens[0]["refresh_token"]), 400, "invalid_grant")
    for token in tokens:
        check_refusal(await either.refresh(token["refresh_token"]), 400, "invalid_grant")
        assert (await either.userinfo(token["access_token"])).status_code == 401
    family = {"id": str(UUID(tokens[0]["refresh_token"].split(".")[2]))}
    [row] = either.provider.rows("SELECT grant_id, revoked_at FROM refresh_family WHERE id = :id", **family)
    assert row["revoked_at"] is not None
    query = "SELECT detail FROM audit_event WHERE name = 'refresh.reused' AND client_id = :client"
    told = [json.loads(event["detail"]) for event in either.provider.rows(query, client=either.client_id)]
    assert [each for each in told if each["grant_id"] == row["grant_id"]] == [
        {"grant_id": row["grant_id"], "generations_behind": 2}
    ]


async def test_an_old_copy_in_foreign_hands_ends_nothing(party: RelyingParty, public: RelyingParty) -> None:
    tokens = [await some_tokens(party)]
    for _ in range(2):
        tokens.append((await party.refresh(tokens[-1]["refresh_token"])).json())
    check_refusal(await public.refresh(tokens[0]["refresh_token"]), 400, "invalid_grant")
    check_refusal(await public.refresh(tokens[2]["refresh_token"]), 400, "invalid_grant")
    assert (await party.refresh(tokens[2]["refresh_token"])).status_code == 200


async def test_a_refresh_that_is_overtaken_again_and_again_may_be_tried_later_and_loses_nothing(
    provider: RunningProvider, party: RelyingParty
) -> None:
    """As if others changed the family each time: the store passes over every rotation of it."""
    token = (await some_tokens(party))["refresh_token"]
    family = UUID(token.split(".")[2])
    trigger = f"""CREATE TRIGGER overtaken BEFORE UPDATE OF generation ON refresh_family WHEN OLD.id = '{family}'
        BEGIN SELECT RAISE(IGNORE); END"""
    with contextlib.closing(sqlite3.connect(provider.folder / "watchword.sqlite3", isolation_level=None)) as store:
        store.execute(trigger)
        try:
            answer = await party.refresh(token)
        finally:
            store.execute("DROP TRIGGER overtaken")
    check_refusal(answer, 503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert (await party.refresh(token)).status_code == 200


@pytest.mark.parametrize("ending", ["account", "client", "session"])
async def test_each_refresh_looks_at_account_client_and_session_again(provider: RunningProvider, ending: str) -> None:
    party = register_itself(provider, grant_types=["authorization_code", "refresh_token"])
    email = f"{ending}@refreshing.example"
    async with Person() as person:
        answer = await person.sign_in(provider, party.authorization_url(), email)
        tokens = (await party.exchange(answer["code"])).json()
        tokens = (await party.refresh(tokens["refresh_token"])).json()
        if ending == "session":
            await person.http.get(f"{provider.issuer}/logout", params={"id_token_hint": tokens["id_token"]})
    over = {"account": ("accounts", "disable", email), "client": ("clients", "remove", party.client_id)}
    if ending in over:
        assert provider.command(*over[ending]).returncode == 0
    refused = await party.refresh(tokens["refresh_token"])
    if ending == "client" and refused.status_code == 401:  # five seconds later the worker has forgotten it too
        check_refusal(refused, 401, "invalid_client")
    else:
        check_refusal(refused, 400, "invalid_grant")


@pytest.mark.parametrize("ending", ["account", "client"])
async def test_what_is_kept_for_offline_use_ends_with_its_account_and_its_client(
    provider: RunningProvider, ending: str
) -> None:
    """Signing out spared it, so no session is left by which it could end."""
    party = register_itself(provider, grant_types=["authorization_code", "refresh_token"])
    email = f"offline-{ending}@refreshing.example"
    async with Person() as person:
        answer = await person.sign_in(provider, party.authorization_url(scope="openid offline_access"), email)
        tokens = (await party.exchange(answer["code"])).json()
        await person.http.get(f"{provider.issuer}/logout", params={"id_token_hint": tokens["id_token"]})
    tokens = (await party.refresh(tokens["refresh_token"])).json()
    assert (await party.userinfo(tokens["access_token"])).status_code == 200
    over = {"account": ("accounts", "disable", email), "client": ("clients", "remove", party.client_id)}
    assert provider.command(*over[ending]).returncode == 0
    assert (await party.userinfo(tokens["access_token"])).status_code == 401
    refused = await party.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) in {(400, "invalid_grant"), (401, "invalid_client")}
    if ending == "account":
        check_refusal(refused, 400, "invalid_grant")


async def test_a_bent_token_changes_nothing(either: RelyingParty) -> None:
    token = (await some_tokens(either))["refresh_token"]
    version, kid, family, generation, tag = token.split(".")
    for bent in (
        f"{version}.{kid}.{family}.{generation}.{'A' * 43}",
        f"{version}.{kid}.{family}.1.{tag}",
        f"{version}.{kid}.{family}.999.{tag}",
        f"{version}.{kid}.{'0' * 32}.{generation}.{tag}",
        f"{version}.{'0' * 8}.{family}.{generation}.{tag}",
        f"wr2.{kid}.{family}.{generation}.{tag}",
        token + "A",
        token.upper(),
        "x" * 20_000,
    ):
        check_refusal(await either.refresh(bent), 400, "invalid_grant")
    assert (await either.refresh(token)).status_code == 200


async def test_other_tokens_are_no_refresh_tokens(party: RelyingParty) -> None:
    tokens = await some_tokens(party)
    for other in (tokens["access_token"], tokens["id_token"]):
        check_refusal(await party.refresh(other), 400, "invalid_grant")


async def test_a_narrower_scope_never_narrows_the_family(party: RelyingParty) -> None:
    first = await some_tokens(party, scope="openid email profile")
    narrow = (await party.refresh(first["refresh_token"], scope="openid email")).json()
    assert narrow["scope"] == "openid email"
    assert claims_of(narrow["access_token"])["scope"] == "openid email"
    without = (await party.refresh(narrow["refresh_token"], scope="email")).json()
    assert "id_token" not in without
    whole = (await party.refresh(without["refresh_token"])).json()
    assert whole["scope"] == "openid email profile"


async def test_a_refusal_about_scope_or_resource_burns_nothing(party: RelyingParty) -> None:
    first = (await some_tokens(party, API, scope="openid notes:read"))["refresh_token"]
    check_refusal(await party.refresh(first, scope="openid notes:write"), 400, "invalid_scope")
    check_refusal(await party.refresh(first, scope="openid email"), 400, "invalid_scope")
    check_refusal(await party.refresh(first, resource=FILES), 400, "invalid_target")
    check_refusal(await party.refresh(first, resource="https://nowhere.example"), 400, "invalid_target")
    rotated = (await party.refresh(first, resource=API)).json()
    assert rotated["refresh_token"].split(".")[3] == "1"


async def test_a_family_unused_for_seven_days_is_over(provider: RunningProvider, either: RelyingParty) -> None:
    first = (await some_tokens(either))["refresh_token"]
    provider.advance(7 * DAY - 60)
    second = (await either.refresh(first)).json()["refresh_token"]
    provider.advance(7 * DAY + 1)
    check_refusal(await either.refresh(second), 400, "invalid_grant")


async def test_a_family_is_over_after_thirty_days_however_busy(provider: RunningProvider, either: RelyingParty) -> None:
    token = (await some_tokens(either))["refresh_token"]
    for _ in range(4):
        provider.advance(6 * DAY)
        token = (await either.refresh(token)).json()["refresh_token"]
    provider.advance(6 * DAY - 60)
    token = (await either.refresh(token)).json()["refresh_token"]
    provider.advance(61)
    check_refusal(await either.refresh(token), 400, "invalid_grant")


async def test_an_idle_session_ends_single_sign_on_and_no_refresh_token(
    provider: RunningProvider, party: RelyingParty
) -> None:
    async with Person() as person:
        answer = await authorized(person, party.authorization_url())
        tokens = (await party.exchange(answer["code"])).json()
        provider.advance(2 * DAY)
        await person.open(party.authorization_url(prompt="none"))
        assert person.answer()["error"] == "login_required"
    assert (await party.refresh(tokens["refresh_token"])).status_code == 200


async def test_signing_out_ends_the_family_unless_it_is_for_offline_use(
    provider: RunningProvider, party: RelyingParty
) -> None:
    async with Person() as person:
        answer = await authorized(person, party.authorization_url())
        online = (await party.exchange(answer["code"])).json()
        await person.open(party.authorization_url(scope="openid offline_access"))
        offline = (await party.exchange(person.answer()["code"])).json()
        await person.http.get(f"{provider.issuer}/logout", params={"id_token_hint": online["id_token"]})
    check_refusal(await party.refresh(online["refresh_token"]), 400, "invalid_grant")
    assert (await party.userinfo(online["access_token"])).status_code == 401
    assert (await party.refresh(offline["refresh_token"])).status_code == 200
    assert (await party.userinfo(offline["access_token"])).status_code == 200


async def test_another_person_in_the_same_browser_ends_the_first_ones_grants(party: RelyingParty) -> None:
    async with Person() as person:
        answer = await authorized(person, party.authorization_url())
        tokens = (await party.exchange(answer["code"])).json()
        await authorized(person, party.authorization_url(prompt="login"), DEV)
        assert "code" in person.answer()
    check_refusal(await party.refresh(tokens["refresh_token"]), 400, "invalid_grant")
