"""Typing codes: five guesses, each charged before it is compared, and a right one works once, in its own browser."""

import pytest

from tests.login.doors import (
    ask,
    ask_here,
    durable_file,
    fresh_email,
    guess_wrong,
    ledger,
    page_of,
    post,
    register_itself,
    rows,
    wrong,
)
from tests.support.person import Person
from tests.support.relying_party import RelyingParty


async def test_a_wrong_code_tells_how_many_guesses_are_left(party: RelyingParty) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        for left in (4, 3, 2):
            page = await person.type_code(wrong(code))
            assert page is not None
            assert page.status == 400
            assert f"{left} attempts left" in page.text
        await person.type_code(wrong(code))
        assert "1 attempt left" in page_of(person).text
        await person.type_code(code)
        assert "code" in person.answer()


async def test_after_five_wrong_codes_the_right_one_is_refused_too(party: RelyingParty) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        form = page_of(person).form_with("one_time_code")
        for _ in range(4):
            assert (await post(person, form, one_time_code=wrong(code))).status_code == 400
        fifth = await post(person, form, one_time_code=wrong(code))
        sixth = await post(person, form, one_time_code=code)
        assert (fifth.status_code, sixth.status_code) == (429, 429)
        assert "Too many wrong codes. Ask for a new one in 10 min." in sixth.text
        assert "set-cookie" not in sixth.headers


async def test_a_lock_holds_for_new_codes_and_ends_by_the_clock(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        for _ in range(5):
            await person.type_code(wrong(code))
        party.provider.advance(590)
        await person.open(party.authorization_url())
        await person.type_identifier(email)
        assert page_of(person).status == 429
        assert "Ask for a new one in 1 min." in page_of(person).text
        party.provider.advance(15)
        await person.open(party.authorization_url())
        await person.type_code(await ask_here(person, party, email))
        assert "code" in person.answer()


async def test_a_lock_in_one_browser_locks_nobody_out_of_another(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as stranger, Person() as owner:
        code = await ask(stranger, party, email)
        for _ in range(5):
            await stranger.type_code(wrong(code))
        party.provider.advance(31)
        await owner.type_code(await ask(owner, party, email))
        assert "code" in owner.answer()


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "9" * 9_000]
)
async def test_what_is_no_code_costs_no_guess(party: RelyingParty, typed: str) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        form = page_of(person).form_with("one_time_code")
        for _ in range(6):
            answer = await post(person, form, one_time_code=typed)
            assert answer.status_code == 400
            assert "Enter the 6 digits of the code." in answer.text
        assert "4 attempts left" in (await post(person, form, one_time_code=wrong(code))).text


async def test_a_code_copied_with_its_blanks_is_right(party: RelyingParty) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        await person.type_code(f" {code[:3]}-{code[3:]}\t")
        assert "code" in person.answer()


async def test_a_missing_or_doubled_code_is_refused(party: RelyingParty) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        form = page_of(person).form_with("one_time_code")
        without = {name: value for name, value in form.fields.items() if name != "one_time_code"}
        missing = await person.http.post(form.action, data=without)
        doubled = await person.http.post(form.action, data={**without, "one_time_code": [wrong(code), code]})
        assert (missing.status_code, doubled.status_code) == (400, 400)
        assert "set-cookie" not in doubled.headers


async def test_a_code_works_once(party: RelyingParty) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        form = page_of(person).form_with("one_time_code")
        first = await post(person, form, one_time_code=code)
        person.http.cookies.delete(f"watchword_session_{party.provider.issuer.rpartition(':')[2]}")
        again = await post(person, form, one_time_code=code)
        assert (first.status_code, again.status_code) == (200, 400)
        assert "That code has expired" in again.text
        assert "set-cookie" not in again.headers


async def test_a_tab_left_behind_goes_on_when_its_browser_signed_in_meanwhile(party: RelyingParty) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        form = page_of(person).form_with("one_time_code")
        await post(person, form, one_time_code=code)
        again = await post(person, form, one_time_code=code)
        assert again.status_code == 200
        assert "set-cookie" not in again.headers
        await person.open(f"{party.provider.issuer}/authorize?interaction={form.fields['interaction']}")
        assert "code" in person.answer()


async def test_a_right_code_gives_the_guesses_back(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        for _ in range(4):
            await person.type_code(wrong(code))
        await person.type_code(code)
        again = await ask(person, party, email, prompt="login")
        await person.type_code(wrong(again))
        assert "4 attempts left" in page_of(person).text


async def test_another_browser_can_neither_use_a_code_nor_spend_its_guesses(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as owner, Person() as thief:
        code = await ask(owner, party, email)
        stolen = page_of(owner).form_with("one_time_code")
        party.provider.advance(31)
        await ask(thief, party, email)
        own = page_of(thief).form_with("one_time_code")
        with_the_owners_form = await post(thief, stolen, one_time_code=code)
        with_an_own_token = await post(thief, stolen, one_time_code=code, csrf=own.fields["csrf"])
        in_an_own_interaction = await post(thief, own, one_time_code=code)
        assert (with_the_owners_form.status_code, with_an_own_token.status_code) == (403, 403)
        assert in_an_own_interaction.status_code == 400
        for left in (4, 3, 2, 1):
            await owner.type_code(wrong(code))
            assert f"{left} attempt" in page_of(owner).text
        await owner.type_code(code)
        assert "code" in owner.answer()


async def test_a_code_of_one_client_is_none_of_another(party: RelyingParty) -> None:
    other = await register_itself(party.provider)
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        party.provider.advance(31)
        await ask(person, other, email)
        await person.type_code(code)
        assert "4 attempts left" in page_of(person).text


async def test_a_refused_code_leaves_no_session_and_no_account(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        await person.type_code(wrong(code))
    assert rows(party.provider, "SELECT 1 FROM identifier WHERE value = :email", email=email) == []
    last = ledger(party.provider, party.client_id).events[-1]
    assert (last["name"], last["account_id"], last["session_id"]) == ("otp.failed", None, None)


@pytest.mark.parametrize(
    ("amount", "seconds"), [(10, 60), (20, 2 * 3600), (100, 2 * 86400)], ids=["an hour", "a day", "thirty days"]
)
async def test_each_window_is_counted_at_the_guess_itself(party: RelyingParty, amount: int, seconds: int) -> None:
    """B-03: two browsers have their codes in time, and one guess is left. The others are written as rows."""
    email, microseconds = fresh_email(), 1_000_000
    async with Person() as first, Person() as second:
        codes = [await ask(first, party, email)]
        party.provider.advance(31)  # the pause before another message
        codes.append(await ask(second, party, email))
        assert await guess_wrong(first, codes[0], 1) == [400]
        [mine] = rows(party.provider, "SELECT * FROM guess ORDER BY at DESC LIMIT 1")
        with durable_file(party.provider) as connection:
            for number in range(amount - 2):
                row = (
                    f"{amount}-{number}-{mine['id']}",
                    mine["tag"],
                    mine["scope"],
                    mine["at"] - seconds * microseconds,
                )
                connection.execute("INSERT INTO guess VALUES (?, ?, ?, ?)", row)
        assert await guess_wrong(first, codes[0], 1) == [400]
        assert await guess_wrong(second, codes[1], 1) == [429]
        refused = await second.type_code(codes[1])
        assert refused is not None
        assert refused.status == 429
