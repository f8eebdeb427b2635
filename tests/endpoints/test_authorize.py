"""/authorize with a person: who must sign in, what the answer holds, and what an interaction is bound to."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from tests.endpoints.people import ASHA, BEN, asks_who, authorized, prove, some_tokens
from tests.login.doors import page_of
from tests.support.jwt import claims_of
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty


async def id_token(party: RelyingParty, answer: dict[str, str]) -> dict[str, Any]:
    """Exchange the code and read the ID token's claims, whose signature other tests verify."""
    tokens = (await party.exchange(answer["code"])).json()
    return claims_of(tokens["id_token"])


async def test_success_holds_code_state_and_issuer_and_nothing_else(
    provider: RunningProvider, party: RelyingParty
) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        assert person.landed is not None
        answer = parse_qsl(urlsplit(person.landed).query)
    assert [name for name, _ in answer] == ["code", "state", "iss"]
    assert dict(answer)["state"] == party.state
    assert dict(answer)["iss"] == provider.issuer
    assert len(dict(answer)["code"]) >= 43  # 256 random bits


async def test_no_state_was_sent_so_none_comes_back(party: RelyingParty) -> None:
    async with Person() as person:
        assert "state" not in await authorized(person, party.authorization_url(state=None))


async def test_a_signed_in_browser_is_answered_at_once_with_the_same_auth_time(party: RelyingParty) -> None:
    async with Person() as person:
        first = await id_token(party, await authorized(person, party.authorization_url()))
        for changes in ({}, {"prompt": "none"}, {"max_age": "10000"}, {"prompt": "none", "max_age": "10000"}):
            await person.open(party.authorization_url(**changes))
            again = await id_token(party, person.answer())
            assert again["auth_time"] == first["auth_time"]
            assert (again["sub"], again["sid"]) == (first["sub"], first["sid"])


async def test_a_nonce_comes_back_exactly_and_only_when_it_was_sent(party: RelyingParty) -> None:
    async with Person() as person:
        nonce = " Nn%2B" + "n" * 490 + '+é"\\ '
        sent = await id_token(party, await authorized(person, party.authorization_url(nonce=nonce)))
        assert sent["nonce"] == nonce
        await person.open(party.authorization_url(nonce=None))
        assert "nonce" not in await id_token(party, person.answer())


async def test_max_age_asks_again_once_the_session_is_older(provider: RunningProvider, party: RelyingParty) -> None:
    async with Person() as person:
        first = await id_token(party, await authorized(person, party.authorization_url()))
        provider.advance(100)
        await person.open(party.authorization_url(max_age="1000"))
        assert (await id_token(party, person.answer()))["auth_time"] == first["auth_time"]
        await person.open(party.authorization_url(max_age="99"))
        assert asks_who(person)
        await prove(person)
        later = await id_token(party, person.answer())
        assert later["auth_time"] >= first["auth_time"] + 100


