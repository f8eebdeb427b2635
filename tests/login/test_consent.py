"""Consent: asked for clients that are not ours, remembered, asked again for more, and never for more than was shown."""

import json

from tests.login.doors import ask, fresh_email, ledger, page_of, post, register_itself, rows
from tests.support.person import Person
from tests.support.relying_party import RelyingParty, register


async def _arrive_at_consent(person: Person, party: RelyingParty, email: str, **changes: str) -> None:
    await person.type_code(await ask(person, party, email, **changes))
    assert "/consent?" in page_of(person).url


async def test_a_client_that_is_not_ours_is_asked_for_with_what_it_wants(party: RelyingParty) -> None:
    stranger, email = await register_itself(party.provider), fresh_email()
    async with Person() as person:
        await _arrive_at_consent(person, stranger, email, scope="openid email phone")
        text = page_of(person).text
        for said in ("Test party", "Know who you are", "See your email address", "See your phone number"):
            assert said in text
        assert "See your postal address" not in text
        assert email not in text
        assert f"{email[0]}***@e***.com" in text
        await person.submit(page_of(person).form_with("continue"), "continue")
        assert "code" in person.answer()


async def test_a_no_is_told_to_the_client_and_nothing_is_remembered(party: RelyingParty) -> None:
    stranger, email = await register_itself(party.provider), fresh_email()
    async with Person() as person:
        await _arrive_at_consent(person, stranger, email)
        await person.submit(page_of(person).form_with("cancel"), "cancel")
        answer = person.answer()
        assert (answer["error"], answer["state"], answer["iss"]) == (
            "access_denied",
            stranger.state,
            party.provider.issuer,
        )
        await person.open(stranger.authorization_url())
        assert "/consent?" in page_of(person).url
    assert rows(party.provider, "SELECT 1 FROM consent WHERE client_id = :id", id=stranger.client_id) == []


async def test_a_decision_that_is_neither_is_a_no(party: RelyingParty) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await _arrive_at_consent(person, stranger, fresh_email())
        form = page_of(person).form_with("continue")
        await post(person, form, decision="perhaps")
        await person.open(f"{party.provider.issuer}/authorize?interaction={form.fields['interaction']}")
        assert person.answer()["error"] == "access_denied"


async def test_a_yes_is_remembered_and_asked_again_only_for_more(party: RelyingParty) -> None:
    stranger, email = await register_itself(party.provider), fresh_email()
    async with Person() as person:
        await _arrive_at_consent(person, stranger, email, scope="openid email")
        await person.submit(page_of(person).form_with("continue"), "continue")
        for scope in ("openid email", "openid"):
            await person.open(stranger.authorization_url(scope=scope))
            assert "code" in person.answer()
        await person.open(stranger.authorization_url(scope="openid phone"))
        assert "See your phone number" in page_of(person).text
        await person.submit(page_of(person).form_with("continue"), "continue")
        await person.open(stranger.authorization_url(scope="openid email phone", prompt="none"))
        assert "code" in person.answer()
    granted = ledger(party.provider, stranger.client_id).named("consent.granted")
    assert [json.loads(event["detail"])["scope"] for event in granted] == ["email openid", "openid phone"]


async def test_prompt_consent_asks_even_what_is_remembered(party: RelyingParty) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await _arrive_at_consent(person, stranger, fresh_email())
        await person.submit(page_of(person).form_with("continue"), "continue")
        await person.open(stranger.authorization_url(prompt="consent"))
        assert "/consent?" in page_of(person).url
        await person.submit(page_of(person).form_with("continue"), "continue")
        assert "code" in person.answer()


async def test_without_a_page_a_missing_consent_is_an_error(party: RelyingParty) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await person.type_code(await ask(person, party, fresh_email()))
        await person.open(stranger.authorization_url(prompt="none"))
        assert person.answer()["error"] == "consent_required"


async def test_consent_is_a_persons_and_not_a_browsers(party: RelyingParty) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await _arrive_at_consent(person, stranger, fresh_email())
        await person.submit(page_of(person).form_with("continue"), "continue")
        await _arrive_at_consent(person, stranger, fresh_email(), prompt="login")


async def test_a_form_cannot_ask_for_more_than_the_request(party: RelyingParty) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await _arrive_at_consent(person, stranger, fresh_email(), scope="openid")
        await post(person, page_of(person).form_with("continue"), decision="allow", scope="openid email phone")
    [consent] = rows(party.provider, "SELECT scope FROM consent WHERE client_id = :id", id=stranger.client_id)
    assert consent["scope"] == "openid"


async def test_a_resource_of_the_client_is_named(party: RelyingParty) -> None:
    party.provider.add_resource("https://notes.example", "notes:read")
    party.provider.advance(6)  # workers remember resources for five seconds
    stranger = register(party.provider, "--scope", "openid", "--scope", "notes:read", first_party=False)
    async with Person() as person:
        await _arrive_at_consent(
            person, stranger, fresh_email(), scope="openid notes:read", resource="https://notes.example"
        )
        assert "https://notes.example" in page_of(person).text
        assert "notes:read" in page_of(person).text


async def test_consent_without_a_session_leads_back_to_signing_in(party: RelyingParty) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await _arrive_at_consent(person, stranger, fresh_email())
        form = page_of(person).form_with("continue")
        person.http.cookies.delete(f"watchword_session_{party.provider.issuer.rpartition(':')[2]}")
        await person.submit(form, "continue")
        assert "/login?" in page_of(person).url
    assert rows(party.provider, "SELECT 1 FROM consent WHERE client_id = :id", id=stranger.client_id) == []


async def test_the_yes_of_one_person_is_no_yes_of_the_next_one_in_this_browser(party: RelyingParty) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await _arrive_at_consent(person, stranger, fresh_email())
        shown_to_anna = page_of(person).form_with("continue")
        bert = fresh_email()
        await person.type_code(await ask(person, party, bert, prompt="login"))
        assert "code" in person.answer()
        answer = await post(person, shown_to_anna, decision="allow")
        assert answer.status_code == 200
        assert not ledger(party.provider, stranger.client_id).named("consent.granted")
        await person.open(f"{party.provider.issuer}/authorize?interaction={shown_to_anna.fields['interaction']}")
        assert f"{bert[0]}***@e***.com" in page_of(person).text
