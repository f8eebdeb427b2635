"""The language of pages and messages: what the client asks for, then what the browser prefers."""

import html
import re
from urllib.parse import urlencode

import pytest

from tests.login.doors import ask, ask_here, fresh_email, page_of, resend
from tests.support.person import Person
from tests.support.relying_party import RelyingParty


@pytest.mark.parametrize(
    ("language", "ui_locales", "shown"),
    [
        ("hi-IN,hi;q=0.9,en;q=0.5", None, "hi"),
        ("en", "hi", "hi"),
        ("hi", "en", "en"),
        ("fr", None, "en"),
        ("fr", "de hi-Deva-IN en", "hi"),
        ("hi;q=0", None, "en"),
        ("*;;;", "\u0928 ???", "en"),
    ],
)
async def test_the_page_is_in_the_language_asked_for(
    party: RelyingParty, language: str, ui_locales: str | None, shown: str
) -> None:
    async with Person(language=language) as person:
        await person.open(party.authorization_url(ui_locales=ui_locales))
        assert f'<html lang="{shown}" dir="ltr">' in page_of(person).text
        assert ("साइन इन" in page_of(person).text) is (shown == "hi")


async def test_the_whole_road_in_hindi_message_included(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email, ui_locales="hi")
        message = await party.provider.newest_message(email)
        assert code in message["subject"]
        assert "कोड" in message["subject"]
        party.provider.advance(5)
        page = await resend(person)
        assert page.status == 429
        assert "सेकंड बाद फिर मँगाएँ" in page.text
        await person.type_code("12")
        assert "कोड के 6 अंक डालें।" in page_of(person).text
        await person.type_code(code)
        assert "code" in person.answer()


async def test_errors_are_in_the_browsers_language(party: RelyingParty) -> None:
    async with Person(language="hi") as person:
        await person.open(f"{party.provider.issuer}/authorize?client_id=nobody")
        assert page_of(person).status == 400
        assert '<html lang="hi"' in page_of(person).text


async def test_a_person_can_switch_the_language_and_it_stays(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as person:
        await person.open(party.authorization_url(ui_locales="en"))
        links = re.findall(r'<a href="([^"]+)" lang="(\w+)"', page_of(person).text)
        hindi = next(url for url, language in links if language == "hi")
        await person.open(html.unescape(hindi))
        assert '<html lang="hi"' in page_of(person).text
        code = await ask_here(person, party, email)
        assert '<html lang="hi"' in page_of(person).text
        assert "कोड" in (await party.provider.newest_message(email))["subject"]
        await person.type_code(code)
        assert "code" in person.answer()


@pytest.mark.parametrize("language", ["xx", "", "hi en", "../hi"])
async def test_a_language_we_do_not_have_changes_nothing(party: RelyingParty, language: str) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        await person.open(f"{page_of(person).url}&{urlencode({'ui_locales': language})}")
        assert page_of(person).status == 200
        assert '<html lang="en"' in page_of(person).text