async def test_max_age_in_silence_is_login_required(provider: RunningProvider, party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        provider.advance(2)
        await person.open(party.authorization_url(max_age="1", prompt="none"))
        assert person.answer()["error"] == "login_required"


@pytest.mark.parametrize("prompt", ["login", "create", "login consent select_account"])
async def test_a_prompt_for_the_person_really_asks_and_auth_time_moves(
    provider: RunningProvider, party: RelyingParty, prompt: str
) -> None:
    async with Person() as person:
        first = await id_token(party, await authorized(person, party.authorization_url()))
        provider.advance(5)
        await person.open(party.authorization_url(prompt=prompt))
        assert asks_who(person)
        waiting = person.page.url if person.page else ""
        interaction = urlsplit(waiting).query
        await person.open(f"{provider.issuer}/authorize?{interaction}")
        assert asks_who(person), "coming back without signing in changes nothing"
        await prove(person)
        second = await id_token(party, person.answer())
        assert second["auth_time"] >= first["auth_time"] + 5
        assert second["sid"] == first["sid"]


async def test_prompt_consent_asks_even_a_first_party_client(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(prompt="consent"))
        assert person.page is not None
        await person.submit(person.page.form_with("continue"), "continue")
        assert "code" in person.answer()


async def test_a_stranger_asks_for_consent_once_and_in_silence_never(stranger: RelyingParty) -> None:
    async with Person() as person:
        await person.open(stranger.authorization_url())
        await prove(person, BEN)
        assert "code" in person.answer()
        await person.open(stranger.authorization_url(prompt="none"))
        assert "code" in person.answer()
        await person.open(stranger.authorization_url(prompt="none", scope="openid email phone"))
        assert person.answer()["error"] == "consent_required"


async def test_who_cancels_sends_the_client_access_denied(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        assert person.page is not None
        await person.submit(person.page.form_with("cancel"), "cancel")
        answer = person.answer()
    assert (answer["error"], answer["state"]) == ("access_denied", party.state)


async def test_a_refusal_answers_an_interaction_once(provider: RunningProvider, party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        waiting = urlsplit(page_of(person).url).query
        await person.submit(page_of(person).form_with("cancel"), "cancel")
        assert person.answer()["error"] == "access_denied"
        for _ in range(2):
            page = await person.open(f"{provider.issuer}/authorize?{waiting}")
            assert page is not None
            assert page.status == 400


async def test_a_hint_is_answered_in_silence_for_its_own_person_alone(
    provider: RunningProvider, party: RelyingParty, public: RelyingParty
) -> None:
    ben = (await some_tokens(party, identifier=BEN))["id_token"]
    async with Person() as person:
        answer = await authorized(person, party.authorization_url(), ASHA)
        asha = (await party.exchange(answer["code"])).json()["id_token"]
        provider.advance(3600)  # both hints are expired, which is fine
        await person.open(party.authorization_url(prompt="none", id_token_hint=asha))
        assert "code" in person.answer()
        await person.open(party.authorization_url(prompt="none", id_token_hint=ben))
        assert person.answer()["error"] == "login_required"
        await person.open(party.authorization_url(id_token_hint=ben))
        assert asks_who(person)
        await person.open(public.authorization_url(prompt="none", id_token_hint=asha))
        assert person.answer()["error"] == "invalid_request", "the hint was issued to another client"


async def test_an_access_token_or_a_bent_token_is_no_hint(party: RelyingParty) -> None:
    tokens = await some_tokens(party)
    async with Person() as person:
        await authorized(person, party.authorization_url())
        for hint in (tokens["access_token"], tokens["id_token"][:-4] + "AAAA", tokens["refresh_token"]):
            await person.open(party.authorization_url(prompt="none", id_token_hint=hint))
            assert person.answer()["error"] == "invalid_request"


async def test_a_request_by_post_from_another_site_goes_on_in_the_browsers_session(
    provider: RunningProvider, party: RelyingParty, http: httpx2.Client
) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        form = dict(parse_qsl(urlsplit(party.authorization_url()).query))
        kept = http.post("/authorize", data=form, headers={"origin": "https://rp.example"})
        assert kept.status_code == 303
        assert kept.headers["location"].startswith(f"{provider.issuer}/authorize?interaction=")
        assert "set-cookie" not in kept.headers
        await person.open(kept.headers["location"])
        assert person.answer()["state"] == party.state


async def test_a_finished_interaction_is_a_page(provider: RunningProvider, party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        interaction = urlsplit(person.page.url if person.page else "").query
        await prove(person)
        assert "code" in person.answer()
        page = await person.open(f"{provider.issuer}/authorize?{interaction}")
        assert page is not None
        assert page.status == 400


async def test_another_browser_cannot_go_on_with_an_interaction(provider: RunningProvider, party: RelyingParty) -> None:
    async with Person() as person, Person() as thief:
        await authorized(thief, party.authorization_url(), BEN)
        await person.open(party.authorization_url())
        interaction = urlsplit(person.page.url if person.page else "").query
        page = await thief.open(f"{provider.issuer}/authorize?{interaction}")
        assert page is not None
        assert page.status == 400


async def test_a_session_ends_after_a_day_unused(provider: RunningProvider, party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        provider.advance(23 * 3600)
        await person.open(party.authorization_url(prompt="none"))
        assert "code" in person.answer()
        provider.advance(24 * 3600 + 1)
        await person.open(party.authorization_url(prompt="none"))
        assert person.answer()["error"] == "login_required"


async def test_head_issues_nothing(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        answer = await person.http.head(party.authorization_url())
    assert answer.status_code == 405
    assert "location" not in answer.headers


async def test_no_redirect_ever_repeats_a_body(provider: RunningProvider, party: RelyingParty) -> None:
    """307 and 308 would send a form on to wherever the redirect points."""
    statuses: list[int] = []
    async with Person() as person:

        async def note(answer: httpx2.Response) -> None:
            statuses.append(answer.status_code)

        person.http.event_hooks["response"].append(note)
        await authorized(person, party.authorization_url())
        await person.open(f"{provider.issuer}/logout")
    assert set(statuses) <= {200, 303}
    assert 303 in statuses


async def test_a_request_by_post_from_a_browser_that_never_was_here_leads_to_the_login_page(
    party: RelyingParty,
) -> None:
    address, _, query = party.authorization_url().partition("?")
    async with Person() as person, Person() as another:
        sent = await person.http.post(address, data=dict(parse_qsl(query)))
        assert sent.status_code == 303
        assert "set-cookie" not in sent.headers
        await person.open(sent.headers["location"])
        assert "identifier" in page_of(person).form_with("identifier").fields
        await another.open(sent.headers["location"])
        assert page_of(another).status == 400
        await prove(person, ASHA)
        assert "code" in person.answer()


async def test_prompt_none_by_post_is_answered_at_the_client(party: RelyingParty) -> None:
    address, _, query = party.authorization_url(prompt="none").partition("?")
    async with Person() as person:
        sent = await person.http.post(address, data=dict(parse_qsl(query)))
        await person.open(sent.headers["location"])
        assert person.answer()["error"] == "login_required"
