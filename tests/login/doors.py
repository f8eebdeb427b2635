"""Ways in: what a person does at the pages, and what can be seen of it in the provider's own file."""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import httpx2

from tests.support.person import Form, Page, Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import REDIRECT_URI, RelyingParty
from tests.support.secrecy import remember_secret

T = TypeVar("T")
_numbers = count(secrets.randbelow(80_000))


def fresh_email(length: int = 20) -> str:
    """An address nobody used before, always as long."""
    letters = "abcdefghijkmnpqrstuvwxyz"
    return remember_secret("".join(secrets.choice(letters) for _ in range(length)) + "@example.com")


def fresh_phone() -> str:
    """An Indian mobile number nobody used before."""
    return remember_secret(f"+9198765{next(_numbers):05}")


def wrong(code: str) -> str:
    """A code that is not this one, of the same shape."""
    if code.isdigit():
        return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"
    return code[:-1] + ("B" if code[-1] != "B" else "C")


def page_of(person: Person) -> Page:
    """The page the person looks at."""
    assert person.page is not None, person.landed
    return person.page


async def ask(person: Person, party: RelyingParty, identifier: str, **changes: str | None) -> str:
    """Open an authorization request, ask for a code and read it in the mailbox."""
    await person.open(party.authorization_url(**changes))
    return await ask_here(person, party, identifier)


async def ask_here(person: Person, party: RelyingParty, identifier: str) -> str:
    """Ask for a code on the page that is open."""
    before = await newest_id(person, party.provider, identifier)
    await person.type_identifier(identifier)
    assert "one_time_code" in page_of(person).text, page_of(person).text
    message = await party.provider.newest_message(identifier, after=before)
    return str(message["one_time_code"])


async def resend(person: Person) -> Page:
    """Press the button that asks for the code again."""
    await person.submit(page_of(person).form_with("resend"), "resend")
    return page_of(person)


async def newest_id(person: Person, provider: RunningProvider, to: str) -> str | None:
    """Name the newest message to somebody."""
    found = await messages(person, provider, to)
    return found[0]["id"] if found else None


async def messages(person: Person, provider: RunningProvider, to: str) -> list[dict[str, Any]]:
    """Return the messages to somebody, newest first."""
    answer = await person.http.get(f"{provider.issuer}/dev/mailbox.json", params={"to": to})
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


async def post(person: Person, form: Form, **changes: str) -> Any:
    """Send a form without following where its answer leads."""
    return await person.http.post(form.action, data=form.fields | changes, headers={"sec-fetch-site": "same-origin"})


async def register_itself(provider: RunningProvider) -> RelyingParty:
    """A client of somebody else's: nobody vouches for it, so people are asked."""
    document = {"client_name": "Test party", "redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code"]}
    async with httpx2.AsyncClient() as http:
        answer = await http.post(f"{provider.issuer}/register", json=document)
    assert answer.status_code == 201, answer.text
    client = answer.json()
    return RelyingParty(provider, client["client_id"], remember_secret(client["client_secret"]))


async def register_trusted(provider: RunningProvider) -> RelyingParty:
    """A first-party client of one test, made without a process of its own."""
    party = await register_itself(provider)
    with durable_file(provider) as connection:
        connection.execute("UPDATE client SET first_party = TRUE WHERE id = ?", (party.client_id,))
    return party


async def until(look: Callable[[], T]) -> T:
    """Look again and again until there is something to see; fifteen seconds at most."""
    async with asyncio.timeout(15):
        while True:
            seen = look()
            if seen:
                return seen
            await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The audit trail as it stood when it was read."""

    events: list[dict[str, Any]]

    def named(self, *names: str) -> list[dict[str, Any]]:
        """The events of these names, oldest first."""
        return [event for event in self.events if event["name"] in names]


def ledger(provider: RunningProvider, client_id: str | None = None) -> Ledger:
    """Read the audit trail, of one client alone when it is named."""
    where = "" if client_id is None else "WHERE client_id = :client_id"
    found = rows(provider, f"SELECT * FROM audit_event {where} ORDER BY id", client_id=client_id)
    return Ledger(found)


def rows(provider: RunningProvider, query: str, **values: Any) -> list[dict[str, Any]]:
    """Read rows of the provider's durable store."""
    return provider.rows(query, **values)


@contextmanager
def durable_file(provider: RunningProvider) -> Iterator[sqlite3.Connection]:
    """Open the durable store as another process would."""
    with closing(sqlite3.connect(provider.folder / "watchword.sqlite3", timeout=5, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


async def knock(party: RelyingParty, identifier: str, *, address: str | None = None) -> Any:
    """Ask for a code in a browser that was never here; returns the answer to what was typed."""
    async with Person(address=address) as person:
        await person.open(party.authorization_url())
        return await post(person, page_of(person).form_with("identifier"), identifier=identifier)


async def guess_wrong(person: Person, code: str, times: int) -> list[int]:
    """Type a wrong code so many times; returns the statuses."""
    form = page_of(person).form_with("one_time_code")
    return [(await post(person, form, one_time_code=wrong(code))).status_code for _ in range(times)]
