"""Email by SMTP.

`smtp://user:password@host:587` demands STARTTLS; `smtps://user:password@host:465` speaks TLS from the first byte.
Options: `starttls=off` sends everything in the clear, password included, and has to be spelled out (for a relay on this
machine); `cafile=/path.pem` trusts one more authority. A connection serves one message.

SMTP knows no receipts: a mail that is `Sent` may still bounce.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Final

from watchword.delivery.gateway import GatewayKind, GatewayURL, InvalidGatewayURL, Provisions
from watchword.delivery.message import Channel, Message
from watchword.delivery.outcome import DeliveryFailed, Failure, Sent

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPResponseException

CONNECT_TIMEOUT: Final = timedelta(seconds=5)
TOTAL_TIMEOUT: Final = timedelta(seconds=20)
_FAREWELL_TIMEOUT: Final = timedelta(seconds=1)

_OPTIONS: Final = frozenset({"starttls", "cafile"})
_ENHANCED_CODE: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")

_BY_ENHANCED_CODE: Final[Mapping[str, Failure]] = {
    "5.1.0": Failure.REFUSED_RECIPIENT,
    "5.1.1": Failure.REFUSED_RECIPIENT,  # no such mailbox
    "5.1.2": Failure.REFUSED_RECIPIENT,  # no such domain
    "5.1.3": Failure.REFUSED_RECIPIENT,  # bad syntax
    "5.1.6": Failure.REFUSED_RECIPIENT,  # has moved
    "5.1.7": Failure.CONFIGURATION,  # our sender's address has bad syntax
    "5.1.8": Failure.CONFIGURATION,  # our sender's domain does not exist
    "5.1.10": Failure.REFUSED_RECIPIENT,  # null MX (RFC 7505)
    "5.2.1": Failure.REFUSED_RECIPIENT,  # mailbox disabled
    "5.2.2": Failure.REFUSED_RECIPIENT,  # mailbox full
    "5.7.8": Failure.CONFIGURATION,  # wrong credentials (RFC 4954 section 6)
    "5.7.9": Failure.CONFIGURATION,
    "5.7.11": Failure.CONFIGURATION,
}
_BY_CODE: Final[Mapping[int, Failure]] = {
    **dict.fromkeys((500, 501, 502, 503, 504, 530, 534, 535, 538, 555), Failure.CONFIGURATION),
    **dict.fromkeys((521, 550, 551, 553, 556), Failure.REFUSED_RECIPIENT),
}


def classify_reply(code: int, enhanced: str | None) -> Failure:
    """What an SMTP reply means for the message (RFC 5321 section 4.2, RFC 3463, RFC 4954 section 6).

    The enhanced code decides where it is precise. A bare 550 is read as a refused recipient although some servers use
    it for policy, so only an enhanced 5.1.1 is proof that a mailbox does not exist. 5.7.1 is policy: refused content.
    """
    if code < 500:
        return Failure.TRANSIENT
    if enhanced is not None and enhanced in _BY_ENHANCED_CODE:
        return _BY_ENHANCED_CODE[enhanced]
    by_code = _BY_CODE.get(code, Failure.REFUSED_CONTENT)
    if by_code is Failure.REFUSED_RECIPIENT and enhanced is not None and enhanced.startswith(("5.6.", "5.7.")):
        return Failure.REFUSED_CONTENT
    return by_code


def build_mail(message: Message, *, sender: str, sent_at: datetime) -> EmailMessage:
    """The mail for a message: plain text first, HTML beside it, and headers that keep machines from answering.

    Raises:
        ValueError: sender or recipient is no address, or something meant for a header holds a line break.
    """
    from_address = _parse_address(sender)
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = from_address
    mail["To"] = _bare_address(message.to)
    mail["Subject"] = message.subject or ""
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = f"<{message.id}@{from_address.domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation replies
    mail["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    mail["X-Entity-Ref-ID"] = message.id  # Gmail then shows every code as a conversation of its own
    mail["Content-Language"] = message.locale
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
    return mail


def _parse_address(text: str) -> Address:
    """`Example <login@id.example.com>`, or without the name."""
    display_name, addr_spec = parseaddr(text)
    return _bare_address(addr_spec if text.isprintable() else "", display_name)


def _bare_address(addr_spec: str, display_name: str = "") -> Address:
    """The parser of Python knows ASCII only, so what lies beyond (RFC 6531) is checked with a letter in its place."""
    ascii_twin = "".join(character if character.isascii() else "x" for character in addr_spec)
    try:
        parsed = Address(display_name, addr_spec=ascii_twin)
        local_part, domain = addr_spec.rsplit("@", 1)
    except (ValueError, MessageError, IndexError):
        raise ValueError("not an address") from None
    if not addr_spec.isprintable():
        raise ValueError("control characters")
    return parsed if addr_spec.isascii() else Address(display_name, local_part, domain)


@dataclass(frozen=True, slots=True)
class SmtpGateway:
    """Submits mails to one server.

    Attributes:
        tls: the context to verify the server with; None sends in the clear.
        implicit_tls: TLS from the first byte, in place of STARTTLS.
        sender: the From address, with or without a display name.
    """

    host: str
    port: int
    sender: str
    tls: ssl.SSLContext | None = field(repr=False)
    implicit_tls: bool
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    connect_timeout: timedelta = CONNECT_TIMEOUT
    total_timeout: timedelta = TOTAL_TIMEOUT
    name: str = field(default="smtp", init=False)
    channels: frozenset[Channel] = field(default=frozenset({Channel.EMAIL}), init=False)

    async def send(self, message: Message) -> Sent:
        """Submit one mail over a connection of its own.

        Raises:
            DeliveryFailed: CONFIGURATION too when the server offers no STARTTLS or an unknown certificate; nothing has
                been said in the clear then but greetings. REFUSED_RECIPIENT too when no mail can be made of the
                message, before anything is said.
        """
        try:
            mail = build_mail(message, sender=self.sender, sent_at=self.now())
        except ValueError:
            raise DeliveryFailed(Failure.REFUSED_RECIPIENT, "not an address a mail can be sent to") from None
        failed = await self._submit(mail)
        if failed is not None:
            raise failed  # here, where no exception that quotes the recipient is its context
        return Sent(self.name, mail["Message-ID"])

    async def close(self) -> None:
        """No connection outlives its message."""

    async def _submit(self, mail: EmailMessage) -> DeliveryFailed | None:
        """Connect, say it, hang up. The failure is returned, since raised here it would carry what the server wrote."""
        from aiosmtplib import SMTPException  # noqa: PLC0415  only those who send mail wait for the import

        with closing(self._client(mail)) as client:
            try:
                async with asyncio.timeout(self.total_timeout.total_seconds()):
                    await client.connect(timeout=self.connect_timeout.total_seconds())
                    await client.send_message(mail)
            except (SMTPException, OSError, ValueError) as error:
                return _explain(error)
            with suppress(SMTPException, OSError):  # the mail has been taken, whatever becomes of the farewell
                await client.quit(timeout=_FAREWELL_TIMEOUT.total_seconds())
        return None

    def _client(self, mail: EmailMessage) -> "SMTP":
        from aiosmtplib import SMTP  # noqa: PLC0415

        return SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            local_hostname=mail["From"].addresses[0].domain,  # left out, it would be looked up in the DNS
            timeout=self.total_timeout.total_seconds(),
            use_tls=self.implicit_tls,
            start_tls=self.tls is not None and not self.implicit_tls,
            tls_context=self.tls,
        )


def _explain(error: Exception) -> DeliveryFailed:
    """What an exception of the library means. Only codes and class names get into the detail."""
    import aiosmtplib  # noqa: PLC0415

    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refused, *_]):
            return _explain(refused)
        case aiosmtplib.SMTPResponseException():
            return _explain_reply(error)
        case TimeoutError():
            return DeliveryFailed(Failure.TIMEOUT, "no answer in time")
        case aiosmtplib.SMTPNotSupported():
            return DeliveryFailed(Failure.REFUSED_RECIPIENT, "the server takes no address beyond ASCII")
        case OSError():
            return _explain_connection(error)
        case aiosmtplib.SMTPException():
            return DeliveryFailed(Failure.CONFIGURATION, "the server offers no STARTTLS, or no login we know")
        case _:
            return DeliveryFailed(Failure.REFUSED_RECIPIENT, "not an address a mail can be sent to")


def _explain_reply(error: "SMTPResponseException") -> DeliveryFailed:
    """A refusal of the greeting, the login or the sender is about us, not about the message."""
    import aiosmtplib  # noqa: PLC0415

    about_us = (
        aiosmtplib.SMTPConnectResponseError,
        aiosmtplib.SMTPHeloError,
        aiosmtplib.SMTPAuthenticationError,
        aiosmtplib.SMTPSenderRefused,
    )
    found = _ENHANCED_CODE.match(error.message)
    enhanced = found[0] if found else None
    permanent = error.code >= 500
    failure = (
        Failure.CONFIGURATION if permanent and isinstance(error, about_us) else classify_reply(error.code, enhanced)
    )
    return DeliveryFailed(failure, f"reply {error.code} {enhanced}" if enhanced else f"reply {error.code}")


def _explain_connection(error: OSError) -> DeliveryFailed:
    """A certificate or protocol that does not fit stays so until the operator acts; anything else may pass."""
    reason = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
    lasting = isinstance(reason, ssl.SSLError) and not isinstance(reason, ssl.SSLEOFError)
    failure = Failure.CONFIGURATION if lasting else Failure.TRANSIENT
    return DeliveryFailed(failure, f"connection failed, {type(reason).__name__}")


def open_smtp(url: GatewayURL, provisions: Provisions) -> SmtpGateway:
    """Open `smtp://` or `smtps://`; the module says which options there are.

    Raises:
        InvalidGatewayURL: no host, a path, an unknown option or value, half a login, a sender that is no address, or a
            certificate file that cannot be read.
    """
    url.check_options(_OPTIONS)
    if not url.host or url.path.strip("/"):
        raise InvalidGatewayURL("a host and no path, as in smtp://mail.example.com")
    if (url.username is None) != (url.password is None):
        raise InvalidGatewayURL("a user name and a password belong together")
    implicit_tls = url.scheme == "smtps"
    return SmtpGateway(
        host=url.host,
        port=url.port or (465 if implicit_tls else 587),
        sender=_check_sender(provisions.sender),
        tls=_tls(url, provisions.cafile),
        implicit_tls=implicit_tls,
        username=url.username,
        password=url.password,
        now=provisions.now,
    )


def _check_sender(sender: str | None) -> str:
    try:
        _parse_address(sender or "")
    except ValueError:
        raise InvalidGatewayURL("email needs a sender, as in Example <login@id.example.com>") from None
    return sender or ""


def _tls(url: GatewayURL, cafile: Path | None) -> ssl.SSLContext | None:
    starttls = url.options.get("starttls", "required")
    if starttls not in {"required", "off"} or (starttls == "off" and url.scheme == "smtps"):
        raise InvalidGatewayURL("starttls is `required` or, with smtp:// only, `off`")
    if starttls == "off":
        return None
    context = ssl.create_default_context()
    for extra in (cafile, url.options.get("cafile")):
        if extra is not None:
            _trust(context, extra)
    return context


def _trust(context: ssl.SSLContext, cafile: Path | str) -> None:
    try:
        context.load_verify_locations(cafile)
    except OSError as error:  # ssl.SSLError is one
        raise InvalidGatewayURL(f"cafile cannot be used: {type(error).__name__}") from None


KIND = GatewayKind(open_smtp, channels=frozenset({Channel.EMAIL}))
