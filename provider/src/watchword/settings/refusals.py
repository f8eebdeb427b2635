"""What a start refuses although each value could be used alone: insecure choices, and values that do not fit."""

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from watchword.settings.limits import check_odds
from watchword.settings.values import PREFIX, SettingsError, is_loopback, scheme_of

if TYPE_CHECKING:
    from watchword.settings.tree import Settings

_DEVELOPMENT_GATEWAYS = frozenset({"mailbox", "console"})
_WIDEST_PROXIES = {4: 8, 6: 7}  # bits: as wide as the private networks 10.0.0.0/8 and fc00::/7, and no wider


def refusals(settings: "Settings") -> Iterator[SettingsError]:
    """Yield everything that speaks against a start, one problem of one setting each."""
    if settings.development and not is_loopback(settings.issuer):
        yield SettingsError(
            "WATCHWORD_ENV",
            f"{settings.env} mode allows only a loopback issuer",
            "Use http://localhost:9000, or production.",
        )
    if settings.env == "production":
        yield from _refused_in_production(settings)
    if settings.env != "test":
        yield from _test_switches(settings)
    digits = settings.one_time_code_length
    if not all(re.fullmatch(rf"[0-9]{{{digits}}}", code) for code in settings.test_identifiers.values()):
        yield SettingsError(
            "WATCHWORD_TEST_IDENTIFIERS", f"holds a code that is not {digits} digits", "Give codes of that length."
        )
    yield from _likely_guesses(settings)
    if settings.ephemeral_url.startswith("memory:") and settings.workers > 1:
        yield SettingsError(
            "WATCHWORD_EPHEMERAL_URL", "memory:// allows one worker", "Use a SQLite file or Redis, or one worker."
        )


def _refused_in_production(settings: "Settings") -> Iterator[SettingsError]:
    if not settings.secure and not is_loopback(settings.issuer):
        yield SettingsError("WATCHWORD_ISSUER", "plain http is for loopback only", "Give the https URL.")
    if settings.secret_key is None:
        yield SettingsError("WATCHWORD_SECRET_KEY", "production needs one", "`openssl rand -base64 48` makes one.")
    if settings.log_level == "debug":
        yield SettingsError(
            "WATCHWORD_LOG_LEVEL", "debug shows what libraries send and receive", "Use info, or development mode."
        )
    yield from _trust_in_everybody(settings.trusted_proxies)
    yield from _development_switches(settings)


def _trust_in_everybody(trusted_proxies: tuple[str, ...]) -> Iterator[SettingsError]:
    for text in trusted_proxies:
        network = ipaddress.ip_network(text)
        if network.prefixlen < _WIDEST_PROXIES[network.version]:
            yield SettingsError(
                "WATCHWORD_TRUSTED_PROXIES",
                f"{text} lets anybody claim any address, and thereby escape every limit",
                "Name the networks of your own proxies.",
            )


def _test_switches(settings: "Settings") -> Iterator[SettingsError]:
    for name, used in (
        ("test_limits", settings.test_limits == "off"),
        ("test_identifiers", bool(settings.test_identifiers)),
        ("test_loopback_fetch", settings.test_loopback_fetch == "on" and not settings.development),
        ("extra_ca", settings.extra_ca is not None),
    ):
        if used:
            yield SettingsError(PREFIX + name.upper(), "is a test switch", "Remove it, or set WATCHWORD_ENV=test.")


def _development_switches(settings: "Settings") -> Iterator[SettingsError]:
    for name in ("smtp_url", "sms_url", "whatsapp_url"):
        if scheme_of(getattr(settings, name)) in _DEVELOPMENT_GATEWAYS:
            yield SettingsError(
                PREFIX + name.upper(), "is a development gateway", "Name a real gateway, or leave development mode on."
            )


def _likely_guesses(settings: "Settings") -> Iterator[SettingsError]:
    for name in ("failures_per_identifier", "failures_per_device"):
        try:
            check_odds(name, getattr(settings, name), settings.one_time_code_length)
        except SettingsError as problem:
            yield problem
