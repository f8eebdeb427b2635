"""Limits on guessing: by challenge, by network, by identifier; an owner is never locked out of the browser they use."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.login.doors import (
    ask,
    ask_here,
    durable_file,
    fresh_email,
    fresh_phone,
    guess_wrong,
    knock,
    ledger,
    page_of,
    post,
    register_itself,
    register_trusted,
    rows,
    wrong,
)
from tests.support.person import Person, fresh_address
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty

DAY = 24 * 3600


@pytest.fixture
async def party(limited: RunningProvider) -> RelyingParty:
    """A client of this test's own, so that its events can be told apart."""
    return await register_trusted(limited)


@pytest.fixture(scope="module")
def unlimited() -> Iterator[RunningProvider]:
    """A provider without limits on sending and on networks: those on guessing stand alone."""
    with running_provider(test_limits="off") as running:
        yield running


@pytest.fixture
async def guessed_at(unlimited: RunningProvider) -> RelyingParty:
    return await register_trusted(unlimited)


def compared(party: RelyingParty) -> int:
    """How many wrong codes were compared for this test's client."""
    return len(ledger(party.provider, party.client_id).named("otp.failed", "otp.exhausted"))


def refusals(party: RelyingParty) -> Counter[tuple[str, str]]:
    """Which limits refused guesses of this test's client, and whose they were."""
    details = [json.loads(event["detail"]) for event in ledger(party.provider, party.client_id).named("limit.exceeded")]
    return Counter((detail["limit"], detail["scope"]) for detail in details)


async def spend(party: RelyingParty, identifier: str, times: int = 10) -> None:
    """Type wrong codes for an identifier in browsers that nobody knows, five in each."""
    while times > 0:
        async with Person() as stranger:
            code = await ask(stranger, party, identifier)
            await guess_wrong(stranger, code, min(times, 5))
        times -= 5


async def test_an_identifier_takes_ten_wrong_codes_an_hour_over_all_browsers(guessed_at: RelyingParty) -> None:
    """B-03, T03: then unknown browsers are told when it lifts, and get no code."""
    email = fresh_email()
    await spend(guessed_at, email)
    refused = await knock(guessed_at, email)
    assert refused.status_code == 429
    assert "Too many wrong codes for this email or number. Try again in 60 min." in refused.text
    assert int(refused.headers["retry-after"]) <= 3600
    guessed_at.provider.advance(3601)
    async with Person() as person:
        await person.type_code(await ask(person, guessed_at, email))
        assert "code" in person.answer()
    assert compared(guessed_at) == 10


async def test_asking_again_and_guessing_for_a_day_gives_twenty_comparisons(guessed_at: RelyingParty) -> None:
    """B-03, T03: every twenty minutes, five guesses each time."""
    email = fresh_email()
    for _ in range(72):
        async with Person() as stranger:
            await stranger.open(guessed_at.authorization_url())
            await stranger.type_identifier(email)
            if "one_time_code" in page_of(stranger).text:
                letters = "letter code" in page_of(stranger).text
                await guess_wrong(stranger, "BBBBBBBB" if letters else "000000", 5)
        guessed_at.provider.advance(1200)
    assert compared(guessed_at) <= 20


async def test_a_month_has_its_own_window(guessed_at: RelyingParty) -> None:
    """B-03: a hundred in thirty days. The days before are written as rows, as a month of guessing leaves them."""
    email = fresh_email()
    await spend(guessed_at, email, 1)
    [mine] = rows(guessed_at.provider, "SELECT * FROM guess ORDER BY at DESC LIMIT 1")
    with durable_file(guessed_at.provider) as connection:
        for number in range(99):
            at = mine["at"] - (2 + number % 20) * DAY * 1_000_000
            connection.execute("INSERT INTO guess VALUES (?, ?, ?, ?)", (f"g{number}", mine["tag"], mine["scope"], at))
    refused = await knock(guessed_at, email)
    assert refused.status_code == 429
    assert re.search(r"Try again in \d+ days\.", refused.text)


