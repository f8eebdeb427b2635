"""Consent: asked for clients that are not ours, remembered, asked again for more, and never for more than was shown."""

import json
import socket
from typing import Any

import httpx2
import pytest

from tests.login.doors import ask, fresh_email, ledger, page_of, post, register_itself, rows
from tests.support.person import Person
from tests.support.relying_party import REDIRECT_URI, RelyingParty, register
from tests.support.secrecy import remember_secret


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


async def test_a_yes_to_one_client_is_no_yes_to_another(party: RelyingParty) -> None:
    first, second = await register_itself(party.provider), await register_itself(party.provider)
    async with Person() as person:
        await _arrive_at_consent(person, first, fresh_email())
        await person.submit(page_of(person).form_with("continue"), "continue")
        assert "code" in person.answer()
        await person.open(second.authorization_url(prompt="none"))
        assert person.answer()["error"] == "consent_required"
        await person.open(second.authorization_url())
        assert "/consent?" in page_of(person).url


async def test_a_yes_for_one_resource_is_no_yes_for_another(party: RelyingParty) -> None:
    audiences = ("https://diary.example", "https://archive.example")
    for audience in audiences:
        party.provider.add_resource(audience, "diary:read")
    party.provider.advance(6)  # workers remember resources for five seconds
    stranger = register(party.provider, "--scope", "openid", "--scope", "diary:read", first_party=False)
    asked = {"scope": "openid diary:read"}
    async with Person() as person:
        await _arrive_at_consent(person, stranger, fresh_email(), resource=audiences[0], **asked)
        await person.submit(page_of(person).form_with("continue"), "continue")
        await person.open(stranger.authorization_url(resource=audiences[0], prompt="none", **asked))
        assert "code" in person.answer()
        await person.open(stranger.authorization_url(resource=audiences[1], **asked))
        assert audiences[1] in page_of(person).text
        await person.submit(page_of(person).form_with("continue"), "continue")
        await person.open(stranger.authorization_url(resource=audiences[0], prompt="none", **asked))
        assert "code" in person.answer()


async def test_a_yes_is_no_yes_to_what_the_client_registered_while_the_page_was_open(party: RelyingParty) -> None:
    """A client may widen its own registration (RFC 7592); the person agreed to what they saw."""
    document = {"client_name": "Small wishes", "redirect_uris": [REDIRECT_URI], "scope": "openid"}
    async with httpx2.AsyncClient(base_url=party.provider.issuer) as http, Person() as person:
        client = (await http.post("/register", json=document)).json()
        remember_secret(client["registration_access_token"])
        stranger = RelyingParty(party.provider, client["client_id"], remember_secret(client["client_secret"]))
        asked = {"scope": "openid email phone", "claims": _claims("birthdate")}
        await _arrive_at_consent(person, stranger, fresh_email(), **asked)
        assert "See your email address" not in page_of(person).text
        widened = await http.put(
            f"/register/{stranger.client_id}",
            json=document | {"client_id": stranger.client_id, "scope": "openid email phone profile"},
            headers={"authorization": f"Bearer {client['registration_access_token']}"},
        )
        assert widened.status_code == 200, widened.text
        await person.submit(page_of(person).form_with("continue"), "continue")
        assert rows(party.provider, "SELECT 1 FROM consent WHERE client_id = :id", id=stranger.client_id) == []
        for said in ("See your email address", "See your phone number", "See your date of birth"):
            assert said in page_of(person).text
        await person.submit(page_of(person).form_with("continue"), "continue")
        assert "code" in person.answer()


async def test_a_yes_that_was_taken_back_does_not_count_in_a_page_that_was_left_open(party: RelyingParty) -> None:
    stranger = await register_itself(party.provider)
    async with Person() as person:
        await _arrive_at_consent(person, stranger, fresh_email())
        form = page_of(person).form_with("continue")
        await post(person, form, decision="allow")  # the next page is not opened yet
        await person.open(f"{party.provider.issuer}/account/applications")
        await person.submit(page_of(person).forms[0])
        await person.open(f"{party.provider.issuer}/authorize?interaction={form.fields['interaction']}")
        assert "/consent?" in page_of(person).url


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


# --- who asks, in its own words and pictures (OpenID Connect Registration section 2; J-04)


async def register_with(party: RelyingParty, **metadata: Any) -> RelyingParty:
    """A stranger's client with metadata of its own."""
    document = {"client_name": "Field Reports", "redirect_uris": [REDIRECT_URI], **metadata}
    async with httpx2.AsyncClient() as http:
        answer = await http.post(f"{party.provider.issuer}/register", json=document)
    assert answer.status_code == 201, answer.text
    return RelyingParty(party.provider, answer.json()["client_id"], remember_secret(answer.json()["client_secret"]))


