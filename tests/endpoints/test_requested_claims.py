"""Claims asked for one by one: what stands at /userinfo and in the ID token (OpenID Connect Core section 5.5)."""

import json
from typing import Any

import pytest

from tests.endpoints.people import ASHA, PHONE, a_code, some_tokens
from tests.support.jwt import claims_of
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty, register_itself

PERSON = {"name": "Farah Khan", "birthdate": "1990-01-31", "address": {"country": "IN"}}
FARAH = "farah@people.example"
SLIM = {"iss", "sub", "aud", "exp", "iat", "auth_time", "amr", "acr", "at_hash", "sid", "nonce"}


@pytest.fixture(scope="module")
def farah(provider: RunningProvider) -> str:
    """Somebody of whom a name, a date of birth and a country are known."""
    file = provider.folder / "farah.json"
    file.write_text(json.dumps(PERSON))
    added = provider.command("accounts", "add", "--email", FARAH, "--claims", str(file))
    assert added.returncode == 0, added.stderr
    return FARAH


@pytest.fixture(scope="module")
def client(provider: RunningProvider) -> RelyingParty:
    """A client of strangers, which may have all that OpenID knows: people are asked for consent."""
    return register_itself(provider, grant_types=["authorization_code", "refresh_token"])


def asking(**members: Any) -> dict[str, Any]:
    """An authorization request for `openid` alone, and for these claims."""
    return {"scope": "openid", "claims": json.dumps(members)}


async def tokens_of_farah(party: RelyingParty, **changes: str | None) -> dict[str, Any]:
    async with Person() as person:
        answer = await person.sign_in(party.provider, party.authorization_url(**changes), FARAH)
    tokens: dict[str, Any] = (await party.exchange(answer["code"])).json()
    return tokens


async def told(party: RelyingParty, tokens: dict[str, Any]) -> dict[str, Any]:
    answer = await party.userinfo(tokens["access_token"])
    assert answer.status_code == 200
    claims: dict[str, Any] = answer.json()
    assert claims.pop("sub") == claims_of(tokens["id_token"])["sub"]
    return claims


async def test_a_claim_asked_for_at_userinfo_is_there_and_in_no_id_token(client: RelyingParty, farah: str) -> None:
    """`oidcc-claims-essential`."""
    request = asking(userinfo={"name": {"essential": True}, "address": None})
    tokens = await tokens_of_farah(client, **request)
    assert await told(client, tokens) == {"name": "Farah Khan", "address": {"country": "IN"}}
    assert claims_of(tokens["id_token"]).keys() == SLIM
    assert tokens["scope"] == "openid"


async def test_a_claim_asked_for_in_the_id_token_is_there_also_after_a_refresh_and_nowhere_else(
    client: RelyingParty, farah: str
) -> None:
    tokens = await tokens_of_farah(client, **asking(id_token={"email": None, "birthdate": {"essential": True}}))
    assert await told(client, tokens) == {}
    again = (await client.refresh(tokens["refresh_token"])).json()
    for each in (tokens, again):
        claims = claims_of(each["id_token"])
        assert claims.keys() - SLIM == {"email", "birthdate"}
        assert (claims["email"], claims["birthdate"]) == (FARAH, "1990-01-31")
    assert "farah" not in str(claims_of(tokens["access_token"]))


async def test_both_places_may_be_asked_for_different_things(client: RelyingParty, farah: str) -> None:
    tokens = await tokens_of_farah(client, **asking(userinfo={"email": None}, id_token={"name": None}))
    assert await told(client, tokens) == {"email": FARAH}
    assert claims_of(tokens["id_token"]).keys() - SLIM == {"name"}


async def test_a_value_that_is_asked_for_is_a_hint_and_the_answer_is_true(client: RelyingParty, farah: str) -> None:
    wanted = {"name": {"value": "Somebody Else"}, "birthdate": {"essential": True, "values": ["2000-01-01"]}}
    tokens = await tokens_of_farah(client, **asking(userinfo=wanted, id_token=wanted))
    truth = {name: PERSON[name] for name in wanted}
    assert await told(client, tokens) == truth
    assert {name: claims_of(tokens["id_token"])[name] for name in wanted} == truth


async def test_what_is_unknown_of_a_person_is_absent_however_essential(client: RelyingParty, farah: str) -> None:
    wanted = {name: {"essential": True} for name in ("picture", "phone_number", "nickname", "shoe_size")}
    tokens = await tokens_of_farah(client, **asking(userinfo=wanted, id_token=wanted))
    assert await told(client, tokens) == {}
    assert claims_of(tokens["id_token"]).keys() == SLIM


async def test_no_claim_takes_the_place_of_what_an_id_token_says_itself(client: RelyingParty) -> None:
    wanted: dict[str, Any] = dict.fromkeys(("iss", "aud", "nonce", "exp", "auth_time", "amr", "at_hash"))
    tokens = await some_tokens(client, **asking(id_token=wanted, userinfo=wanted))
    claims = claims_of(tokens["id_token"])
    assert claims.keys() == SLIM
    assert (claims["iss"], claims["aud"]) == (client.provider.issuer, client.client_id)
    assert await told(client, tokens) == {}


async def test_a_client_gets_no_claim_that_its_registered_scopes_do_not_give(provider: RunningProvider) -> None:
    narrow = register_itself(provider, scope="openid")
    wanted = {"email": {"essential": True}, "updated_at": None}
    tokens = await some_tokens(narrow, identifier=ASHA, **asking(userinfo=wanted, id_token=wanted))
    assert await told(narrow, tokens) == {}
    assert claims_of(tokens["id_token"]).keys() == SLIM


async def test_claims_stand_beside_those_of_the_scopes(client: RelyingParty) -> None:
    request = asking(userinfo={"phone_number": None, "email": None}) | {"scope": "openid phone"}
    tokens = await some_tokens(client, identifier=PHONE, **request)
    assert await told(client, tokens) == {"phone_number": PHONE, "phone_number_verified": True}


async def test_a_refresh_without_openid_has_no_id_token_to_put_claims_into(client: RelyingParty) -> None:
    request = asking(id_token={"email": None}) | {"scope": "openid email"}
    tokens = await some_tokens(client, **request)
    without = (await client.refresh(tokens["refresh_token"], scope="email")).json()
    assert "id_token" not in without
    whole = (await client.refresh(without["refresh_token"])).json()
    assert claims_of(whole["id_token"])["email"] == ASHA


async def test_a_code_keeps_its_own_claims(client: RelyingParty) -> None:
    asked = await a_code(client, **asking(id_token={"email": None}))
    plain = await a_code(client, scope="openid")
    assert "email" in claims_of((await client.exchange(asked)).json()["id_token"])
    assert "email" not in claims_of((await client.exchange(plain)).json()["id_token"])
