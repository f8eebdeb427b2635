"""People with a fixed code, and the short ways to sign them in."""

from typing import Any
from urllib.parse import urlencode

from tests.support.person import Person
from tests.support.relying_party import RelyingParty

CODE = "424242"
ASHA, BEN, CHITRA, DEV = (f"{name}@people.example" for name in ("asha", "ben", "chitra", "dev"))
PHONE = "+919812345678"
PEOPLE = (ASHA, BEN, CHITRA, DEV, PHONE)

API = "https://notes.example"
FILES = "https://files.example"


def request_url(party: RelyingParty, *resources: str, **changes: str | None) -> str:
    """Return an authorization request for any number of resources."""
    more = "".join("&" + urlencode({"resource": resource}) for resource in resources)
    return party.authorization_url(**changes) + more


async def prove(person: Person, identifier: str = ASHA) -> None:
    """Sign in on the page the person stands on, and agree when asked."""
    await person.type_identifier(identifier)
    await person.type_code(CODE)
    await agree_if_asked(person)


async def agree_if_asked(person: Person) -> None:
    """Say yes on a consent page; do nothing elsewhere."""
    if person.page is not None and any(
        "decision" in button.get("name", "") for form in person.page.forms for button in form.buttons.values()
    ):
        await person.submit(person.page.form_with("continue"), "continue")


async def authorized(person: Person, url: str, identifier: str = ASHA) -> dict[str, str]:
    """Open an authorization request, sign in if need be, and return the answer."""
    await person.open(url)
    if asks_who(person):
        await prove(person, identifier)
    await agree_if_asked(person)
    return person.answer()


def asks_who(person: Person) -> bool:
    """Say whether the person stands on the page that asks for an identifier."""
    return person.page is not None and any("identifier" in form.fields for form in person.page.forms)


async def a_code(party: RelyingParty, *resources: str, identifier: str = ASHA, **changes: str | None) -> str:
    """Return a fresh authorization code, from a browser of its own."""
    async with Person() as person:
        return (await authorized(person, request_url(party, *resources, **changes), identifier))["code"]


async def some_tokens(
    party: RelyingParty, *resources: str, identifier: str = ASHA, **changes: str | None
) -> dict[str, Any]:
    """Return a fresh token response."""
    answer = await party.exchange(await a_code(party, *resources, identifier=identifier, **changes))
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens
