"""Asking again, and how long a code lives: judged by the stores' clock, never lengthened beyond ten minutes."""

import re

from tests.login.doors import (
    ask,
    ask_here,
    durable_file,
    fresh_email,
    ledger,
    messages,
    newest_id,
    page_of,
    post,
    resend,
    rows,
    until,
    wrong,
)
from tests.support.person import Person
from tests.support.relying_party import RelyingParty


async def _resent_code(person: Person, party: RelyingParty, email: str) -> str:
    before = await newest_id(person, party.provider, email)
    page = await resend(person)
    assert page.status == 200, page.text
    return str((await party.provider.newest_message(email, after=before))["one_time_code"])


async def test_a_resend_before_its_time_is_refused_and_says_how_long_to_wait(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        await ask(person, party, email)
        party.provider.advance(5)
        page = await resend(person)
        assert page.status == 429
        found = re.search(r"A code was just sent to this email or number\. Ask again in (\d+) s\.", page.text)
        assert found is not None
        assert 15 <= int(found[1]) <= 25
        assert f'data-seconds="{found[1]}"' in page.text
        assert page.headers["retry-after"] == found[1]
        party.provider.advance(int(found[1]))
        await _resent_code(person, party, email)
        assert len(await messages(person, party.provider, email)) == 2


async def test_a_resend_repeats_the_live_code_under_another_delivery(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        party.provider.advance(31)
        assert await _resent_code(person, party, email) == code
        assert "We sent the code again. It is the same code." in page_of(person).text
        newest, first = await messages(person, party.provider, email)
        assert newest["id"] != first["id"]
        await person.type_code(code)
        assert "code" in person.answer()


async def test_each_wait_is_longer_and_a_code_is_sent_three_times_at_most(party: RelyingParty) -> None:
    """A-09."""
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        for wait in (30, 60):
            party.provider.advance(wait - 10)
            assert (await resend(person)).status == 429
            party.provider.advance(10)
            assert await _resent_code(person, party, email) == code
        party.provider.advance(200)
        page = await resend(person)
        assert page.status == 429
        assert "Too many codes asked for in this browser. Ask again in 10" in page.text
        assert len(await messages(person, party.provider, email)) == 3


async def test_a_code_is_good_to_its_last_seconds(party: RelyingParty) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        party.provider.advance(292)
        await person.type_code(code)
        assert "code" in person.answer()


async def test_a_code_is_over_after_five_minutes(party: RelyingParty) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        party.provider.advance(300)
        await person.type_code(code)
        assert page_of(person).status == 400
        assert "That code has expired. Ask for a new one." in page_of(person).text


async def test_a_resend_gives_five_more_minutes(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        party.provider.advance(250)
        await _resent_code(person, party, email)
        party.provider.advance(290)
        await person.type_code(code)
        assert "code" in person.answer()


async def test_no_resend_keeps_a_code_alive_beyond_ten_minutes(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        for _ in range(2):
            party.provider.advance(280)
            assert await _resent_code(person, party, email) == code
        party.provider.advance(40)
        await person.type_code(code)
        assert page_of(person).status == 400


async def test_a_new_code_after_expiry_inherits_the_guesses_that_were_spent(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        for _ in range(3):
            await person.type_code(wrong(code))
        party.provider.advance(300)
        new = await _resent_code(person, party, email)
        assert new != code
        await person.type_code(wrong(new))
        assert "1 attempt left" in page_of(person).text
        await person.type_code(wrong(new))
        assert page_of(person).status == 429


async def test_starting_over_is_a_resend_and_gives_no_new_guesses(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        await person.type_code(wrong(code))
        await person.open(party.authorization_url())
        await person.type_identifier(email)
        assert page_of(person).url.startswith(f"{party.provider.issuer}/login/code")
        await person.type_code(wrong(code))
        assert "3 attempts left" in page_of(person).text
        assert len(await messages(person, party.provider, email)) == 1
        await person.type_code(code)
        assert "code" in person.answer()


async def test_another_identifier_in_the_same_browser_is_another_challenge(party: RelyingParty) -> None:
    first, second = fresh_email(), fresh_email()
    async with Person() as person:
        old = await ask(person, party, first)
        await person.submit(page_of(person).form_with("change"), "change")
        assert page_of(person).form_with("identifier").fields["identifier"] == first
        new = await ask_here(person, party, second)
        await person.type_code(old)
        assert "4 attempts left" in page_of(person).text
        await person.type_code(new)
        assert "code" in person.answer()


async def test_a_second_sign_in_in_one_browser_gets_a_message_of_its_own(party: RelyingParty) -> None:
    """Mail systems drop what carries a name they saw before, so no two messages may share one."""
    email = fresh_email()
    async with Person() as person:
        await person.type_code(await ask(person, party, email))
        await person.type_code(await ask(person, party, email, prompt="login"))
        first, second = await messages(person, party.provider, email)
        assert first["id"] != second["id"]


async def test_every_refusal_to_send_is_in_the_audit_trail(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        await ask(person, party, email)
        party.provider.advance(5)
        await resend(person)
    last = ledger(party.provider, party.client_id).named("otp.refused")[-1]
    assert '"reason":"cool_down"' in last["detail"].replace(" ", "")


async def test_a_locked_database_orders_nothing_and_the_next_request_sends_a_code(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        await person.open(party.authorization_url())
        form = page_of(person).form_with("identifier")
        with durable_file(party.provider) as connection:
            connection.execute("BEGIN IMMEDIATE")
            refused = await post(person, form, identifier=email)
            connection.execute("ROLLBACK")
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "2"
        assert "Back in a moment" in refused.text
        await person.open(page_of(person).url)
        await person.type_code(await ask_here(person, party, email))
        assert "code" in person.answer()


async def test_a_locked_database_takes_a_resend_back(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        party.provider.advance(31)
        with durable_file(party.provider) as connection:
            connection.execute("BEGIN IMMEDIATE")
            assert (await post(person, page_of(person).form_with("resend"))).status_code == 503
            connection.execute("ROLLBACK")
        assert await _resent_code(person, party, email) == code
    await until(lambda: not rows(party.provider, "SELECT 1 FROM outbox WHERE state = 'ready'"))
