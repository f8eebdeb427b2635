"""The development mailbox: who a message is to, however it is typed."""

import pytest

from tests.login.doors import ask, fresh_email, messages, page_of
from tests.support.person import Person
from tests.support.relying_party import RelyingParty


@pytest.mark.parametrize("spelling", [str, str.upper, "  {}\n".format])
async def test_a_recipient_is_found_as_people_type_them(party: RelyingParty, spelling: object) -> None:
    assert callable(spelling)
    async with Person() as person:
        email = fresh_email()
        await ask(person, party, email)
        [message] = await messages(person, party.provider, spelling(email))
        assert message["to"] == email
        assert await messages(person, party.provider, f"x{email}") == []
        await person.open(f"{party.provider.issuer}/dev/mailbox?to={spelling(email).strip()}")
        assert message["one_time_code"] in page_of(person).text


async def test_a_number_is_found_with_and_without_its_plus(party: RelyingParty) -> None:
    async with Person() as person:
        number = "+919812345694"
        await ask(person, party, number)
        typed = ("+91 98123 45694", "919812345694", " 919812345694")
        found = [await messages(person, party.provider, each) for each in typed]
        assert [[message["to"] for message in each] for each in found] == [[number]] * 3
