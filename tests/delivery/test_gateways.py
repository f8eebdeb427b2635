"""Opening gateways by address, and what the two of development show."""

import io
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from pydantic import SecretStr

from tests.delivery.examples import NOW, ONE_TIME_CODE, RECIPIENTS, SENDER, message
from tests.delivery.rigs import Journal
from watchword.delivery.gateway import InvalidGatewayURL, Provisions, parse_gateway_url
from watchword.delivery.gateways import GATEWAYS, open_gateway
from watchword.delivery.message import Channel

PROVISIONS = Provisions(sender=SENDER, journal=Journal(), now=lambda: NOW)


@pytest.mark.parametrize("scheme", ["mailbox", "console", "MAILBOX"])
def test_a_gateway_that_shows_codes_opens_only_in_development(scheme: str) -> None:
    assert open_gateway(f"{scheme}://", Channel.SMS, PROVISIONS, development=True).name == scheme.lower()
    with pytest.raises(InvalidGatewayURL, match="only for development"):
        open_gateway(f"{scheme}://", Channel.SMS, PROVISIONS)


def test_the_gateways_that_show_codes_are_marked() -> None:
    assert {scheme for scheme, kind in GATEWAYS.items() if kind.development_only} == {"mailbox", "console"}


def test_an_address_may_come_as_a_secret() -> None:
    assert open_gateway(SecretStr("smtp://mail.example"), Channel.EMAIL, PROVISIONS).name == "smtp"


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
def test_a_gateway_is_refused_for_a_channel_it_does_not_carry(channel: Channel) -> None:
    with pytest.raises(InvalidGatewayURL, match=f"smtp:// does not carry {channel}"):
        open_gateway("smtp://mail.example", channel, PROVISIONS)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "no scheme"),
        ("mail.example", "no scheme"),
        ("pigeon://s3cret@roof", "unknown gateway; known: console, mailbox, smtp, smtps"),
        ("smtp://someone:s3cret@mail.example:port", "not a URL"),
        ("smtp://someone:s3cret@mail.example:99999", "not a URL"),
        ("smtp://someone:s3cret@[mail.example", "not a URL"),
        ("smtp://someone:s3cret@mail.example?starttls", "not a URL"),
        ("smtp://mail.example?starttls=off&starttls=required", "option occurs twice"),
        ("mailbox://?color=s3cret", "unknown option 'color'; known: none"),
        ("console://?color=s3cret", "unknown option 'color'; known: none"),
    ],
)
def test_an_unusable_address_is_refused_without_showing_credentials(url: str, reason: str) -> None:
    with pytest.raises(InvalidGatewayURL, match=reason) as caught:
        open_gateway(url, Channel.EMAIL, PROVISIONS, development=True)
    assert "s3cret" not in repr(caught.value)


def test_the_mailbox_needs_a_journal() -> None:
    with pytest.raises(InvalidGatewayURL, match="needs the provider's journal"):
        open_gateway("mailbox://", Channel.EMAIL, Provisions(), development=True)


def test_credentials_are_decoded_and_stay_out_of_the_repr() -> None:
    parsed = parse_gateway_url("smtp://some%40one:a%3Ab%2Fc@Mail.Example:2525?starttls=off")
    assert (parsed.username, parsed.password) == ("some@one", "a:b/c")
    assert (parsed.scheme, parsed.host, parsed.port) == ("smtp", "mail.example", 2525)
    assert "some" not in repr(parsed)
    assert "a:b/c" not in repr(parsed)


@pytest.mark.parametrize("channel", list(Channel))
async def test_a_mailbox_entry_has_what_the_mailbox_page_shows(channel: Channel) -> None:
    journal = Journal()
    gateway = open_gateway("mailbox://", channel, replace(PROVISIONS, journal=journal), development=True)
    sent = replace(message(channel), link="http://localhost:9000/x")
    await gateway.send(sent)
    [entry] = journal.entries
    assert json.loads(entry) == {
        "id": "delivery-7f3a",
        "to": RECIPIENTS[channel],
        "channel": channel.value,
        "gateway": "mailbox",
        "subject": sent.subject,
        "text": sent.text,
        "one_time_code": ONE_TIME_CODE,
        "link": "http://localhost:9000/x",
        "sent_at": "2026-03-01T09:00:00Z",
    }


async def test_the_console_shows_recipient_subject_and_text() -> None:
    stream = io.StringIO()
    gateway = open_gateway("console://", Channel.EMAIL, Provisions(stream=stream), development=True)
    sent = message()
    await gateway.send(sent)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "--- email to asha.private@mail.example"
    assert lines[1] == f"Subject: {sent.subject}"
    assert ONE_TIME_CODE in lines


def test_the_library_for_mail_is_loaded_only_by_those_who_send() -> None:
    program = "import sys, watchword.delivery.gateways, watchword.delivery.render; print('aiosmtplib' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
