"""Accounts come into being with the first proof of an identifier, and at no other moment."""

import json
from uuid import UUID

from tests.login.doors import ask, fresh_email, fresh_phone, page_of, rows, wrong
from tests.support.person import Person
from tests.support.provider import running_provider
from tests.support.relying_party import RelyingParty, register


async def test_nothing_is_known_of_a_person_before_the_proof_and_all_of_it_after(party: RelyingParty) -> None:
    email = fresh_email()
    found = "SELECT account_id, kind, value, display FROM identifier WHERE value = :value"
    async with Person() as person:
        code = await ask(person, party, email)
        await person.type_code(wrong(code))
        assert rows(party.provider, found, value=email) == []
        await person.type_code(code)
    [identifier] = rows(party.provider, found, value=email)
    assert (identifier["kind"], identifier["value"]) == ("email", email)
    assert UUID(identifier["account_id"]).version == 4
    [account] = rows(party.provider, "SELECT * FROM account WHERE id = :id", id=identifier["account_id"])
    assert (account["status"], json.loads(account["profile"])) == ("active", {})
    assert not {"email", "phone", "password"} & account.keys()


async def test_an_identifier_leads_to_the_same_account_however_it_is_written(party: RelyingParty) -> None:
    email, subjects = fresh_email(), set()
    for typed in (email, email.upper(), f"  {email}"):
        party.provider.advance(61)
        async with Person() as person:
            await person.open(party.authorization_url())
            await person.type_identifier(typed)
            await person.type_code((await party.provider.newest_message(email))["one_time_code"])
            tokens = (await party.exchange(person.answer()["code"])).json()
            subjects.add((await party.userinfo(tokens["access_token"])).json()["sub"])
    assert len(subjects) == 1


async def test_a_phone_signs_in_from_the_national_form_to_the_claim(party: RelyingParty) -> None:
    phone = fresh_phone()
    async with Person() as person:
        await person.open(party.authorization_url(scope="openid phone"))
        await person.type_identifier("0" + phone.removeprefix("+91"), region="IN")
        page = page_of(person)
        assert "Check your messages" in page.text
        message = await party.provider.newest_message(phone)
        assert message["channel"] == "sms"
        assert message["subject"] is None
        assert message["one_time_code"] in message["text"]
        await person.type_code(message["one_time_code"])
        tokens = (await party.exchange(person.answer()["code"])).json()
    claims = (await party.userinfo(tokens["access_token"])).json()
    assert (claims["phone_number"], claims["phone_number_verified"]) == (phone, True)
    [session] = rows(
        party.provider,
        "SELECT amr FROM session WHERE account_id = (SELECT account_id FROM identifier WHERE value = :phone)",
        phone=phone,
    )
    assert session["amr"].split() == ["otp", "sms"]


async def test_an_identifier_that_cannot_be_used_is_shown_again_beside_the_reason(party: RelyingParty) -> None:
    async with Person() as person:
        for typed, reason in (
            ("not an address", "Enter an email address such as name@example.com, or a full mobile number."),
            ("+442079460958", "You cannot sign in with this one here. Try another."),
            ("+14165550123", "You cannot sign in with this one here. Try another."),
            ("asha@example.com,ravi@example.com", "Enter an email address"),
        ):
            await person.open(party.authorization_url())
            await person.type_identifier(typed)
            page = page_of(person)
            assert page.status == 400
            assert reason in page.text
            assert page.form_with("identifier").fields["identifier"] == typed
    assert rows(party.provider, "SELECT 1 FROM identifier WHERE value LIKE 'asha@%' OR value LIKE '+4%'") == []


async def test_where_only_email_is_accepted_the_reason_does_not_ask_for_a_number() -> None:
    with running_provider(phone_regions="") as provider:
        async with Person() as person:
            await person.open(register(provider).authorization_url())
            await person.type_identifier("not an address")
            assert "Enter an email address such as name@example.com." in page_of(person).text


async def test_two_identifiers_in_one_request_are_refused(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        form = page_of(person).form_with("identifier")
        twice = {**form.fields, "identifier": [fresh_email(), fresh_email()]}
        answer = await person.http.post(form.action, data=twice, headers={"sec-fetch-site": "same-origin"})
        assert answer.status_code == 400
