"""The question before signing out: its two answers, and what becomes of the session."""

from urllib.parse import urlencode

import pytest

from tests.login.doors import ask, fresh_email, ledger, page_of
from tests.support.person import Person
from tests.support.relying_party import RelyingParty, register

BACK = "http://127.0.0.1:8999/signed-out"


@pytest.fixture(scope="module")
def returning(party: RelyingParty) -> RelyingParty:
    """A client that wants the browser back after signing out."""
    return register(party.provider, "--post-logout-redirect-uri", BACK)


async def _asked(person: Person, party: RelyingParty, **parameters: str) -> None:
    """Sign in, then arrive at the question."""
    await person.type_code(await ask(person, party, fresh_email()))
    await person.open(f"{party.provider.issuer}/logout?{urlencode(parameters)}")
    assert "Sign out?" in page_of(person).title


async def _is_signed_in(person: Person, party: RelyingParty) -> bool:
    await person.open(party.authorization_url(prompt="none"))
    return "code" in person.answer()


async def test_yes_ends_the_session_and_says_so(party: RelyingParty) -> None:
    async with Person() as person:
        await _asked(person, party)
        await person.submit(page_of(person).forms[0], "continue")
        assert "You are signed out" in page_of(person).title
        assert not await _is_signed_in(person, party)
    ended = ledger(party.provider).named("session.ended")[-1]
    assert '"logout"' in ended["detail"]


async def test_yes_leads_back_to_the_client_with_its_state(returning: RelyingParty) -> None:
    parameters = {"client_id": returning.client_id, "post_logout_redirect_uri": BACK, "state": "a b&c"}
    async with Person() as person:
        await _asked(person, returning, **parameters)
        assert "Test party" in page_of(person).text
        await person.submit(page_of(person).forms[0], "continue")
        assert person.landed == f"{BACK}?{urlencode({'state': 'a b&c'})}"
        assert not await _is_signed_in(person, returning)


async def test_no_keeps_the_session(returning: RelyingParty) -> None:
    async with Person() as person:
        await _asked(person, returning, client_id=returning.client_id, post_logout_redirect_uri=BACK)
        await person.submit(page_of(person).forms[0], "cancel")
        assert page_of(person).status == 200
        assert "You are still signed in" in page_of(person).title
        assert await _is_signed_in(person, returning)


async def test_the_question_shows_the_account_masked(party: RelyingParty) -> None:
    async with Person() as person:
        email = fresh_email()
        await person.type_code(await ask(person, party, email))
        await person.open(f"{party.provider.issuer}/logout")
        assert email not in page_of(person).text
        assert f"{email[0]}***@e***.com" in page_of(person).text


async def test_without_a_session_there_is_nothing_to_ask(party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(f"{party.provider.issuer}/logout")
        assert "You are signed out" in page_of(person).title


async def test_the_last_page_does_not_tell_who_is_signed_in_that_they_are_not(party: RelyingParty) -> None:
    async with Person() as person:
        await person.type_code(await ask(person, party, fresh_email()))
        await person.open(f"{party.provider.issuer}/logout/done")
        assert "You are still signed in" in page_of(person).title
        assert await _is_signed_in(person, party)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"post_logout_redirect_uri": BACK}, "id_token_hint is missing"),
        ({"id_token_hint": "a.b.c"}, "an id_token_hint that is not from here"),
        ({"post_logout_redirect_uri": BACK, "client_id": "c_gone"}, "is not registered with us"),
    ],
)
async def test_a_request_that_cannot_be_trusted_is_a_page_that_says_why_and_ends_nothing(
    party: RelyingParty, parameters: dict[str, str], said: str
) -> None:
    async with Person() as person:
        await person.type_code(await ask(person, party, fresh_email()))
        await person.open(f"{party.provider.issuer}/logout?{urlencode(parameters)}")
        assert page_of(person).status == 400
        assert said in page_of(person).text
        assert await _is_signed_in(person, party)


@pytest.mark.parametrize("name", ["", "nothing", "x" * 22])
async def test_a_question_nobody_asked_shows_a_page(party: RelyingParty, name: str) -> None:
    async with Person() as person:
        await person.type_code(await ask(person, party, fresh_email()))
        await person.open(f"{party.provider.issuer}/logout/confirm?request={name}")
        assert page_of(person).status == 400
        assert "This sign-in is no longer open" in page_of(person).title
        assert await _is_signed_in(person, party)


async def test_a_question_is_forgotten_after_ten_minutes(party: RelyingParty) -> None:
    async with Person() as person:
        await _asked(person, party)
        party.provider.advance(601)
        await person.submit(page_of(person).forms[0], "continue")
        assert page_of(person).status == 400
        assert await _is_signed_in(person, party)