async def test_spellings_clients_and_networks_share_one_budget(guessed_at: RelyingParty) -> None:
    """B-03, B-04."""
    email, other = fresh_email(), await register_itself(guessed_at.provider)
    for number, (asking, typed) in enumerate([(guessed_at, email.upper()), (other, f" {email}")]):
        async with Person(address=f"2001:db8:{number}::1") as stranger:
            await stranger.open(asking.authorization_url())
            await stranger.type_identifier(typed)
            code = (await asking.provider.newest_message(email))["one_time_code"]
            await guess_wrong(stranger, code, 5)
    assert (await knock(guessed_at, email)).status_code == 429


async def test_many_guesses_at_one_moment_get_no_more_than_the_budget(guessed_at: RelyingParty) -> None:
    """B-01, B-03: sixty guesses in twelve browsers at once, each of which has five; ten are compared."""
    email, people = fresh_email(), [Person() for _ in range(12)]
    try:
        codes = [await ask(person, guessed_at, email) for person in people]
        forms = [page_of(person).form_with("one_time_code") for person in people]
        guesses = [
            post(person, form, one_time_code=wrong(code))
            for person, form, code in zip(people, forms, codes, strict=True)
            for _ in range(5)
        ]
        answers = await asyncio.gather(*guesses)
    finally:
        await asyncio.gather(*(person.http.aclose() for person in people))
    assert compared(guessed_at) == 10
    assert refusals(guessed_at) == {("failures_per_identifier", "identifier"): 50}
    assert {answer.status_code for answer in answers} == {400, 429}


async def test_the_right_code_is_refused_too_once_the_budget_is_spent(guessed_at: RelyingParty) -> None:
    """B-03, T01: nothing is compared, and nobody signed in."""
    email = fresh_email()
    async with Person() as late:
        code = await ask(late, guessed_at, email)
        await spend(guessed_at, email)
        page = await late.type_code(code)
        assert page is not None
        assert page.status == 429
        assert "Too many wrong codes for this email or number." in page.text
        assert "set-cookie" not in page.headers


async def test_a_right_code_hands_back_its_own_charge_and_no_other(guessed_at: RelyingParty) -> None:
    """B-06, T15."""
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, guessed_at, email)
        await guess_wrong(person, code, 3)
        before = rows(guessed_at.provider, "SELECT id FROM guess ORDER BY id")
        await person.type_code(code)
        assert "code" in person.answer()
    assert rows(guessed_at.provider, "SELECT id FROM guess ORDER BY id") == before


async def test_a_right_code_for_a_disabled_account_hands_nothing_back(guessed_at: RelyingParty) -> None:
    """A-08, B-02: the code is used up, there is no session, and the guess stays counted."""
    email = fresh_email()
    async with Person() as person:
        await person.type_code(await ask(person, guessed_at, email))
        guessed_at.provider.command("accounts", "disable", email)
        before = len(rows(guessed_at.provider, "SELECT id FROM guess"))
        code = await ask(person, guessed_at, email, prompt="login")
        form = page_of(person).form_with("one_time_code")
        await person.type_code(code)
        assert "This account is closed" in page_of(person).title
        again = await post(person, form, one_time_code=code)
        assert "That code has expired" in again.text
    assert len(rows(guessed_at.provider, "SELECT id FROM guess")) == before + 1


async def test_a_guess_that_cannot_be_counted_is_not_compared(guessed_at: RelyingParty) -> None:
    """B-02: with the durable store locked the right code is answered 503, and works afterwards."""
    async with Person() as person:
        code = await ask(person, guessed_at, fresh_email())
        form = page_of(person).form_with("one_time_code")
        with durable_file(guessed_at.provider) as connection:
            connection.execute("BEGIN IMMEDIATE")
            refused = await post(person, form, one_time_code=code)
            connection.execute("ROLLBACK")
        assert refused.status_code == 503
        assert "retry-after" in refused.headers
        assert "set-cookie" not in refused.headers
        await person.type_code(code)
        assert "code" in person.answer()


