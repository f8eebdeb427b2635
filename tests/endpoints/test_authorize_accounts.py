"""prompt=select_account and create, hints, and the parameters that only change what a person sees."""

from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.endpoints.parties import self_registered
from tests.endpoints.people import ASHA, BEN, CODE, agree_if_asked, asks_who, authorized, prove
from tests.login.doors import page_of
from tests.support.jwt import claims_of
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty

SELECT = {"prompt": "select_account"}


async def id_token(party: RelyingParty, answer: dict[str, str]) -> dict[str, Any]:
    return claims_of((await party.exchange(answer["code"])).json()["id_token"])


def asks_which(person: Person) -> bool:
    return person.page is not None and urlsplit(person.page.url).path == "/login/select-account"


async def choose(person: Person, button: str) -> None:
    await person.submit(page_of(person).form_with("shown_to"), button)


async def test_who_is_signed_in_may_go_on_as_they_are(provider: RunningProvider, party: RelyingParty) -> None:
    async with Person() as person:
        first = await id_token(party, await authorized(person, party.authorization_url()))
        provider.advance(5)
        await person.open(party.authorization_url(**SELECT))
        assert asks_which(person)
        assert ASHA not in page_of(person).text, "shown as a mask"
        assert page_of(person).status == 200
        waiting = urlsplit(page_of(person).url).query
        await person.open(f"{provider.issuer}/authorize?{waiting}")
        assert asks_which(person), "coming back without a choice changes nothing"
        await choose(person, "continue")
        again = await id_token(party, person.answer())
    assert (again["sub"], again["sid"], again["auth_time"]) == (first["sub"], first["sid"], first["auth_time"])


async def test_who_wants_another_account_signs_in(provider: RunningProvider, party: RelyingParty) -> None:
    async with Person() as person:
        first = await id_token(party, await authorized(person, party.authorization_url()))
        provider.advance(5)
        await person.open(party.authorization_url(**SELECT))
        await choose(person, "another")
        assert asks_who(person)
        waiting = urlsplit(page_of(person).url).query
        await person.open(f"{provider.issuer}/authorize?{waiting}")
        assert asks_who(person), "coming back without signing in changes nothing"
        await prove(person, BEN)
        second = await id_token(party, person.answer())
    assert second["sub"] != first["sub"]
    assert second["sid"] != first["sid"]


async def test_who_wanted_another_account_may_think_again(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(**SELECT))
        page = page_of(person)
        await choose(person, "another")
        person.page = page
        await choose(person, "continue")
        assert "code" in person.answer()


async def test_who_cancels_the_choice_sends_the_client_access_denied(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(**SELECT))
        await person.submit(page_of(person).form_with("cancel"), "cancel")
        assert (person.answer()["error"], person.answer()["state"]) == ("access_denied", party.state)


async def test_nobody_signed_in_has_nothing_to_choose_from(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url(**SELECT))
        assert asks_who(person)
        await prove(person)
        assert "code" in person.answer()


async def test_login_wins_over_select_account_and_consent_comes_after_it(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(prompt="select_account login"))
        assert asks_who(person)
        await person.open(party.authorization_url(prompt="consent select_account"))
        assert asks_which(person)
        await choose(person, "continue")
        assert urlsplit(page_of(person).url).path == "/consent"
        await agree_if_asked(person)
        assert "code" in person.answer()


async def test_a_choice_of_one_person_is_not_that_of_the_next_one_in_this_browser(party: RelyingParty) -> None:
    async with Person() as person:
        asha = await id_token(party, await authorized(person, party.authorization_url()))
        await person.open(party.authorization_url(**SELECT))
        page = page_of(person)
        ben = await id_token(party, await authorized(person, party.authorization_url(prompt="login"), BEN))
        assert ben["sub"] != asha["sub"]
        person.page = page
        await choose(person, "continue")
        assert asks_which(person), "it said Asha, and Ben is here now"
        assert "b***" in page_of(person).text
        await choose(person, "continue")
        assert (await id_token(party, person.answer()))["sub"] == ben["sub"]


async def test_whose_session_ended_meanwhile_signs_in(provider: RunningProvider, party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(**SELECT))
        page = page_of(person)
        await person.open(f"{provider.issuer}/logout")
        await person.submit(page_of(person).form_with("continue"), "continue")
        person.page = page
        await choose(person, "continue")
        assert asks_who(person)


async def test_the_choice_is_there_in_other_languages(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(**SELECT))
        await person.open(page_of(person).url + "&ui_locales=hi")
        assert asks_which(person)
        assert '<html lang="hi"' in page_of(person).text
        await choose(person, "continue")
        assert "code" in person.answer()


