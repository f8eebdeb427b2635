"""An interaction belongs to one browser, for one hour, and is answered once; its pages lead back to it and out."""

import asyncio
from urllib.parse import parse_qsl

import pytest

from tests.login.doors import ask, durable_file, fresh_email, page_of, post
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty, register


async def test_a_login_hint_is_typed_already(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url(login_hint='asha+"><b>@example.com'))
        assert page_of(person).form_with("identifier").fields["identifier"] == 'asha+"><b>@example.com'
        assert "<b>" not in page_of(person).text


async def test_cancel_sends_the_client_a_refusal_with_its_state(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        await person.submit(page_of(person).form_with("cancel"), "cancel")
        answer = person.answer()
    assert answer["error"] == "access_denied"
    assert (answer["state"], answer["iss"]) == (party.state, party.provider.issuer)
    assert "code" not in answer


async def test_a_refusal_that_could_not_be_told_is_told_later(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        interaction = page_of(person).form_with("cancel").fields["interaction"]
        with durable_file(party.provider) as connection:
            connection.execute(
                "CREATE TRIGGER broken BEFORE INSERT ON audit_event WHEN NEW.name = 'authz.denied' "
                "BEGIN SELECT RAISE(ABORT, 'broken'); END"
            )
            try:
                await person.submit(page_of(person).form_with("cancel"), "cancel")
                assert page_of(person).status >= 500
            finally:
                connection.execute("DROP TRIGGER broken")
        await person.open(f"{party.provider.issuer}/authorize?interaction={interaction}")
        assert person.answer()["error"] == "access_denied"


async def test_cancel_works_from_the_second_page_too(party: RelyingParty) -> None:
    async with Person() as person:
        await ask(person, party, fresh_email())
        await person.submit(page_of(person).form_with("cancel"), "cancel")
        assert person.answer()["error"] == "access_denied"


async def test_the_code_page_before_an_identifier_leads_to_the_first_page(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        form, first = page_of(person).form_with("identifier"), page_of(person).url
        for path in ("/login/code", "/login/resend"):
            answer = await person.http.post(
                f"{party.provider.issuer}{path}", data=form.fields | {"one_time_code": "123456"}
            )
            assert (answer.status_code, answer.headers["location"]) == (303, first)
        await person.open(first.replace("/login?", "/login/code?"))
        assert page_of(person).url == first


async def test_a_step_cannot_be_skipped(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        interaction = page_of(person).form_with("identifier").fields["interaction"]
        await person.open(f"{party.provider.issuer}/authorize?interaction={interaction}")
        assert page_of(person).url.startswith(f"{party.provider.issuer}/login?")
        await person.open(f"{party.provider.issuer}/consent?interaction={interaction}")
        assert page_of(person).url.startswith(f"{party.provider.issuer}/login?")


@pytest.mark.parametrize("path", ["/authorize", "/login", "/login/code", "/consent"])
async def test_an_interaction_of_another_browser_is_not_shown(party: RelyingParty, path: str) -> None:
    async with Person() as owner, Person() as other:
        await ask(owner, party, fresh_email())
        interaction = page_of(owner).form_with("one_time_code").fields["interaction"]
        await other.open(party.authorization_url())
        await other.open(f"{party.provider.issuer}{path}?interaction={interaction}")
        assert page_of(other).status == 400
        assert "This sign-in is no longer open" in page_of(other).title


@pytest.mark.parametrize("path", ["/authorize", "/login", "/login/code", "/consent"])
async def test_a_browser_without_cookies_is_told_so(party: RelyingParty, path: str) -> None:
    async with Person() as owner, Person() as forgetful:
        await owner.open(party.authorization_url())
        interaction = page_of(owner).form_with("identifier").fields["interaction"]
        await forgetful.open(f"{party.provider.issuer}{path}?interaction={interaction}")
        assert page_of(forgetful).status == 400
        assert "Cookies are blocked" in page_of(forgetful).title


@pytest.mark.parametrize("interaction", ["", "x" * 22, "x" * 21, "\u0928" * 22, "../../etc/passwd", "x" * 7000])
async def test_an_interaction_that_never_was_shows_a_page(party: RelyingParty, interaction: str) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        answer = await person.http.get(f"{party.provider.issuer}/login", params={"interaction": interaction})
        assert answer.status_code == 400
        assert "This sign-in is no longer open" in answer.text


async def test_an_interaction_is_over_after_an_hour_without_a_step(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        url, form = page_of(person).url, page_of(person).form_with("identifier")
        party.provider.advance(3601)
        assert (await post(person, form, identifier=fresh_email())).status_code == 400
        await person.open(url)
        assert "This sign-in is no longer open" in page_of(person).title


async def test_a_finished_interaction_is_answered_once(party: RelyingParty) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        form = page_of(person).form_with("one_time_code")
        await person.type_code(code)
        assert "code" in person.answer()
        for path in ("/authorize", "/login", "/login/code"):
            person.page = None
            await person.open(f"{party.provider.issuer}{path}?interaction={form.fields['interaction']}")
            assert "This sign-in is already finished" in page_of(person).title
        assert "This sign-in is already finished" in (await post(person, form, one_time_code=code)).text


async def test_an_unclaimed_interaction_belongs_to_the_first_browser_that_opens_it(party: RelyingParty) -> None:
    request = dict(pair.split("=") for pair in party.authorization_url().partition("?")[2].split("&"))
    form = {name: value.replace("%3A", ":").replace("%2F", "/").replace("+", " ") for name, value in request.items()}
    async with Person() as owner, Person() as other:
        kept = await owner.http.post(f"{party.provider.issuer}/authorize", data=form, headers={"origin": "null"})
        assert kept.status_code == 303
        for person in (owner, other):  # both have cookies of their own before
            await person.open(party.authorization_url())
        await owner.open(kept.headers["location"])
        assert "identifier" in page_of(owner).text
        await other.open(kept.headers["location"])
        assert "This sign-in is no longer open" in page_of(other).title


async def test_two_tabs_that_open_an_unclaimed_interaction_at_once_both_get_it(party: RelyingParty) -> None:
    form = dict(parse_qsl(party.authorization_url().partition("?")[2]))
    async with Person() as person:
        kept = await person.http.post(f"{party.provider.issuer}/authorize", data=form, headers={"origin": "null"})
        await person.open(party.authorization_url())
        tabs = await asyncio.gather(*(person.http.get(kept.headers["location"]) for _ in range(8)))
    assert {tab.status_code for tab in tabs} == {303}


async def test_pressing_continue_twice_at_once_loses_nothing(provider: RunningProvider) -> None:
    party, email = register(provider), fresh_email()
    async with Person() as person:
        await person.open(party.authorization_url())
        form = page_of(person).form_with("identifier")
        answers = await asyncio.gather(*(post(person, form, identifier=email) for _ in range(6)))
        assert {answer.status_code for answer in answers} == {303}
        await person.open(answers[0].headers["location"])
        await person.type_code((await provider.newest_message(email))["one_time_code"])
        assert "code" in person.answer()


async def test_two_tabs_of_one_browser_sign_in_side_by_side(party: RelyingParty) -> None:
    first, second = fresh_email(), fresh_email()
    async with Person() as person:
        code = await ask(person, party, first)
        form = page_of(person).form_with("one_time_code")
        await person.type_code(await ask(person, party, second))
        assert "code" in person.answer()
        answer = await post(person, form, one_time_code=code)
        assert answer.status_code == 200
        assert "set-cookie" in answer.headers
