"""Opening the gateways that the settings name. Nothing is connected by it."""

import ssl
from collections.abc import Callable
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path

from pydantic import SecretStr

from watchword.delivery.gateway import Gateway, InvalidGatewayURL, MailboxJournal, Provisions
from watchword.delivery.gateways import open_gateway
from watchword.delivery.message import Channel
from watchword.settings import Settings, SettingsError


def open_gateways(
    settings: Settings, *, now: Callable[[], datetime], journal: MailboxJournal
) -> dict[Channel, Gateway]:
    """Open the gateway of each channel; in development and test mode the mailbox stands in for a missing one.

    Raises:
        SettingsError: a gateway's URL, the sender or the additional certificate authority cannot be used.
    """
    # Read before any gateway does, or the gateway's URL would take the blame.
    _check_authority(settings.extra_ca)
    _check_sender(settings.smtp_from, needed=_is_smtp(settings.smtp_url))
    provisions = Provisions(sender=settings.smtp_from, cafile=settings.extra_ca, journal=journal, now=now)
    gateways: dict[Channel, Gateway] = {}
    for channel, name, secret in (
        (Channel.EMAIL, "WATCHWORD_SMTP_URL", settings.smtp_url),
        (Channel.SMS, "WATCHWORD_SMS_URL", settings.sms_url),
        (Channel.WHATSAPP, "WATCHWORD_WHATSAPP_URL", settings.whatsapp_url),
    ):
        url = secret.get_secret_value() if secret is not None else "mailbox://" if settings.development else None
        if url is None:
            continue
        try:
            gateways[channel] = open_gateway(url, channel, provisions, development=settings.development)
        except InvalidGatewayURL as problem:
            raise SettingsError(name, str(problem), "`docs/guides/delivery.md` shows one for each gateway.") from None
    return gateways


def _check_authority(file: Path | None) -> None:
    if file is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except (OSError, ValueError) as problem:  # ssl.SSLError is an OSError; a NUL in the name is a ValueError
        why = problem.strerror if isinstance(problem, FileNotFoundError | PermissionError) else "it holds none in PEM"
        raise SettingsError("WATCHWORD_EXTRA_CA", f"cannot be used: {why}", "Name a PEM file, or remove it.") from None


def _is_smtp(url: SecretStr | None) -> bool:
    return url is not None and url.get_secret_value().lower().startswith(("smtp:", "smtps:"))


def _check_sender(sender: str | None, *, needed: bool) -> None:
    if (sender is not None or needed) and not _is_sender(sender or ""):
        problem = "is no sender of email" if sender else "is required for email"
        raise SettingsError("WATCHWORD_SMTP_FROM", problem, "Give one such as Example <login@id.example.com>.")


def _is_sender(text: str) -> bool:
    """Python's parser of addresses knows ASCII alone, so a letter stands for what lies beyond (RFC 6531)."""
    address = "".join(each if each.isascii() else "x" for each in parseaddr(text)[1])
    try:
        return text.isprintable() and bool(Address(addr_spec=address).domain)
    except (ValueError, MessageError, IndexError):
        return False
