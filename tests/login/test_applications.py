"""A person's own page about the clients they allowed something: to see them, and to take it back."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.login.doors import ask, durable_file, fresh_email, ledger, page_of, post, register_itself, rows
from tests.support.person import Form, Person
from tests.support.relying_party import RelyingParty, register


def _page(party: RelyingParty) -> str:
    return f"{party.provider.issuer}/account/applications"


async def _allow(person: Person, party: RelyingParty, email: str, **changes: str) -> str:
    """Sign in where nobody is yet, say yes, and return the code."""
    await person.open(party.authorization_url(**changes))
    if "/login?" in page_of(person).url:
        await person.type_code(await ask(person, party, email, **changes))
    await person.submit(page_of(person).form_with("continue"), "continue")
    return person.answer()["code"]


def _form(person: Person, party: RelyingParty) -> Form:
    """The form that takes back what this client was allowed."""
    [form] = [form for form in page_of(person).forms if form.fields.get("client_id") == party.client_id]
    return form


async def _take_back(person: Person, party: RelyingParty) -> None:
    await person.open(_page(party))
    await person.submit(_form(person, party))


async def _tokens(party: RelyingParty, code: str) -> dict[str, Any]:
    answer = await party.exchange(code)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_who_is_not_signed_in_is_told_how_to_get_here(party: RelyingParty, method: str) -> None:
    async with Person() as person:
        answer = await person.http.request(method, _page(party), data={"client_id": "x"} if method == "POST" else None)
    assert answer.status_code == 403
    assert "You are not signed in" in answer.text
    assert "then come back to this page" in answer.text


async def test_what_was_allowed_is_shown_with_its_day_and_nothing_else(party: RelyingParty) -> None:
    stranger, other, email = await register_itself(party.provider), await register_itself(party.provider), fresh_email()
    async with Person() as person:
        await _allow(person, stranger, email, scope="openid phone", claims=json.dumps({"userinfo": {"gender": None}}))
        await person.open(other.authorization_url())
        page = await person.open(_page(party))
        assert page is not None
        # The provider's clock may be moved by others: what the store says counts.
        [given] = rows(party.provider, "SELECT granted_at FROM consent WHERE client_id = :id", id=stranger.client_id)
        day = datetime.fromtimestamp(given["granted_at"] / 1_000_000, UTC)
        for said in ("Test party", "127.0.0.1:8999", "See your phone number", "See your gender", "Know who you are"):
            assert said in page.text
        assert page.text.index("Know who you are") < page.text.index("See your phone number")
        assert f"allowed on {day.day} {day:%B} {day.year}" in page.text
        assert f"{email[0]}***@e***.com" in page.text
        assert email not in page.text
        assert [form.fields["client_id"] for form in page.forms] == [stranger.client_id]
    async with Person() as person:
        await person.type_code(await ask(person, party, fresh_email()))
        page = await person.open(_page(party))
        assert page is not None
        assert "You have not allowed any app" in page.text


async def test_what_is_taken_back_is_over_in_every_browser_and_asked_for_again(party: RelyingParty) -> None:
    offline = register(party.provider, "--scope", "openid", "--scope", "offline_access", first_party=False)
    email, scope = fresh_email(), "openid offline_access"
    async with Person() as here, Person() as there:
        first = await _tokens(offline, await _allow(here, offline, email, scope=scope))
        await there.type_code(await ask(there, offline, email, scope=scope, prompt="login"))
        second = await _tokens(offline, there.answer()["code"])
        await here.open(offline.authorization_url(scope=scope))
        unredeemed = here.answer()["code"]
        await _take_back(here, offline)
        assert "may no longer use your account" in page_of(here).text
        assert page_of(here).forms == []
        for tokens in (first, second):
            assert (await offline.userinfo(tokens["access_token"])).status_code == 401
            refused = await offline.refresh(tokens["refresh_token"])
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        late = await offline.exchange(unredeemed)
        assert (late.status_code, late.json()["error"]) == (400, "invalid_grant")
        await there.open(offline.authorization_url(scope=scope, prompt="none"))
        assert there.answer()["error"] == "consent_required"
        await here.open(offline.authorization_url(scope=scope))
        assert "/consent?" in page_of(here).url
    assert rows(party.provider, "SELECT 1 FROM consent WHERE client_id = :id", id=offline.client_id) == []
    [event] = ledger(party.provider, offline.client_id).named("consent.withdrawn")
    assert json.loads(event["detail"]) == {"grants": 2}


async def test_a_code_that_was_issued_at_that_moment_gives_nothing(party: RelyingParty) -> None:
    """Who takes back cannot see a code that another transaction is about to write."""
    stranger = await register_itself(party.provider)
    async with Person() as person:
        code = await _allow(person, stranger, fresh_email())
    with durable_file(party.provider) as connection:
        connection.execute("DELETE FROM consent WHERE client_id = ?", (stranger.client_id,))
    refused = await stranger.exchange(code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_a_grant_that_outlived_its_session_ends_too(party: RelyingParty) -> None:
    offline = register(party.provider, "--scope", "openid", "--scope", "offline_access", first_party=False)
    email, scope = fresh_email(), "openid offline_access"
    async with Person() as person:
        tokens = await _tokens(offline, await _allow(person, offline, email, scope=scope))
        with durable_file(party.provider) as connection:  # as when housekeeping deletes a session that ended
            connection.execute(
                "UPDATE authorization_grant SET session_id = NULL WHERE client_id = ?", (offline.client_id,)
            )
        await _take_back(person, offline)
    assert (await offline.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_another_client_and_another_person_keep_what_they_have(party: RelyingParty) -> None:
    stranger, other = await register_itself(party.provider), await register_itself(party.provider)
    async with Person() as anna, Person() as bert:
        email = fresh_email()
        taken = await _tokens(stranger, await _allow(anna, stranger, email))
        kept = await _tokens(other, await _allow(anna, other, email))
        hers = await _tokens(stranger, await _allow(bert, stranger, fresh_email()))
        await _take_back(anna, stranger)
        assert [form.fields["client_id"] for form in page_of(anna).forms] == [other.client_id]
    assert (await stranger.userinfo(taken["access_token"])).status_code == 401
    assert (await other.userinfo(kept["access_token"])).status_code == 200
    assert (await stranger.userinfo(hers["access_token"])).status_code == 200


async def test_the_form_of_one_person_takes_nothing_from_the_next_one_in_this_browser(party: RelyingParty) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await _allow(person, stranger, fresh_email())
        await person.open(_page(party))
        shown_to_anna = _form(person, stranger)
        bert = fresh_email()
        await person.type_code(await ask(person, stranger, bert, prompt="login"))
        await person.submit(page_of(person).form_with("continue"), "continue")
        answer = await post(person, shown_to_anna)
    assert answer.status_code == 403
    assert len(rows(party.provider, "SELECT 1 FROM consent WHERE client_id = :id", id=stranger.client_id)) == 2
    assert not ledger(party.provider, stranger.client_id).named("consent.withdrawn")


@pytest.mark.parametrize("client_id", ["nobody", "", "c" * 5000])
async def test_what_was_never_allowed_cannot_be_taken_back(party: RelyingParty, client_id: str) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await _allow(person, stranger, fresh_email())
        await person.open(_page(party))
        answer = await post(person, _form(person, stranger), client_id=client_id)
    assert answer.status_code == (200 if client_id else 400)
    assert "may no longer use" not in answer.text
    assert len(rows(party.provider, "SELECT 1 FROM consent WHERE client_id = :id", id=stranger.client_id)) == 1


async def test_a_client_that_was_taken_out_of_use_is_not_shown(party: RelyingParty) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await _allow(person, stranger, fresh_email())
        with durable_file(party.provider) as connection:
            connection.execute("UPDATE client SET status = 'removed' WHERE id = ?", (stranger.client_id,))
        party.provider.advance(6)  # a worker remembers a client for five seconds
        page = await person.open(_page(party))
    assert page is not None
    assert page.forms == []


async def test_the_page_is_in_the_language_that_was_chosen_and_stays_so(party: RelyingParty) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await _allow(person, stranger, fresh_email())
        await person.open(_page(party) + "?&ui_locales=hi")
        assert "वे ऐप जिन्हें आपने अनुमति दी" in page_of(person).text
        await person.submit(_form(person, stranger))
        assert "आपने किसी ऐप को" in page_of(person).text


async def test_the_page_is_private(party: RelyingParty) -> None:
    async with Person() as person:
        await person.type_code(await ask(person, party, fresh_email()))
        page = await person.open(_page(party))
    assert page is not None
    assert page.headers["cache-control"] == "no-store"
    assert "form-action 'self'" in page.headers["content-security-policy"]
