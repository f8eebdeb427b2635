"""acr and amr: what a sign-in is worth, what a client asks of one, and that nothing weaker passes for it."""

import json
from typing import Any

import httpx2
import pytest

from tests.endpoints.parties import REFUSAL, self_registered
from tests.endpoints.people import API, ASHA, CODE, PHONE, agree_if_asked, asks_who, authorized, prove, request_url
from tests.login.doors import page_of
from tests.support.jwt import claims_of
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty
from watchword.accounts import Identifier, Proof
from watchword.delivery.message import Channel

EMAIL_ACR, PHONE_ACR = "urn:watchword:otp:email", "urn:watchword:otp:phone"


def essential(*values: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": list(values)}}})


async def id_token(party: RelyingParty, answer: dict[str, str]) -> dict[str, Any]:
    return claims_of((await party.exchange(answer["code"])).json()["id_token"])


@pytest.mark.parametrize(("identifier", "acr", "amr"), [(ASHA, EMAIL_ACR, ["otp"]), (PHONE, PHONE_ACR, ["otp", "sms"])])
async def test_the_id_token_tells_what_was_truly_used(
    party: RelyingParty, identifier: str, acr: str, amr: list[str]
) -> None:
    async with Person() as person:
        for changes in ({}, {"prompt": "none"}):
            told = await id_token(party, await authorized(person, party.authorization_url(**changes), identifier))
            assert (told["acr"], told["amr"]) == (acr, amr)


async def test_claims_that_ask_for_nothing_do_not_narrow_the_page_either(
    party: RelyingParty,
) -> None:
    """Without `openid` the parameter means nothing: not to the answer, and not to the page on the way there."""
    asked = {"claims": essential(PHONE_ACR), "scope": "notes:read", "prompt": "login"}
    async with Person() as person:
        await person.open(request_url(party, API, **asked))
        await prove(person, ASHA)
        assert "code" in person.answer()


def test_whatsapp_is_no_sms() -> None:
    for channel, amr in (
        (Channel.EMAIL, ("otp",)),
        (Channel.SMS, ("otp", "sms")),
        (Channel.WHATSAPP, ("otp", "whatsapp")),
    ):
        assert Proof(Identifier("phone", PHONE, PHONE), channel, b"").amr == amr


@pytest.mark.parametrize(
    "asked", [f"{EMAIL_ACR} {PHONE_ACR}", f"{PHONE_ACR} {EMAIL_ACR}", EMAIL_ACR, "1 2", f"1 {EMAIL_ACR}"]
)
async def test_acr_values_that_the_session_meets_or_nobody_can_meet_ask_for_nothing_more(
    party: RelyingParty, asked: str
) -> None:
    async with Person() as person:
        first = await id_token(party, await authorized(person, party.authorization_url(acr_values=asked)))
        await person.open(party.authorization_url(acr_values=asked))
        again = await id_token(party, person.answer())
    assert again["acr"] == EMAIL_ACR
    assert again["auth_time"] == first["auth_time"]


async def test_acr_values_that_the_session_lacks_lead_to_a_sign_in_by_that_method_alone(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(acr_values=PHONE_ACR))
        assert asks_who(person)
        await person.type_identifier(ASHA)
        assert page_of(person).status == 400, "an email address cannot meet it"
        await prove(person, PHONE)
        assert (await id_token(party, person.answer()))["acr"] == PHONE_ACR


async def test_acr_values_in_silence_are_a_wish_alone(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(acr_values=PHONE_ACR, prompt="none"))
        assert (await id_token(party, person.answer()))["acr"] == EMAIL_ACR


async def test_a_clients_default_acr_values_count_until_a_request_names_others(provider: RunningProvider) -> None:
    strict = self_registered(provider, default_acr_values=[PHONE_ACR], scope="openid email")
    async with Person() as person:
        await person.open(strict.authorization_url())
        await person.type_identifier(ASHA)
        assert page_of(person).status == 400
        await person.open(strict.authorization_url(acr_values=EMAIL_ACR))
        await prove(person, ASHA)
        assert (await id_token(strict, person.answer()))["acr"] == EMAIL_ACR
        await person.open(strict.authorization_url())
        assert asks_who(person)


async def test_an_essential_acr_is_met_by_a_sign_in_that_has_it(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(claims=essential("other", PHONE_ACR)))
        await person.type_identifier(ASHA)
        assert page_of(person).status == 400
        await prove(person, PHONE)
        assert (await id_token(party, person.answer()))["acr"] == PHONE_ACR
        await person.open(party.authorization_url(claims=essential(PHONE_ACR), prompt="none"))
        assert "code" in person.answer()


@pytest.mark.parametrize("changes", [{}, {"prompt": "none"}, {"prompt": "login"}, {"acr_values": EMAIL_ACR}])
@pytest.mark.parametrize("signed_in", [True, False])
async def test_an_essential_acr_that_nobody_can_have_here_is_refused_at_once(
    party: RelyingParty, changes: dict[str, str], signed_in: bool
) -> None:
    async with Person() as person:
        if signed_in:
            await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(claims=essential("urn:mace:incommon:iap:silver"), **changes))
        answer = person.answer()
    assert answer.keys() == REFUSAL
    assert (answer["error"], answer["state"]) == ("unmet_authentication_requirements", party.state)


async def test_an_essential_acr_is_never_met_in_silence_by_a_weaker_sign_in(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(claims=essential(PHONE_ACR), prompt="none"))
        assert person.answer()["error"] == "login_required"


async def test_a_weaker_sign_in_in_another_tab_does_not_satisfy_a_waiting_demand(
    provider: RunningProvider, party: RelyingParty
) -> None:
    async with Person() as person:
        await person.open(party.authorization_url(claims=essential(PHONE_ACR)))
        waiting = page_of(person).url.partition("?")[2]
        await authorized(person, party.authorization_url())
        await person.open(f"{provider.issuer}/authorize?{waiting}")
        assert person.answer()["error"] == "unmet_authentication_requirements"


async def test_what_the_login_page_does_not_accept_is_refused_on_every_way_into_it(party: RelyingParty) -> None:
    """The page that asks for the code belongs to an identifier that was taken, so nothing goes round the first page."""
    async with Person() as person:
        await person.open(party.authorization_url(claims=essential(PHONE_ACR), login_hint=ASHA))
        assert page_of(person).form_with("identifier").fields["identifier"] == ASHA
        await person.type_identifier(ASHA)
        assert page_of(person).status == 400
        await person.open(page_of(person).url.replace("/login", "/login/code"))
        assert asks_who(person)
        await person.type_identifier(PHONE)
        await person.type_code(CODE)
        await agree_if_asked(person)
        assert "code" in person.answer()


def test_discovery_names_what_a_sign_in_can_amount_to(http: httpx2.Client) -> None:
    document = http.get("/.well-known/openid-configuration").json()
    assert document["acr_values_supported"] == [EMAIL_ACR, PHONE_ACR]
