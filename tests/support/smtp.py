"""A real SMTP server on a loopback port, for tests: `async with running_smtp_server() as server: server.messages`."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USERNAME = "provider"
PASSWORD = "open:sesame@1"  # holds what a URL has to escape


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """What one DATA command brought."""

    sender: str
    recipients: tuple[str, ...]
    mail: EmailMessage
    encrypted: bool

    def part(self, subtype: str) -> str:
        """The text of the `text/<subtype>` part."""
        body = self.mail.get_body(preferencelist=(subtype,))
        assert isinstance(body, EmailMessage)
        return str(body.get_content()).replace("\r\n", "\n")


@dataclass  # without slots: aiosmtpd lists the members, which Python 3.11.2 cannot do with them
class SmtpServer:
    """Where it listens, what it has heard, and how it shall misbehave (may be changed while it runs)."""

    port: int = 0
    cafile: Path | None = None
    implicit_tls: bool = False
    sender_reply: str | None = None  # in place of 250 to MAIL
    recipient_reply: str | None = None  # in place of 250 to RCPT
    data_reply: str | None = None  # in place of 250 to DATA
    drops: bool = False  # hangs up in the middle of DATA
    drops_farewell: bool = False  # hangs up in place of an answer to QUIT
    hangs: bool = False  # never answers RCPT
    messages: list[ReceivedMail] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)  # of every MAIL command
    logins: list[bool] = field(default_factory=list)  # of every AUTH command: whether it was right
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    connections: "list[_Connection]" = field(default_factory=list)

    def url(self, *, password: str | None = PASSWORD, **options: str) -> str:
        """The address for `open_gateway`, with the server's certificate authority among the options."""
        scheme = "smtps" if self.implicit_tls else "smtp"
        login = f"{USERNAME}:{quote(password, safe='')}@" if password is not None else ""
        if self.cafile is not None:
            options = {"cafile": str(self.cafile), **options}
        query = "&".join(f"{name}={quote(value)}" for name, value in options.items())
        return f"{scheme}://{login}127.0.0.1:{self.port}" + (f"?{query}" if query else "")

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.senders.append(address)
        if self.sender_reply is not None:
            return self.sender_reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.hangs:
            self.hanging.set()
            await asyncio.Event().wait()
        if self.recipient_reply is not None:
            return self.recipient_reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.drops:
            hang_up(server)
            await asyncio.Event().wait()
        if self.data_reply is not None:
            return self.data_reply
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        encrypted = self.implicit_tls or session.ssl is not None
        self.messages.append(
            ReceivedMail(envelope.mail_from or "", tuple(envelope.rcpt_tos), mail, encrypted=encrypted)
        )
        return "250 2.0.0 OK queued as 4ABC"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.drops_farewell:
            hang_up(server)
            await asyncio.Event().wait()
        return "221 2.0.0 Bye"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: Any
    ) -> AuthResult:
        right = auth_data == LoginPassword(USERNAME.encode(), PASSWORD.encode())
        self.logins.append(right)
        return AuthResult(success=right, handled=False)


class _Connection(SMTP):
    """One client's visit; `ended` is set when it is over."""

    def __init__(self, state: SmtpServer, **options: Any) -> None:
        super().__init__(state, **options)
        self.ended = asyncio.Event()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.ended.set()

    async def stop(self) -> None:
        """Stop serving, which a client that broke off the TLS handshake does not bring about."""
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
            await asyncio.wait({self._handler_coroutine})


def hang_up(connection: SMTP) -> None:
    """End a connection without a word."""
    if isinstance(connection.transport, asyncio.WriteTransport) and not connection.transport.is_closing():
        connection.transport.abort()


@asynccontextmanager
async def running_smtp_server(
    directory: Path | None = None,
    *,
    starttls: bool = True,
    implicit_tls: bool = False,
    login: bool = True,
    smtputf8: bool = True,
    port: int = 0,
) -> AsyncIterator[SmtpServer]:
    """A server on a port of its own, until the block ends.

    Args:
        directory: where its certificate authority is written; needed with TLS.
        starttls: offer STARTTLS, and take no mail without it.
        implicit_tls: TLS from the first byte instead.
        login: take mail only after `USERNAME` and `PASSWORD` (with STARTTLS only; otherwise a login is possible).
        smtputf8: take addresses beyond ASCII.
        port: where to listen; a free port by default.
    """
    encrypted = starttls or implicit_tls
    state = SmtpServer(implicit_tls=implicit_tls)
    tls = _server_tls(state, directory) if encrypted else None
    loop = asyncio.get_running_loop()

    def connection() -> _Connection:
        state.connections.append(
            _Connection(
                state,
                hostname="mail.test",
                enable_SMTPUTF8=smtputf8,
                tls_context=None if implicit_tls else tls,
                require_starttls=starttls and not implicit_tls,
                auth_required=login and starttls and not implicit_tls,
                auth_require_tls=not implicit_tls,
                authenticator=state.authenticate,
                loop=loop,
            )
        )
        return state.connections[-1]

    listener = await loop.create_server(connection, "127.0.0.1", port, ssl=tls if implicit_tls else None)
    state.port = listener.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        listener.close()
        for open_connection in state.connections:
            hang_up(open_connection)
            await open_connection.stop()


def _server_tls(state: SmtpServer, directory: Path | None) -> ssl.SSLContext:
    assert directory is not None, "TLS needs a directory for the certificate authority"
    authority = trustme.CA()
    state.cafile = directory / f"smtp-authority-{id(state)}.pem"
    authority.cert_pem.write_to_path(state.cafile)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context