async def test_after_ten_failures_strangers_get_letters(guessed_at: RelyingParty) -> None:
    """B-09: 34.6 bits by email, typed in either case; the page asks for what it is."""
    email = fresh_email()
    await spend(guessed_at, email)
    guessed_at.provider.advance(3601)
    async with Person() as person:
        code = await ask(person, guessed_at, email)
        assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{8}", code)
        assert "8-letter code" in page_of(person).text
        assert 'inputmode="text"' in page_of(person).text
        form = page_of(person).form_with("one_time_code")
        malformed = await post(person, form, one_time_code="12345678")
        assert malformed.status_code == 400
        assert "Enter the 8 letters of the code." in malformed.text
        await person.type_code(f"{code[:4].lower()} {code[4:]}")
        assert "code" in person.answer()


async def test_a_number_keeps_a_budget_of_longer_codes(guessed_at: RelyingParty) -> None:
    """B-09: a person who has nothing but a number and a new phone; 26.6 bits."""
    phone = fresh_phone()
    await spend(guessed_at, phone)
    async with Person() as person:
        code = await ask(person, guessed_at, phone)
        assert re.fullmatch("[0-9]{8}", code)
        assert "8-digit code" in page_of(person).text
        await person.type_code(code)
        assert "code" in person.answer()
    await spend(guessed_at, phone)
    refused = await knock(guessed_at, phone)
    assert refused.status_code == 429
    assert "Too many wrong codes for this email or number." in refused.text


async def test_strangers_lock_nobody_out_of_the_browser_they_use(guessed_at: RelyingParty) -> None:
    """B-07, T13: twenty failures of strangers; the owner gets a short code and signs in."""
    email = fresh_email()
    async with Person() as owner:
        await owner.type_code(await ask(owner, guessed_at, email))
        await spend(guessed_at, email)
        guessed_at.provider.advance(3601)
        await spend(guessed_at, email)
        code = await ask(owner, guessed_at, email, prompt="login")
        assert re.fullmatch("[0-9]{6}", code)
        await owner.type_code(code)
        assert "code" in owner.answer()


async def test_a_remembered_browser_has_a_budget_of_its_own(guessed_at: RelyingParty) -> None:
    """B-07: ten an hour, which are none of the strangers'."""
    email = fresh_email()
    async with Person() as owner:
        await owner.type_code(await ask(owner, guessed_at, email))
        for _ in range(2):
            code = await ask(owner, guessed_at, email, prompt="login")
            await guess_wrong(owner, code, 5)
            guessed_at.provider.advance(601)
        await owner.open(guessed_at.authorization_url(prompt="login"))
        await owner.type_identifier(email)
        assert page_of(owner).status == 429
        assert "Too many wrong codes in this browser." in page_of(owner).text
    async with Person() as stranger:
        await stranger.type_code(await ask(stranger, guessed_at, email))
        assert "code" in stranger.answer()


async def test_a_network_has_its_share_of_wrong_codes(party: RelyingParty) -> None:
    """T05: thirty in ten minutes, half of them at once, over all identifiers; the challenge gets its guess back."""
    address = fresh_address()
    for _ in range(3):
        async with Person(address=address) as stranger:
            code = await ask(stranger, party, fresh_email())
            assert (await guess_wrong(stranger, code, 5))[:4] == [400] * 4
    async with Person(address=address) as person:
        code = await ask(person, party, fresh_email())
        refused = await person.type_code(code)
        assert refused is not None
        assert refused.status == 429
        assert "Too many wrong codes from your network." in refused.text
        assert refusals(party) == {("failures_per_network", "network"): 1}
        party.provider.advance(int(refused.headers["retry-after"]))
        await person.type_code(wrong(code))
        assert "4 attempts left" in page_of(person).text


async def test_what_is_no_code_counts_for_the_network_alone(party: RelyingParty) -> None:
    """A-10, T09."""
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        form = page_of(person).form_with("one_time_code")
        statuses = [(await post(person, form, one_time_code="12")).status_code for _ in range(16)]
        assert statuses == [400] * 15 + [429]
        party.provider.advance(41)
        await person.type_code(code)
        assert "code" in person.answer()
    assert compared(party) == 0


