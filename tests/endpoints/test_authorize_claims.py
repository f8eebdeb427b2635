"""The claims parameter at /authorize: what is read, what is refused, who it is about, and what a person agrees to."""

import json
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.endpoints.parties import ANSWER, REFUSAL, answer_at, self_registered
from tests.endpoints.people import ASHA, BEN, asks_who, authorized, prove, some_tokens
from tests.login.doors import page_of
from tests.support.jwt import claims_of
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty


def claims(**members: Any) -> str:
    return json.dumps(members)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '"x"',
        '{"userinfo": []}',
        '{"id_token": "name"}',
        '{"userinfo": {"name": true}}',
        '{"userinfo": {"name": {"essential": "yes"}}}',
        '{"userinfo": {"name": {"values": "x"}}}',
        '{"userinfo": {}, "userinfo": {}}',
        '{"id_token": {"sub": {"value": 1}}}',
        '{"x": "' + "x" * 4096 + '"}',
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_claims_that_cannot_be_read_are_an_error_at_the_client(
    http: httpx2.Client, party: RelyingParty, text: str, method: str
) -> None:
    query = urlsplit(party.authorization_url(claims=text)).query
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = (
        http.get(f"/authorize?{query}") if method == "GET" else http.post("/authorize", content=query, headers=form)
    )
    assert answer.status_code == 303
    told = answer_at(answer.headers["location"])
    assert told.keys() == REFUSAL
    assert (told["error"], told["state"]) == ("invalid_request", party.state)
    assert "claims" in told["error_description"]


async def test_claims_and_members_nobody_knows_change_nothing(provider: RunningProvider, party: RelyingParty) -> None:
    asked = claims(userinfo={"shoe_size": {"essential": True}}, verified_claims={"x": [1]}, id_token=None)
    async with Person() as person:
        answer = await authorized(person, party.authorization_url(claims=asked))
        assert answer.keys() == ANSWER
    assert kept(provider) is None


async def test_what_was_asked_for_is_kept_with_the_code_in_one_form(
    provider: RunningProvider, party: RelyingParty
) -> None:
    asked = claims(
        userinfo={"name": {"essential": True}, "email": None, "groups": None},
        id_token={"auth_time": {"essential": True}, "email": {"value": "x@example.com"}, "acr": None},
    )
    async with Person() as person:
        await authorized(person, party.authorization_url(claims=asked))
    written = '{"id_token":{"email":{"values":["x@example.com"]}},"userinfo":{"email":null,"name":{"essential":true}}}'
    assert kept(provider) == written


def kept(provider: RunningProvider) -> str | None:
    """Return what stands with the newest authorization code."""
    [row] = provider.rows("SELECT claims FROM authorization_code ORDER BY expires_at DESC LIMIT 1")
    text: str | None = row["claims"]
    return text


async def test_a_sub_asked_for_by_value_is_answered_for_that_person_alone(party: RelyingParty) -> None:
    ben = claims_of((await some_tokens(party, identifier=BEN))["id_token"])["sub"]
    async with Person() as person:
        answer = await authorized(person, party.authorization_url(), ASHA)
        asha = claims_of((await party.exchange(answer["code"])).json()["id_token"])["sub"]
        for member in ("id_token", "userinfo"):
            own, foreign = (claims(**{member: {"sub": {"value": sub}}}) for sub in (asha, ben))
            await person.open(party.authorization_url(claims=own, prompt="none"))
            assert "code" in person.answer()
            await person.open(party.authorization_url(claims=foreign, prompt="none"))
            assert person.answer()["error"] == "login_required"
        await person.open(party.authorization_url(claims=claims(id_token={"sub": {"value": ben}})))
        assert asks_who(person)
        await prove(person, BEN)
        assert "code" in person.answer()


async def test_who_signs_in_as_another_than_the_sub_asked_for_gets_no_code(party: RelyingParty) -> None:
    ben = claims_of((await some_tokens(party, identifier=BEN))["id_token"])["sub"]
    async with Person() as person:
        await person.open(party.authorization_url(claims=claims(id_token={"sub": {"value": ben}})))
        await prove(person, ASHA)
        assert person.answer()["error"] == "login_required"


async def test_a_claim_asked_for_by_itself_needs_a_yes_that_is_remembered(provider: RunningProvider) -> None:
    stranger = self_registered(provider, scope="openid email phone")
    name = claims(userinfo={"email": {"essential": True}})
    async with Person() as person:
        await person.open(stranger.authorization_url(scope="openid"))
        await prove(person, BEN)
        await person.open(stranger.authorization_url(scope="openid", claims=name, prompt="none"))
        assert person.answer()["error"] == "consent_required"
        await person.open(stranger.authorization_url(scope="openid", claims=name))
        assert "/consent?" in page_of(person).url
        await person.submit(page_of(person).form_with("continue"), "continue")
        assert "code" in person.answer()
        await person.open(stranger.authorization_url(scope="openid", claims=name, prompt="none"))
        assert "code" in person.answer()
        await person.open(stranger.authorization_url(scope="openid email", prompt="none"))
        assert person.answer()["error"] == "consent_required", "a claim is less than its scope"
        more = claims(id_token={"phone_number": None}, userinfo={"email": None})
        await person.open(stranger.authorization_url(scope="openid", claims=more, prompt="none"))
        assert person.answer()["error"] == "consent_required"


async def test_a_yes_to_a_scope_covers_its_claims(provider: RunningProvider) -> None:
    stranger = self_registered(provider, scope="openid email phone")
    async with Person() as person:
        await person.open(stranger.authorization_url(scope="openid email"))
        await prove(person, BEN)
        asked = claims(id_token={"email": None, "email_verified": None})
        for scope in ("openid email", "openid"):
            await person.open(stranger.authorization_url(scope=scope, claims=asked, prompt="none"))
            assert "code" in person.answer()


async def test_claims_beyond_the_clients_scopes_are_neither_asked_of_the_person_nor_kept(
    provider: RunningProvider,
) -> None:
    stranger = self_registered(provider, scope="openid")
    async with Person() as person:
        await person.open(stranger.authorization_url(scope="openid"))
        await prove(person, BEN)
        asked = claims(userinfo={"email": {"essential": True}}, id_token={"phone_number": None})
        await person.open(stranger.authorization_url(scope="openid", claims=asked, prompt="none"))
        assert "code" in person.answer()
    assert kept(provider) is None


async def test_the_parameter_works_by_post_too(provider: RunningProvider, party: RelyingParty) -> None:
    query = urlsplit(party.authorization_url(claims=claims(userinfo={"name": {"essential": True}}))).query
    headers = {"content-type": "application/x-www-form-urlencoded"}
    async with Person() as person:
        sent = await person.http.post(f"{provider.issuer}/authorize", content=query, headers=headers)
        await person.open(sent.headers["location"])
        await prove(person)
        assert "code" in person.answer()
    assert kept(provider) == '{"userinfo":{"name":{"essential":true}}}'
