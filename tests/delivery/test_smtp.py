"""The SMTP gateway against a real server, and its classification of replies."""

import asyncio
import ssl
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from tests.delivery.examples import NOW, ONE_TIME_CODE, SENDER, message
from tests.support.smtp import USERNAME, running_smtp_server
from watchword.delivery.gateway import InvalidGatewayURL, Provisions
from watchword.delivery.gateways import open_gateway
from watchword.delivery.gateways.smtp import SmtpGateway, build_mail, classify_reply
from watchword.delivery.message import Channel, Message
from watchword.delivery.outcome import DeliveryFailed, Failure, Sent


def _open(url: str, *, sender: str | None = SENDER, cafile: Path | None = None) -> SmtpGateway:
    gateway = open_gateway(url, Channel.EMAIL, Provisions(sender=sender, cafile=cafile, now=lambda: NOW))
    assert isinstance(gateway, SmtpGateway)
    return gateway


async def _failure(gateway: SmtpGateway, sent: Message | None = None) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await gateway.send(sent or message())
    return caught.value


async def test_a_mail_travels_encrypted_after_a_login(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        outcome = await _open(server.url()).send(message())
    [received] = server.messages
    assert received.encrypted
    assert server.logins == [True]
    assert received.sender == "login@id.example.com"
    assert received.recipients == ("asha.private@mail.example",)
    assert outcome == Sent("smtp", "<delivery-7f3a@id.example.com>")


async def test_a_mail_has_text_then_html_and_headers_that_keep_machines_from_answering(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        await _open(server.url()).send(message())
    [received] = server.messages
    mail = received.mail
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert ONE_TIME_CODE in received.part("plain").splitlines()
    assert "नमस्ते" in received.part("plain")
    assert ONE_TIME_CODE in received.part("html")
    assert mail["Subject"] == f"{ONE_TIME_CODE} is your Example code"
    assert mail["From"] == SENDER
    assert mail["Message-ID"] == "<delivery-7f3a@id.example.com>"
    assert mail["X-Entity-Ref-ID"] == "delivery-7f3a"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Date"].datetime == NOW
    assert "List-Unsubscribe" not in mail


async def test_smtps_is_encrypted_from_the_first_byte(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path, implicit_tls=True) as server:
        await _open(server.url()).send(message())
    assert [received.encrypted for received in server.messages] == [True]
    assert server.logins == [True]


async def test_a_server_without_starttls_is_a_configuration_failure_and_hears_nothing_in_the_clear(
    tmp_path: Path,
) -> None:
    async with running_smtp_server(starttls=False) as server:
        failed = await _failure(_open(server.url()))
    assert failed.failure is Failure.CONFIGURATION
    assert not failed.retryable
    assert (server.logins, server.senders, server.messages) == ([], [], [])


async def test_clear_text_has_to_be_spelled_out(tmp_path: Path) -> None:
    async with running_smtp_server(starttls=False) as server:
        await _open(server.url(password=None, starttls="off")).send(message())
    assert [received.encrypted for received in server.messages] == [False]


async def test_an_unknown_certificate_authority_is_a_configuration_failure(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        server.cafile = None
        failed = await _failure(_open(server.url()))
    assert failed.failure is Failure.CONFIGURATION
    assert "SSLCertVerificationError" in failed.detail
    assert (server.logins, server.senders) == ([], [])


async def test_an_unknown_certificate_authority_of_smtps_is_a_configuration_failure(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path, implicit_tls=True) as server:
        server.cafile = None
        failed = await _failure(_open(server.url()))
    assert failed.failure is Failure.CONFIGURATION
    assert server.senders == []


async def test_an_authority_lent_by_the_provider_is_trusted(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        lent, server.cafile = server.cafile, None
        await _open(server.url(), cafile=lent).send(message())
    assert len(server.messages) == 1


async def test_a_wrong_password_is_a_configuration_failure(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        failed = await _failure(_open(server.url(password="wrong")))
    assert failed.failure is Failure.CONFIGURATION
    assert server.messages == []
    assert True not in server.logins


async def test_a_server_that_wants_a_login_we_have_not_is_a_configuration_failure(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        failed = await _failure(_open(server.url(password=None)))
    assert failed.failure is Failure.CONFIGURATION
    assert failed.detail.startswith("reply 530")


@pytest.mark.parametrize(
    ("reply", "failure", "detail"),
    [
        ("450 4.2.0 greylisted, asha.private@mail.example", Failure.TRANSIENT, "reply 450 4.2.0"),
        ("452 mailbox busy", Failure.TRANSIENT, "reply 452"),
        ("550 5.1.1 no asha.private@mail.example here", Failure.REFUSED_RECIPIENT, "reply 550 5.1.1"),
        ("550 unknown", Failure.REFUSED_RECIPIENT, "reply 550"),
    ],
)
async def test_a_refused_recipient_is_told_from_a_busy_mailbox(
    reply: str, failure: Failure, detail: str, tmp_path: Path
) -> None:
    async with running_smtp_server(tmp_path) as server:
        server.recipient_reply = reply
        failed = await _failure(_open(server.url()))
    assert (failed.failure, failed.detail) == (failure, detail)
    assert server.messages == []


async def test_refused_content_is_not_worth_repeating(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        server.data_reply = f"554 5.6.0 we do not like {ONE_TIME_CODE}"
        failed = await _failure(_open(server.url()))
    assert (failed.failure, failed.detail, failed.retryable) == (Failure.REFUSED_CONTENT, "reply 554 5.6.0", False)


async def test_a_stopped_server_is_worth_another_try(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        gateway = _open(server.url())
    failed = await _failure(gateway)
    assert (failed.failure, failed.retryable) == (Failure.TRANSIENT, True)


async def test_a_server_that_hangs_up_in_the_middle_is_worth_another_try(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        server.drops = True
        failed = await _failure(_open(server.url()))
    assert (failed.failure, failed.retryable) == (Failure.TRANSIENT, True)
    assert server.messages == []


async def test_a_port_that_never_greets_is_a_timeout(tmp_path: Path) -> None:
    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(stay_silent, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        gateway = replace(_open(f"smtp://127.0.0.1:{port}"), connect_timeout=timedelta(milliseconds=100))
        failed = await _failure(gateway)
    assert (failed.failure, failed.retryable) == (Failure.TIMEOUT, True)


@pytest.mark.parametrize(
    ("greeting", "failure"),
    [
        (b"554 go away\r\n", Failure.CONFIGURATION),
        (b"421 busy\r\n", Failure.TRANSIENT),
        (b"", Failure.TRANSIENT),
    ],
)
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_refused_visit_is_about_us_and_not_about_the_message(
    scheme: str, greeting: bytes, failure: Failure, tmp_path: Path
) -> None:
    async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        writer.close()

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    listener = await asyncio.start_server(turn_away, "127.0.0.1", 0, ssl=tls if scheme == "smtps" else None)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        failed = await _failure(_open(f"{scheme}://127.0.0.1:{port}", cafile=tmp_path / "ca.pem"))
    assert failed.failure is failure


async def test_a_port_that_speaks_no_tls_is_a_configuration_failure(tmp_path: Path) -> None:
    async with running_smtp_server(starttls=False) as server:
        failed = await _failure(_open(server.url().replace("smtp://", "smtps://")))
    assert failed.failure is Failure.CONFIGURATION
    assert server.senders == []


async def test_a_refused_sender_is_a_configuration_failure(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        server.sender_reply = "550 5.7.1 you may not send as login@id.example.com"
        failed = await _failure(_open(server.url()))
    assert (failed.failure, failed.detail) == (Failure.CONFIGURATION, "reply 550 5.7.1")


async def test_a_taken_mail_is_sent_whatever_becomes_of_the_farewell(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        server.drops_farewell = True
        await _open(server.url()).send(message())
    assert len(server.messages) == 1


async def test_an_address_beyond_ascii_is_refused_where_the_server_cannot_carry_it(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path, smtputf8=False) as server:
        failed = await _failure(_open(server.url()), message(to="आशा@mail.example"))
    assert failed.failure is Failure.REFUSED_RECIPIENT
    assert server.senders == []


async def test_a_cancelled_send_leaves_no_connection(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        server.hangs = True
        sending = asyncio.create_task(_open(server.url()).send(message()))
        await server.hanging.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await server.connections[0].ended.wait()


async def test_messages_travel_side_by_side(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        gateway = _open(server.url())
        await asyncio.gather(*(gateway.send(replace(message(), id=f"delivery-{number}")) for number in range(10)))
    assert {received.mail["X-Entity-Ref-ID"] for received in server.messages} == {f"delivery-{n}" for n in range(10)}


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "asha",
        "a@b\r\nBcc: x@y",
        "a@b.example, c@d",
        "<a@b.example>",
        "a b@c.example",
        "a@b\x00",
        "a@b\u2028c",
    ],
)
async def test_what_is_no_address_is_refused_before_anything_is_said(recipient: str, tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        failed = await _failure(_open(server.url()), message(to=recipient))
    assert failed.failure is Failure.REFUSED_RECIPIENT
    assert server.messages == []
    assert server.senders == []


async def test_an_address_beyond_ascii_is_carried_where_the_server_can(tmp_path: Path) -> None:
    async with running_smtp_server(tmp_path) as server:
        await _open(server.url()).send(message(to="आशा@mail.example"))
    assert server.messages[0].recipients == ("आशा@mail.example",)


def test_a_subject_with_a_line_break_makes_no_header() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        build_mail(replace(message(), subject="x\r\nBcc: y@z.example"), sender=SENDER, sent_at=NOW)


@pytest.mark.parametrize(
    ("code", "enhanced", "failure"),
    [
        (421, None, Failure.TRANSIENT),
        (450, "4.7.1", Failure.TRANSIENT),
        (451, "4.3.0", Failure.TRANSIENT),
        (454, "4.7.0", Failure.TRANSIENT),
        (500, None, Failure.CONFIGURATION),
        (503, "5.5.1", Failure.CONFIGURATION),
        (521, None, Failure.REFUSED_RECIPIENT),
        (530, "5.7.0", Failure.CONFIGURATION),
        (535, "5.7.8", Failure.CONFIGURATION),
        (535, None, Failure.CONFIGURATION),
        (550, None, Failure.REFUSED_RECIPIENT),
        (550, "5.1.1", Failure.REFUSED_RECIPIENT),
        (550, "5.1.8", Failure.CONFIGURATION),
        (550, "5.2.1", Failure.REFUSED_RECIPIENT),
        (550, "5.7.1", Failure.REFUSED_CONTENT),
        (550, "5.7.26", Failure.REFUSED_CONTENT),
        (551, None, Failure.REFUSED_RECIPIENT),
        (552, "5.2.2", Failure.REFUSED_RECIPIENT),
        (552, "5.3.4", Failure.REFUSED_CONTENT),
        (553, None, Failure.REFUSED_RECIPIENT),
        (554, None, Failure.REFUSED_CONTENT),
        (554, "5.7.1", Failure.REFUSED_CONTENT),
        (554, "5.1.1", Failure.REFUSED_RECIPIENT),
        (556, "5.1.10", Failure.REFUSED_RECIPIENT),
    ],
)
def test_a_reply_means_what_its_codes_say(code: int, enhanced: str | None, failure: Failure) -> None:
    assert classify_reply(code, enhanced) is failure


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("smtp://", "a host and no path"),
        ("smtp://mail.example/inbox", "a host and no path"),
        ("smtp://mail.example?startls=off", "unknown option 'startls'"),
        ("smtp://mail.example?starttls=no", "starttls is"),
        ("smtps://mail.example?starttls=off", "starttls is"),
        ("smtp://mail.example?cafile=/nowhere.pem", "cafile cannot be used"),
        (f"smtp://{USERNAME}@mail.example", "belong together"),
    ],
)
def test_an_unusable_address_is_refused_with_its_reason(url: str, reason: str) -> None:
    with pytest.raises(InvalidGatewayURL, match=reason):
        _open(url)


@pytest.mark.parametrize("sender", [None, "", "login", "Example <login>", "a@b.example\r\nBcc: c@d.example"])
def test_email_needs_a_sender_that_is_an_address(sender: str | None) -> None:
    with pytest.raises(InvalidGatewayURL, match="needs a sender"):
        _open("smtp://mail.example", sender=sender)


def test_a_file_that_holds_no_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(InvalidGatewayURL, match="cafile cannot be used"):
        _open("smtp://mail.example", cafile=tmp_path / "ca.pem")


def test_ports_and_tls_follow_the_scheme(tmp_path: Path) -> None:
    assert (_open("smtp://mail.example").port, _open("smtps://mail.example").port) == (587, 465)
    assert _open("smtp://mail.example").tls is not None
    assert _open("smtp://mail.example?starttls=off").tls is None


def test_an_extra_authority_stands_beside_those_of_the_system(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    plain, extended = _open("smtp://mail.example"), _open("smtp://mail.example", cafile=tmp_path / "ca.pem")
    assert plain.tls is not None
    assert extended.tls is not None
    assert extended.tls.cert_store_stats()["x509_ca"] == plain.tls.cert_store_stats()["x509_ca"] + 1
    assert extended.tls.verify_mode is ssl.CERT_REQUIRED
    assert extended.tls.check_hostname


def test_the_password_is_in_no_repr() -> None:
    gateway = _open("smtp://someone:s3cret%40x@mail.example")
    assert gateway.password == "s3cret@x"
    assert "s3cret" not in repr(gateway)
    assert "someone" not in repr(gateway)
