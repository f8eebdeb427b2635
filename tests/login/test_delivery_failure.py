"""Sending over real SMTP: the page never waits for it, what fails is tried again, and every failure is seen."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.login.doors import fresh_email, page_of, post, rows, until
from tests.support.person import Person
from tests.support.relying_party import RelyingParty
from tests.support.secrecy import remember_secret
from tests.support.smtp import ReceivedMail, SmtpServer, running_smtp_server

MailServer = Callable[[], Any]


@pytest.fixture
def party(posting_party: RelyingParty) -> RelyingParty:
    return posting_party


@pytest.fixture
def mail_server(smtp_port: int) -> MailServer:
    """Start listening where the provider sends its mail."""
    return lambda: running_smtp_server(starttls=False, login=False, port=smtp_port)


async def _ask(person: Person, party: RelyingParty) -> str:
    """Ask for a code and see the page that expects it; returns the address."""
    email = fresh_email()
    await person.open(party.authorization_url())
    async with asyncio.timeout(5):  # far less than a gateway may take
        await person.type_identifier(email)
    assert "one_time_code" in page_of(person).text
    return email


async def _mail(server: SmtpServer) -> ReceivedMail:
    found = await until(lambda: server.messages)
    return found[0]


def _code(mail: ReceivedMail) -> str:
    return remember_secret(mail.mail["Subject"].partition(" ")[0])


async def _events(party: RelyingParty, email: str, name: str) -> list[dict[str, Any]]:
    """Wait for events of a name that came after the code for an address was asked for."""
    masked = f"{email[0]}***@e***.com"
    asked = rows(
        party.provider,
        "SELECT max(id) AS id FROM audit_event WHERE name = 'otp.requested' AND detail LIKE :masked",
        masked=f"%{masked}%",
    )[0]["id"]
    query = "SELECT detail FROM audit_event WHERE name = :name AND id > :asked ORDER BY id"
    found = await until(lambda: rows(party.provider, query, name=name, asked=asked))
    return [json.loads(row["detail"]) for row in found]


def _jobs(party: RelyingParty, state: str = "ready") -> list[dict[str, Any]]:
    return rows(party.provider, "SELECT * FROM outbox WHERE state = :state", state=state)


async def test_the_mail_carries_the_code_in_its_subject_and_both_its_parts(
    party: RelyingParty, mail_server: MailServer
) -> None:
    async with mail_server() as server, Person() as person:
        email = await _ask(person, party)
        mail = await _mail(server)
        code = _code(mail)
        assert len(code) == 6
        assert mail.recipients == (email,)
        assert mail.sender == "login@id.example.com"
        assert code in mail.part("plain")
        assert code in mail.part("html")
        await person.type_code(code)
        assert "code" in person.answer()
        [sent] = await _events(party, email, "otp.sent")
    assert (sent["gateway"], sent["channel"]) == ("smtp", "email")


async def test_with_the_server_stopped_the_page_answers_and_the_mail_follows_once_it_is_back(
    party: RelyingParty, mail_server: MailServer
) -> None:
    async with Person() as person:
        email = await _ask(person, party)
        failed = (await _events(party, email, "otp.send_failed"))[0]
        assert (failed["failure"], failed["attempt"], failed["final"]) == ("transient", 1, False)
        [job] = await until(lambda: _jobs(party))
        assert job["problem"] in {None, "smtp: transient"}
        async with mail_server() as server:
            mail = await _mail(server)
            await until(lambda: not _jobs(party))
            assert len(server.messages) == 1
            await person.type_code(_code(mail))
            assert "code" in person.answer()
    await _events(party, email, "otp.sent")


async def test_a_server_that_says_later_is_asked_again(party: RelyingParty, mail_server: MailServer) -> None:
    async with mail_server() as server, Person() as person:
        server.recipient_reply = "451 4.7.1 Greylisted, try again"
        email = await _ask(person, party)
        await _events(party, email, "otp.send_failed")
        server.recipient_reply = None
        await person.type_code(_code(await _mail(server)))
        assert "code" in person.answer()


async def test_a_refused_recipient_is_final_and_its_job_is_kept_for_the_operator(
    party: RelyingParty, mail_server: MailServer
) -> None:
    async with mail_server() as server, Person() as person:
        server.recipient_reply = "550 5.1.1 No such user here"
        email = await _ask(person, party)
        [failed] = await _events(party, email, "otp.send_failed")
        assert (failed["failure"], failed["final"]) == ("refused_recipient", True)
        dead = (await until(lambda: _jobs(party, "dead")))[-1]
        assert dead["problem"] == "smtp: refused_recipient"
        assert server.messages == []
        assert "No such user" not in str(dead)


async def test_a_page_is_answered_while_the_server_hangs(party: RelyingParty, mail_server: MailServer) -> None:
    async with mail_server() as server, Person() as person:
        server.hangs = True
        await _ask(person, party)
        await asyncio.wait_for(server.hanging.wait(), timeout=10)
        party.provider.advance(5)
        again = await post(person, page_of(person).form_with("resend"))
        assert again.status_code == 429


async def test_failures_are_in_the_log_without_the_address(party: RelyingParty, mail_server: MailServer) -> None:
    async with mail_server() as server, Person() as person:
        server.recipient_reply = "550 5.1.1 No such user here"
        email = await _ask(person, party)
        await _events(party, email, "otp.send_failed")
        dead = (await until(lambda: _jobs(party, "dead")))[-1]
        [line] = await until(lambda: [line for line in _log(party) if _is_about(line, dead["id"])])
    assert json.loads(line)["problem"] == "smtp: refused_recipient"
    assert not any(email in line or "No such user" in line for line in _log(party))


def _log(party: RelyingParty) -> list[str]:
    return party.provider.log.read_text().splitlines()


def _is_about(line: str, job: int) -> bool:
    entry: dict[str, Any] = json.loads(line)
    return bool(entry["event"] == "a job is given up" and entry["job"] == job)