async def test_the_logo_is_loaded_by_the_browser_from_the_client_alone_and_never_by_us(party: RelyingParty) -> None:
    with socket.create_server(("127.0.0.1", 0)) as pictures:
        pictures.setblocking(False)
        origin = f"http://127.0.0.1:{pictures.getsockname()[1]}"
        client = await register_with(party, logo_uri=f"{origin}/logo.png", client_uri=f"{origin}/")
        async with Person() as person:
            await _arrive_at_consent(person, client, fresh_email())
            page = page_of(person)
        with pytest.raises(BlockingIOError):
            pictures.accept()  # nobody came: this person's browser loads no pictures
    assert f'src="{origin}/logo.png" alt="" referrerpolicy="no-referrer"' in page.text
    assert f"img-src 'self' data: {origin};" in page.headers["content-security-policy"]


async def test_other_pages_load_no_picture_of_a_client(party: RelyingParty) -> None:
    client = await register_with(party, logo_uri="https://pictures.example/logo.png")
    async with Person() as person:
        await person.open(client.authorization_url())
        assert "pictures.example" not in page_of(person).text
        assert "img-src 'self' data:;" in page_of(person).headers["content-security-policy"]


async def test_website_policy_and_terms_of_the_client_are_linked(party: RelyingParty) -> None:
    addresses = {f"{name}_uri": f"https://reports.example/{name}" for name in ("client", "policy", "tos")}
    client = await register_with(party, **addresses)
    async with Person() as person:
        await _arrive_at_consent(person, client, fresh_email())
        for address in addresses.values():
            assert f'<a href="{address}" target="_blank" rel="noopener noreferrer">' in page_of(person).text


async def test_a_client_nobody_vouches_for_is_shown_with_the_host_it_leads_to(party: RelyingParty) -> None:
    client, email = await register_with(party, client_name="Your Bank"), fresh_email()
    ours = register(party.provider, first_party=False)
    async with Person() as person:
        await _arrive_at_consent(person, client, email)
        assert "We have not checked this app. It leads to <strong><bdi>127.0.0.1:8999</bdi></strong>." in (
            page_of(person).text
        )
        await person.open(ours.authorization_url())
        assert "/consent?" in page_of(person).url
        assert "We have not checked" not in page_of(person).text


async def test_the_page_says_where_a_yes_is_taken_back(party: RelyingParty) -> None:
    client = await register_itself(party.provider)
    async with Person() as person:
        await _arrive_at_consent(person, client, fresh_email())
        assert f'href="{party.provider.issuer}/account/applications"' in page_of(person).text


# --- claims asked for one by one (OpenID Connect Core section 5.5)


def _claims(*names: str) -> str:
    return json.dumps({"userinfo": dict.fromkeys(names)})


async def test_a_single_claim_is_asked_for_in_words_and_remembered(party: RelyingParty) -> None:
    client = await register_itself(party.provider)
    async with Person() as person:
        await _arrive_at_consent(person, client, fresh_email(), scope="openid", claims=_claims("birthdate"))
        assert "See your date of birth" in page_of(person).text
        await person.submit(page_of(person).form_with("continue"), "continue")
        assert "code" in person.answer()
        await person.open(client.authorization_url(scope="openid", claims=_claims("birthdate"), prompt="none"))
        assert "code" in person.answer()
        await person.open(client.authorization_url(scope="openid", claims=_claims("birthdate", "gender")))
        assert "See your gender" in page_of(person).text
    [granted] = ledger(party.provider, client.client_id).named("consent.granted")
    assert json.loads(granted["detail"])["scope"] == "claim:birthdate openid"


async def test_a_claim_that_a_scope_gives_is_not_asked_for_twice(party: RelyingParty) -> None:
    client = await register_itself(party.provider)
    async with Person() as person:
        await _arrive_at_consent(person, client, fresh_email(), scope="openid email", claims=_claims("email"))
        assert page_of(person).text.count("See your email address") == 1
        await person.submit(page_of(person).form_with("continue"), "continue")
        await person.open(client.authorization_url(scope="openid", claims=_claims("email"), prompt="none"))
        assert "code" in person.answer()


async def test_claims_are_named_in_the_persons_language(party: RelyingParty) -> None:
    client = await register_itself(party.provider)
    async with Person(language="hi") as person:
        await _arrive_at_consent(person, client, fresh_email(), scope="openid", claims=_claims("birthdate"))
        assert "आपकी जन्मतिथि देखना" in page_of(person).text
