"""A browser, an app that signs people in, and the road between them."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx2

from tests.middleware.support import TurnableClock, echo_app, protect
from watchword_asgi import Login, Rule, Watchword
from watchword_asgi.testing import LocalIssuer

APP = "https://app.test"
NAVIGATE = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
KEY = "0123456789abcdefghijklmnopqrstuvwxyz"
RULES = [
    Rule("/health", public=True),
    Rule("/api/*", scopes="notes:read"),
    Rule("/admin", login=True, roles="staff"),
    Rule("/feed", login=True, optional=True),
    Rule("/*", login=True),
]


def login_app(local: LocalIssuer, clock: TurnableClock, *, base_url: str = APP, **options: Any) -> Watchword:
    """An app with browser login; options are those of Login and of Watchword together."""
    login: dict[str, Any] = {"client_id": "web", "client_secret": "s3cret:%", "cookie_keys": [KEY]}
    login.update({name: options.pop(name) for name in list(options) if name in Login.__dataclass_fields__})
    defaults: dict[str, Any] = {"rules": RULES, "base_url": base_url, "login": Login(**login), "clock": clock.clock}
    return protect(local, echo_app, **{**defaults, **options})


async def start(client: httpx2.AsyncClient, path: str = "/page?x=1") -> str:
    """Open a page without a session; returns the address of the provider that the browser is sent to."""
    sent = await client.get(path, headers=NAVIGATE)
    assert sent.status_code == 303, sent.text
    begun = await client.get(sent.headers["location"], headers=NAVIGATE)
    assert begun.status_code == 303, begun.text
    return str(begun.headers["location"])


async def sign_in(
    client: httpx2.AsyncClient, issuer: LocalIssuer, path: str = "/page?x=1", *, subject: str = "ada"
) -> httpx2.Response:
    return await client.get(issuer.sign_in(await start(client, path), subject=subject), headers=NAVIGATE)


def changed(address: str, **changes: str | None) -> str:
    """The address with query parameters replaced, or taken out by None."""
    base, _, query = address.partition("?")
    parameters = {**dict(parse_qsl(query)), **changes}
    return f"{base}?{urlencode({name: value for name, value in parameters.items() if value is not None})}"


def cookie_header(client: httpx2.AsyncClient) -> dict[str, str]:
    """What the browser sends now, to be sent again later."""
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}