async def test_a_made_up_decision_decides_nothing(party: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, party.authorization_url())
        await person.open(party.authorization_url(**SELECT))
        await person.submit(page_of(person).form_with("shown_to"), decision="maybe")
        assert asks_which(person)
        await person.submit(page_of(person).form_with("shown_to"), decision="continue", shown_to="x" * 43)
        assert asks_which(person)


@pytest.mark.parametrize("prompt", ["none select_account", "none create", "none login", "create select_account"])
def test_prompts_that_contradict_one_another_are_refused(http: httpx2.Client, party: RelyingParty, prompt: str) -> None:
    answer = http.get(party.authorization_url(prompt=prompt))
    assert "error=invalid_request" in answer.headers["location"]


async def test_create_says_so_on_the_first_page_and_is_the_same_road(
    provider: RunningProvider, party: RelyingParty
) -> None:
    async with Person() as person:
        first = await id_token(party, await authorized(person, party.authorization_url()))
        await person.open(party.authorization_url())
        provider.advance(5)
        await person.open(party.authorization_url(prompt="create"))
        creating = page_of(person).text
        await prove(person, BEN)
        assert (await id_token(party, person.answer()))["sub"] != first["sub"]
        await person.open(party.authorization_url(prompt="login"))
        assert page_of(person).text.count("<h1") == creating.count("<h1") == 1
        assert heading(page_of(person).text) != heading(creating)


def heading(text: str) -> str:
    return text.partition("<h1")[2].partition("</h1>")[0]


@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap", "hologram"])
async def test_every_display_leads_to_the_same_page(party: RelyingParty, display: str) -> None:
    async with Person() as person:
        await person.open(party.authorization_url(display=display))
        assert asks_who(person)


@pytest.mark.parametrize(
    ("asked", "language"),
    [("hi", "hi"), ("se", "en"), ("se hi", "hi"), ("hi-IN", "hi"), ("not a language!", "en"), ("en hi", "en")],
)
async def test_ui_locales_choose_the_language_and_unknown_ones_are_ignored(
    party: RelyingParty, asked: str, language: str
) -> None:
    async with Person() as person:
        await person.open(party.authorization_url(ui_locales=asked, claims_locales="se"))
        assert f'<html lang="{language}"' in page_of(person).text


@pytest.mark.parametrize("hint", ["buffy@localhost", "+91 98123 45678", "nobody", '"><script>alert(1)</script>'])
async def test_a_login_hint_is_typed_already_and_can_be_changed(party: RelyingParty, hint: str) -> None:
    async with Person() as person:
        await person.open(party.authorization_url(login_hint=hint))
        assert page_of(person).form_with("identifier").fields["identifier"] == hint
        assert "<script>alert" not in page_of(person).text
        await prove(person)
        assert "code" in person.answer()


async def test_a_pairwise_client_is_understood_by_its_own_subject(provider: RunningProvider) -> None:
    """Its hint and its `sub` hold what it knows the person by, which is not the account's id."""
    pairwise = self_registered(provider, subject_type="pairwise", scope="openid email")
    async with Person() as person:
        await person.open(pairwise.authorization_url())
        await prove(person)
        hint = (await pairwise.exchange(person.answer()["code"])).json()["id_token"]
        subject = claims_of(hint)["sub"]
        wanted = f'{{"id_token": {{"sub": {{"value": "{subject}"}}}}}}'
        for changes in ({"id_token_hint": hint}, {"claims": wanted}, {"id_token_hint": hint, "claims": wanted}):
            await person.open(pairwise.authorization_url(prompt="none", **changes))
            assert "code" in person.answer()
        [account] = provider.rows("SELECT account_id FROM identifier WHERE value = :value", value=ASHA)
        wrong = wanted.replace(subject, account["account_id"])
        await person.open(pairwise.authorization_url(prompt="none", claims=wrong))
        assert person.answer()["error"] == "login_required"


async def test_an_expired_hint_of_another_person_leads_to_the_login_page_and_then_to_an_error(
    provider: RunningProvider, party: RelyingParty
) -> None:
    async with Person() as person:
        answer = await authorized(person, party.authorization_url(), BEN)
        hint = (await party.exchange(answer["code"])).json()["id_token"]
        provider.advance(3600)
        await person.open(party.authorization_url(prompt="login", id_token_hint=hint))
        await person.type_identifier(ASHA)
        await person.type_code(CODE)
        assert person.answer()["error"] == "login_required"