async def test_right_codes_use_up_no_network() -> None:
    """B-06: three people sign in, and then two wrong codes are compared, as many as there are at once."""
    with running_provider(failures_per_network="4/10m") as running:
        party, address = await register_trusted(running), fresh_address()
        for _ in range(3):
            async with Person(address=address) as person:
                await person.type_code(await ask(person, party, fresh_email()))
                assert "code" in person.answer()
        async with Person(address=address) as stranger:
            assert await guess_wrong(stranger, await ask(stranger, party, fresh_email()), 3) == [400, 400, 429]


async def test_a_challenge_may_have_fewer_guesses() -> None:
    """B-01."""
    with running_provider(guesses_per_challenge="3") as running:
        async with Person() as person:
            code = await ask(person, await register_trusted(running), fresh_email())
            await person.type_code(wrong(code))
            assert "2 attempts left" in page_of(person).text
            assert await guess_wrong(person, code, 3) == [400, 429, 429]


async def test_a_stolen_device_cookie_signs_nobody_in(guessed_at: RelyingParty) -> None:
    """F-17, T55: it never replaces the first factor, and is worth nothing after the owner signed in again."""
    email, name = fresh_email(), f"watchword_device_{guessed_at.provider.issuer.rpartition(':')[2]}"
    async with Person() as owner, Person() as thief:
        await owner.type_code(await ask(owner, guessed_at, email))
        stolen = owner.http.cookies[name]
        thief.http.cookies.set(name, stolen, domain="localhost.local")
        await thief.open(guessed_at.authorization_url())
        assert "identifier" in page_of(thief).form_with("identifier").fields
        await thief.open(guessed_at.authorization_url(prompt="none"))
        assert thief.answer()["error"] == "login_required"
        await owner.type_code(await ask(owner, guessed_at, email, prompt="login"))
        assert owner.http.cookies[name] != stolen
        assert not rows(guessed_at.provider, "SELECT 1 FROM device WHERE token_hash = :stolen", stolen=stolen)


async def test_a_device_of_another_account_is_a_stranger(guessed_at: RelyingParty) -> None:
    """T55: it is bound to its account."""
    email = fresh_email()
    async with Person() as other:
        await other.type_code(await ask(other, guessed_at, fresh_email()))
        await spend(guessed_at, email)
        await other.open(guessed_at.authorization_url(prompt="login"))
        await other.type_identifier(email)
        assert page_of(other).status == 429


@pytest.mark.parametrize("command", ["forget-devices", "disable"])
async def test_a_forgotten_device_and_one_of_a_disabled_account_are_strangers(
    guessed_at: RelyingParty, command: str
) -> None:
    """T55."""
    email = fresh_email()
    async with Person() as owner:
        await owner.type_code(await ask(owner, guessed_at, email))
        await spend(guessed_at, email)
        assert "user_agent" in guessed_at.provider.command("accounts", "show", email, "--json").stdout
        assert guessed_at.provider.command("accounts", command, email).returncode == 0
        await owner.open(guessed_at.authorization_url(prompt="login"))
        await owner.type_identifier(email)
        assert page_of(owner).status == 429


async def test_a_device_is_forgotten_after_sixty_days(guessed_at: RelyingParty) -> None:
    """T55."""
    email = fresh_email()
    async with Person() as owner:
        await owner.type_code(await ask(owner, guessed_at, email))
        guessed_at.provider.advance(60 * DAY + 1)
        await spend(guessed_at, email)
        await owner.open(guessed_at.authorization_url(prompt="login"))
        await owner.type_identifier(email)
        assert page_of(owner).status == 429


async def test_a_browser_that_signs_in_with_two_accounts_is_one_of_the_last(guessed_at: RelyingParty) -> None:
    first, second = fresh_email(), fresh_email()
    async with Person() as shared:
        await shared.type_code(await ask(shared, guessed_at, first))
        await shared.type_code(await ask(shared, guessed_at, second, prompt="login"))
        await spend(guessed_at, second)
        await shared.open(guessed_at.authorization_url(prompt="login"))
        code = await ask_here(shared, guessed_at, second)
        await shared.type_code(code)
        assert "code" in shared.answer()
