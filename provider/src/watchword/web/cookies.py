"""The provider's cookies: the session, the browser's own secret that binds interactions and challenges, and the device.

`__Host-` and Secure when the issuer is https. On http loopback the names are plain, since clients drop Secure cookies
there, and carry the port, because cookies ignore ports.
"""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from urllib.parse import urlsplit

from watchword.settings import Settings
from watchword.web.exchange import Exchange

_SECRET_LENGTH = 43  # 256 bits, base64url
_BROWSER_LIFETIME = timedelta(days=365)


def session_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie of a signed-in browser."""
    return _name(settings.issuer, "session")


def browser_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie that tells one browser from another."""
    return _name(settings.issuer, "browser")


def device_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie by which a browser that signed in before is known from strangers."""
    return _name(settings.issuer, "device")


def session_cookie(exchange: Exchange) -> str | None:
    """Return the session cookie, if the browser sent one that can be ours."""
    return _ours(exchange.cookies.get(session_cookie_name(exchange.services.settings)))


def browser_cookie(exchange: Exchange) -> str | None:
    """Return the browser's secret, if it sent one that can be ours."""
    return _ours(exchange.cookies.get(browser_cookie_name(exchange.services.settings)))


def device_cookie(exchange: Exchange) -> str | None:
    """Return the remembered device's secret, if the browser sent one that can be ours. It signs nobody in."""
    return _ours(exchange.cookies.get(device_cookie_name(exchange.services.settings)))


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser by its secret. `cookies` are the headers that give the secret to a browser that had none."""

    secret: str = field(repr=False)
    cookies: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def is_new(self) -> bool:
        """Whether it sent no secret of its own."""
        return bool(self.cookies)


def known_browser(exchange: Exchange) -> Browser:
    """Return the browser of a request; one that has no secret gets one now."""
    secret, settings = browser_cookie(exchange), exchange.services.settings
    if secret is not None:
        return Browser(secret)
    secret = secrets.token_urlsafe(32)
    return Browser(secret, (set_cookie(settings, browser_cookie_name(settings), secret, _BROWSER_LIFETIME),))


def set_cookie(settings: Settings, name: str, value: str, lifetime: timedelta) -> tuple[str, str]:
    """Return the header that sets a cookie."""
    return _header(settings, name, value, int(lifetime.total_seconds()))


def clear_cookie(settings: Settings, name: str) -> tuple[str, str]:
    """Return the header that removes a cookie."""
    return _header(settings, name, "", 0)


def _header(settings: Settings, name: str, value: str, seconds: int) -> tuple[str, str]:
    secure = "; Secure" if settings.secure else ""
    return "set-cookie", f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


@cache
def _name(issuer: str, kind: str) -> str:
    parts = urlsplit(issuer)
    return f"__Host-watchword_{kind}" if parts.scheme == "https" else f"watchword_{kind}_{parts.port or 80}"


def _ours(value: str | None) -> str | None:
    return value if value is not None and len(value) == _SECRET_LENGTH and value.isascii() else None
