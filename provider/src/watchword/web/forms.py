"""Who may post a form of ours: the same browser, from our own page.

Two locks. Fetch metadata and Origin refuse what a browser says came from elsewhere; the signed token, bound to the
browser's cookie and to one purpose, refuses everything that did not see the page.
"""

import hmac
from urllib.parse import urlsplit

from watchword.keys import Root
from watchword.protocol.digests import join_fields, mac
from watchword.protocol.errors import AccessForbidden
from watchword.services import Services
from watchword.web.cookies import browser_cookie
from watchword.web.exchange import Exchange


class FormRefused(AccessForbidden):
    """The form came from elsewhere, from another browser, or is too old."""

    error = "form_expired"


def form_token(services: Services, *, browser: str, purpose: str) -> str:
    """Return the token that a form carries in its `csrf` field."""
    return _token(services.roots.current, browser, purpose)


def check_form(exchange: Exchange, token: str | None, *, purpose: str) -> str:
    """Return the secret of the browser whose form this is.

    Raises:
        FormRefused: it is not from our page in this browser.
    """
    check_same_origin(exchange)
    browser = browser_cookie(exchange)
    if browser is None or token is None or not _is_ours(exchange.services, token, browser, purpose):
        raise FormRefused("This form is too old, or came from another browser. Start again.")
    return browser


def check_same_origin(exchange: Exchange) -> None:
    """Refuse what the browser says came from another site.

    Clients that send neither header are no browsers anybody could be tricked in; the token decides for them.

    Raises:
        FormRefused: it came from elsewhere.
    """
    site = exchange.headers.get("sec-fetch-site")
    origin = exchange.headers.get("origin")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    else:
        allowed = origin is None or origin == _origin(exchange.services.issuer)
    if not allowed:
        raise FormRefused("This form came from another site. Start again.")


def _is_ours(services: Services, token: str, browser: str, purpose: str) -> bool:
    roots = (services.roots.current, services.roots.previous)
    # As bytes: compare_digest refuses text beyond ASCII, which anybody may post.
    return any(
        hmac.compare_digest(_token(root, browser, purpose).encode(), token.encode())
        for root in roots
        if root is not None
    )


def _token(root: Root, browser: str, purpose: str) -> str:
    message = join_fields(browser.encode(), purpose.encode())
    return mac(root.forms, message).hex()


def _origin(issuer: str) -> str:
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}"
