"""What the tests of both logout channels share: clients that want to be told, and people who sign out of them."""

import json
import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import httpx2

from tests.endpoints.people import ASHA, authorized
from tests.support.logout_sink import metadata
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty
from tests.support.secrecy import remember_secret


def client_told(provider: RunningProvider, name: str, **members: Any) -> RelyingParty:
    """Register a client by its metadata, as it would itself."""
    answer = httpx2.post(f"{provider.issuer}/register", json=metadata(name, **members))
    assert answer.status_code == 201, answer.text
    client = answer.json()
    return RelyingParty(provider, client["client_id"], remember_secret(client["client_secret"]))


async def signed_in(person: Person, *parties: RelyingParty, identifier: str = ASHA, **changes: str) -> list[Any]:
    """Sign in at each party in one browser; returns their token responses."""
    tokens = []
    for party in parties:
        answer = await authorized(person, party.authorization_url(**changes), identifier)
        tokens.append((await party.exchange(answer["code"])).json())
    return tokens


async def sign_out(person: Person, party: RelyingParty, tokens: dict[str, Any], **parameters: str) -> httpx2.Response:
    """Ask to be signed out with the ID token of a token response as the hint; returns the first answer."""
    query = urlencode({"id_token_hint": tokens["id_token"], **parameters})
    return await person.http.get(f"{party.provider.issuer}/logout?{query}")


def events(provider: RunningProvider, party: RelyingParty) -> list[tuple[str, dict[str, Any]]]:
    """What the trail tells about telling a client: name and detail, oldest first. It names nobody."""
    query = "SELECT * FROM audit_event WHERE client_id = :client AND name LIKE :names ORDER BY id"
    found = provider.rows(query, client=party.client_id, names="logout.%")
    assert all(row["account_id"] is None and row["session_id"] is not None for row in found)
    return [(row["name"], json.loads(row["detail"])) for row in found]


def jobs(provider: RunningProvider, state: str) -> int:
    """How many clients wait to be told, or were given up (`dead`)."""
    query = "SELECT count(*) AS jobs FROM outbox WHERE kind = 'backchannel_logout' AND state = :state"
    return int(provider.rows(query, state=state)[0]["jobs"])


def multiply(provider: RunningProvider, party: RelyingParty, copies: int) -> None:
    """Give an embedded store many clients like this one, each with its grant in the same session."""
    with closing(sqlite3.connect(provider.folder / "watchword.sqlite3", timeout=5, isolation_level=None)) as connection:
        for table, key in (("client", "id"), ("authorization_grant", "client_id")):
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            changed = {"id": "id || :copy", key: ":client || :copy", "origin": "NULL"}
            values = ", ".join(changed.get(name, name) for name in names)
            statement = f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} WHERE {key} = :client"
            for copy in range(copies):
                connection.execute(statement, {"client": party.client_id, "copy": f"-{copy}"})
