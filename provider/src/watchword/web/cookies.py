"""The provider's two cookies: the session, and the browser's own secret that binds interactions and challenges.

`__Host-` and Secure when the issuer is https. On http loopback the names are plain, since clients drop Secure cookies
there, and carry the port, because cookies ignore ports.
"""

import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from watchword.settings import Settings
from watchword.web.exchange import Exchange

_SECRET_LENGTH = 43  # 256 bits, base64url
BROWSER_LIFETIME = timedelta(days=365)


def session_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie of a signed-in browser."""
    return _name(settings, "session")


def browser_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie that tells one browser from another."""
    return _name(settings, "browser")


def session_cookie(exchange: Exchange) -> str | None:
    """Return the session cookie, if the browser sent one that can be ours."""
    return _ours(exchange.cookies.get(session_cookie_name(exchange.services.settings)))


def browser_cookie(exchange: Exchange) -> str | None:
    """Return the browser's secret, if it sent one that can be ours."""
    return _ours(exchange.cookies.get(browser_cookie_name(exchange.services.settings)))


def new_browser_secret() -> str:
    """Draw a secret for a browser that has none."""
    return secrets.token_urlsafe(32)


def set_cookie(settings: Settings, name: str, value: str, lifetime: timedelta) -> tuple[str, str]:
    """Return the header that sets a cookie."""
    return _header(settings, name, value, int(lifetime.total_seconds()))


def clear_cookie(settings: Settings, name: str) -> tuple[str, str]:
    """Return the header that removes a cookie."""
    return _header(settings, name, "", 0)


def _header(settings: Settings, name: str, value: str, seconds: int) -> tuple[str, str]:
    secure = "; Secure" if settings.secure else ""
    return "set-cookie", f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _name(settings: Settings, kind: str) -> str:
    if settings.secure:
        return f"__Host-watchword_{kind}"
    return f"watchword_{kind}_{urlsplit(settings.issuer).port or 80}"


def _ours(value: str | None) -> str | None:
    return value if value is not None and len(value) == _SECRET_LENGTH and value.isascii() else None
