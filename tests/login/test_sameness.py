"""Known, unknown and disabled people get the same answers until they proved who they are."""

import re

import httpx2

from tests.login.doors import ask, fresh_email, page_of, post, resend, wrong
from tests.support.person import Person
from tests.support.relying_party import RelyingParty

_OWN = {"date", "x-request-id", "set-cookie", "location"}


def _seen(answer: httpx2.Response, *own: str) -> tuple[int, list[tuple[str, str]], str]:
    """An answer without what belongs to this one request: ids, tokens, the address typed, seconds that pass."""
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in _OWN)
    text = answer.text
    for value in own:
        text = text.replace(value, "*" * len(value))
    return answer.status_code, headers, re.sub(r"\d", "0", text)


async def _walk(party: RelyingParty, email: str) -> list[tuple[int, list[tuple[str, str]], str]]:
    """Every answer from the first page to the lock."""
    async with Person() as person:
        await person.open(party.authorization_url())
        first = page_of(person).form_with("identifier")
        own = (email, first.fields["interaction"], first.fields["csrf"])
        asked = await post(person, first, identifier=email)
        shown = await person.http.get(asked.headers["location"])
        await person.open(asked.headers["location"])
        party.provider.advance(5)
        again = await post(person, page_of(person).form_with("resend"))
        message = await party.provider.newest_message(email)
        form = page_of(person).form_with("one_time_code")
        guesses = [await post(person, form, one_time_code=wrong(message["one_time_code"])) for _ in range(6)]
        return [_seen(answer, *own) for answer in (asked, shown, again, *guesses)]


async def test_known_unknown_and_disabled_identifiers_get_the_same_answers(party: RelyingParty) -> None:
    known, disabled = fresh_email(), fresh_email()
    for email in (known, disabled):
        async with Person() as person:
            await person.type_code(await ask(person, party, email))
    assert party.provider.command("accounts", "disable", disabled).returncode == 0
    party.provider.advance(31)
    of_unknown = await _walk(party, fresh_email())
    assert [status for status, _, _ in of_unknown] == [303, 200, 429, 400, 400, 400, 400, 429, 429]
    assert await _walk(party, known) == of_unknown
    assert await _walk(party, disabled) == of_unknown


async def test_a_disabled_account_loses_its_session_and_is_refused_after_the_proof_with_a_page(
    party: RelyingParty,
) -> None:
    email = fresh_email()
    async with Person() as person:
        await person.type_code(await ask(person, party, email))
        party.provider.command("accounts", "disable", email)
        await person.open(party.authorization_url(prompt="none"))
        assert person.answer()["error"] == "login_required"
        party.provider.advance(31)  # the browser is not remembered any more
        await person.type_code(await ask(person, party, email))
        assert page_of(person).status == 400
        assert "This account is closed" in page_of(person).title
        assert "set-cookie" not in page_of(person).headers


async def test_no_side_door_tells_whether_somebody_has_an_account(party: RelyingParty) -> None:
    """D-10: a hint of the client, and a request that shows no page."""
    known, seen = fresh_email(), []
    async with Person() as person:
        await person.type_code(await ask(person, party, known))
    for email in (known, fresh_email()):
        async with Person() as stranger:
            hinted = await stranger.open(party.authorization_url(login_hint=email))
            assert hinted is not None
            own = hinted.forms[0].fields
            text = hinted.text.replace(email, "").replace(own["interaction"], "").replace(own["csrf"], "")
            await stranger.open(party.authorization_url(login_hint=email, prompt="none"))
            seen.append((hinted.status, text, stranger.answer()["error"]))
    assert seen[0] == seen[1]


async def test_a_refused_resend_says_the_same_to_everybody(party: RelyingParty) -> None:
    known = fresh_email()
    async with Person() as person:
        await person.type_code(await ask(person, party, known))
    party.provider.advance(31)
    said = []
    for email in (known, fresh_email()):
        async with Person() as person:
            await ask(person, party, email)
            party.provider.advance(5)
            page = await resend(person)
            said.append((page.status, len(page.text)))
    assert said[0] == said[1]
