"""The audit trail: every event is provoked, written with what it tells or not at all, and shows nobody's secrets."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import httpx2
import pytest

from tests.login.doors import (
    ask,
    ask_here,
    durable_file,
    fresh_email,
    fresh_phone,
    ledger,
    page_of,
    post,
    register_itself,
    rows,
    wrong,
)
from tests.support.person import Person
from tests.support.provider import RunningProvider, free_port, running_provider
from tests.support.relying_party import RelyingParty, register
from watchword.events.catalogue import catalogue

_OPERATORS = {"user.status_changed", "client.removed", "resource.registered", "audit.verified", "restore"}
_OF_WORKERS = {"startup"}
# Provoked where the feature is tested; `test_zz_event_matrix.py` sees that they are.
_ELSEWHERE = {
    "attack_mode.off",
    "attack_mode.on",
    "audit.suppressed",
    "client.changed",
    "client.registration_refused",
    "client.secret_rotated",
    "consent.withdrawn",
    "device.forgotten",
    "key.imported",
    "key.retired",
    "key.revoked",
    "key.rotated",
    "limit.exceeded",
    "logout.tell_failed",
    "logout.told",
    "registration.allowed",
    "registration.withdrawn",
    "shutdown",
    "token.introspection_denied",
    "token.revocation_denied",
    "token.revoked",
}
_COOL_DOWN = 31  # seconds
_OF_THE_OUTBOX = {"otp.sent", "otp.send_failed"}


@pytest.fixture(scope="module")
def audited() -> Iterator[RunningProvider]:
    """A provider whose SMS go to the mailbox and whose mail goes nowhere."""
    with running_provider(
        smtp_url=f"smtp://127.0.0.1:{free_port()}?starttls=off", smtp_from="id@example.com"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def party(audited: RunningProvider) -> RelyingParty:
    return register(audited)


class Trail:
    """What was done to the provider, and every secret and identifier that took part in it."""

    def __init__(self, party: RelyingParty) -> None:
        self.party, self.secrets, self.codes = party, set[str](), set[str]()

    async def sign_in(self, person: Person, party: RelyingParty, phone: str) -> None:
        code = await ask(person, party, phone, prompt="login")
        self.codes.add(code)
        self.secrets.add(phone)
        await person.type_code(wrong(code))
        await person.type_code(code)
        self.secrets.update(cookie.value or "" for cookie in person.http.cookies.jar)

    async def provoke_all(self) -> None:
        for provoke in (self._guesses, self._consent, self._tokens, self._refusals, self._again, self._operator):
            await provoke()

    async def _guesses(self) -> None:
        email = fresh_email()
        self.secrets.add(email)
        async with Person() as person:
            await person.open(self.party.authorization_url())
            await person.type_identifier(email)
        async with Person() as person:  # another browser, and too soon
            await person.open(self.party.authorization_url())
            await person.type_identifier(email)
        async with Person() as person:
            phone = fresh_phone()
            code = await ask(person, self.party, phone)
            self.codes.add(code)
            self.secrets.add(phone)
            for _ in range(6):
                await person.type_code(wrong(code))

    async def _consent(self) -> None:
        stranger = await register_itself(self.party.provider)
        self.secrets.add(stranger.secret or "")
        async with Person() as person:
            await self.sign_in(person, stranger, fresh_phone())
            await person.submit(page_of(person).form_with("continue"), "continue")
            self.secrets.add(person.answer()["code"])
        assert self.party.provider.command("clients", "remove", stranger.client_id).returncode == 0

    async def _tokens(self) -> None:
        async with Person() as person:
            await self.sign_in(person, self.party, fresh_phone())
            code = person.answer()["code"]
            tokens = [(await self.party.exchange(code)).json()]
            assert (await self.party.exchange(code)).json()["error"] == "invalid_grant"
            for _ in range(2):  # the second is a repetition: the same successor
                tokens.append((await self.party.refresh(tokens[0]["refresh_token"])).json())
            with durable_file(self.party.provider) as connection:  # as after a restore that lost a commit
                connection.execute("UPDATE refresh_family SET generation = 0")
            tokens.append((await self.party.refresh(tokens[1]["refresh_token"])).json())
            tokens.append((await self.party.refresh(tokens[-1]["refresh_token"])).json())
            assert (await self.party.refresh(tokens[0]["refresh_token"])).status_code == 400
            await person.open(f"{self.party.provider.issuer}/logout?id_token_hint={tokens[0]['id_token']}")
        names = ("access_token", "refresh_token", "id_token")
        self.secrets |= {code, *(found[name] for found in tokens for name in names if name in found)}

    async def _refusals(self) -> None:
        issuer = self.party.provider.issuer
        async with Person() as person:
            await person.open(self.party.authorization_url(prompt="none"))
            await person.open(self.party.authorization_url(redirect_uri="https://evil.example/"))
            await person.http.post(f"{issuer}/token", auth=(self.party.client_id, "wrong"), data={"grant_type": "x"})

    async def _again(self) -> None:
        phone = fresh_phone()
        async with Person() as person:
            await self.sign_in(person, self.party, phone)
            self.party.provider.advance(_COOL_DOWN)
            await self.sign_in(person, self.party, phone)

    async def _operator(self) -> None:
        phone = fresh_phone()
        self.party.provider.add_resource("https://notes.example", "notes:read")
        async with Person() as person:
            await self.sign_in(person, self.party, phone)
        self.party.provider.advance(_COOL_DOWN)
        assert self.party.provider.command("accounts", "disable", phone).returncode == 0
        async with Person() as person:
            await self.sign_in(person, self.party, phone)
            assert "This account is closed" in page_of(person).title
        for command in (("audit", "verify"), ("db", "restored")):
            assert self.party.provider.command(*command).returncode == 0


@pytest.fixture(scope="module")
def trail(party: RelyingParty) -> Trail:
    """The trail after every event was provoked that has no test of its own."""
    done = Trail(party)
    asyncio.run(done.provoke_all())
    return done


def test_every_event_of_the_catalogue_is_provoked_and_no_other(trail: Trail) -> None:
    recorded = {event["name"] for event in ledger(trail.party.provider).events}
    assert recorded | _ELSEWHERE == {event.name for event in catalogue()}


def test_every_event_tells_who_and_when_and_in_which_request(trail: Trail) -> None:
    for event in ledger(trail.party.provider).events:
        assert event["at"] > 1_700_000_000_000_000
        if event["name"] in _OF_THE_OUTBOX | _OPERATORS | _OF_WORKERS or event["address"] == "":
            assert event["request_id"] == "-"
        else:
            assert re.fullmatch(r"[0-9a-f]{16}", event["request_id"]), event["name"]
            assert re.fullmatch(r"127\.0\.0\.1|::1|10(\.\d+){3}", event["address"])


def test_a_row_holds_the_fields_of_its_event_and_no_others(trail: Trail) -> None:
    columns = {"account_id", "client_id", "session_id"}
    own = {event.name: {field.name for field in fields(event)} - columns for event in catalogue()}
    for event in ledger(trail.party.provider).events:
        assert json.loads(event["detail"]).keys() == own[event["name"]]


def test_neither_trail_nor_outbox_holds_a_whole_identifier_a_code_or_a_token(trail: Trail) -> None:
    provider = trail.party.provider
    found = rows(provider, "SELECT * FROM audit_event") + rows(provider, "SELECT * FROM outbox")
    texts = [value for row in found for value in row.values() if isinstance(value, str)]
    everything = "\n".join(texts)
    assert len(trail.secrets) > 15
    assert [secret for secret in trail.secrets if secret and secret in everything] == []
    assert [code for code in trail.codes if re.search(rf"(?<!\w){code}(?!\w)", everything)] == []
    shown = {json.loads(row["detail"]).get("identifier") for row in found if "detail" in row} - {None, ""}
    assert all(re.fullmatch(r"\w?\*\*\*@\w\*\*\*\.com|\+91•{8}\d\d", identifier) for identifier in shown), shown


def test_a_sign_in_is_told_in_one_transaction_with_what_it_did(trail: Trail) -> None:
    events = ledger(trail.party.provider).events
    made = next(event for event in events if event["name"] == "user.created")
    together = [event for event in events if event["request_id"] == made["request_id"]]
    names = [event["name"] for event in together]
    assert names == ["user.created", "otp.verified", "session.created", "device.remembered"]
    assert len({event["account_id"] for event in together}) == 1


async def test_an_event_carries_the_request_id_of_the_answer(party: RelyingParty) -> None:
    async with httpx2.AsyncClient() as http:
        answer = await http.get(f"{party.provider.issuer}/authorize?client_id=nobody")
    assert ledger(party.provider).events[-1]["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "trigger",
    [
        "BEFORE INSERT ON session",
        "BEFORE INSERT ON identifier",
        "BEFORE INSERT ON audit_event WHEN NEW.name = 'session.created'",
    ],
)
async def test_a_sign_in_that_fails_leaves_neither_account_nor_session_nor_event(
    party: RelyingParty, trigger: str
) -> None:
    phone = fresh_phone()
    async with Person() as person:
        code = await ask(person, party, phone)
        before = _written(party)
        with durable_file(party.provider) as connection:
            connection.execute(f"CREATE TRIGGER broken {trigger} BEGIN SELECT RAISE(ABORT, 'broken'); END")
            try:
                answer = await post(person, page_of(person).form_with("one_time_code"), one_time_code=code)
            finally:
                connection.execute("DROP TRIGGER broken")
        assert answer.status_code == 500
        assert "Something went wrong on our side" in answer.text
        assert "broken" not in answer.text
        assert "Traceback" not in answer.text
        assert "set-cookie" not in answer.headers
        assert _written(party) == before
        again = await post(person, page_of(person).form_with("one_time_code"), one_time_code=code)
        assert again.status_code == 400  # the code was used up all the same
    assert _written(party)["session"] == before["session"]


async def test_a_code_that_cannot_be_recorded_is_not_sent(party: RelyingParty) -> None:
    phone = fresh_phone()
    async with Person() as person:
        await person.open(party.authorization_url())
        with durable_file(party.provider) as connection:
            connection.execute(
                "CREATE TRIGGER broken BEFORE INSERT ON audit_event WHEN NEW.name = 'otp.requested' "
                "BEGIN SELECT RAISE(ABORT, 'broken'); END"
            )
            try:
                answer = await post(person, page_of(person).form_with("identifier"), identifier=phone)
            finally:
                connection.execute("DROP TRIGGER broken")
        assert answer.status_code == 500
        assert rows(party.provider, "SELECT 1 FROM outbox WHERE attempts = 0") == []
        # Nothing tells the person to wait for what will not come: the next request sends a code at once.
        await person.open(page_of(person).url)
        await person.type_code(await ask_here(person, party, phone))
        assert "code" in person.answer()


def _written(party: RelyingParty) -> dict[str, Any]:
    """What a sign-in writes. Sealing, and the event of the message, come in their own time."""
    written = {table: rows(party.provider, f"SELECT * FROM {table}") for table in ("session", "account", "identifier")}
    events = "SELECT id, name, detail FROM audit_event WHERE name <> 'otp.sent' ORDER BY id"
    return {**written, "audit_event": rows(party.provider, events)}
