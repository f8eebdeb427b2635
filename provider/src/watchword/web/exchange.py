"""One HTTP exchange as an endpoint sees it: what was sent, by whom, and the services to answer with."""

import ipaddress
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Protocol

from starlette.types import Receive, Scope

from watchword.events import Caller
from watchword.locale import choose_locale
from watchword.protocol.errors import InvalidRequest, RequestTooLarge
from watchword.protocol.parameters import Parameters, parse_parameters
from watchword.protocol.strict_json import parse_json_object
from watchword.services import Services
from watchword.web.wire import Fields

FORM_LIMIT = 32 * 1024
JSON_LIMIT = 16 * 1024
FORM = "application/x-www-form-urlencoded"


class Renderer(Protocol):
    """What turns a page's view into HTML; the pages bring it."""

    def render(self, view: Any, *, locale: str) -> str:
        """Return the whole document."""
        ...

    def form_post_page(self, *, action: str, fields: tuple[tuple[str, str], ...], client_name: str) -> Any:
        """Return the view of a form that the browser posts to a client."""
        ...

    def leaving_page(
        self,
        *,
        next_url: str,
        host: str,
        client_name: str,
        fields: tuple[tuple[str, str], ...] = (),
        signed_out: bool = False,
    ) -> Any:
        """Return the view that stands between an error or a sign-out and a client that registered itself."""
        ...

    def static_file(self, name: str) -> Any:
        """Return a stylesheet, script or picture of the pages; None when there is no such file."""
        ...


class Exchange:
    """A request, read as far as an endpoint asks: what nobody asks for is never made."""

    __slots__ = (
        "_address",
        "_cookies",
        "_query",
        "_receive",
        "headers",
        "locales",
        "reading",
        "renderer",
        "request_id",
        "scope",
        "services",
    )

    def __init__(
        self,
        services: Services,
        renderer: Renderer,
        locales: Sequence[str],
        scope: Scope,
        receive: Receive,
        request_id: str,
    ) -> None:
        self.services, self.renderer, self.locales = services, renderer, locales
        self.scope, self._receive, self.request_id = scope, receive, request_id
        self.reading = False  # whether it waits for the rest of a body
        self.headers = Fields(scope["headers"])
        self._query: Parameters | None = None
        self._cookies: Mapping[str, str] | None = None
        self._address: str | None = None

    def __repr__(self) -> str:
        """Show the request's name alone: its fields hold cookies and credentials."""
        return f"Exchange({self.request_id})"

    @property
    def method(self) -> str:
        """GET, POST ..."""
        method: str = self.scope["method"]
        return method

    @property
    def path(self) -> str:
        """The path, the issuer's own included."""
        path: str = self.scope["path"]
        return path

    @property
    def media_type(self) -> str:
        """What the body claims to be, without parameters."""
        claimed = self.headers.get("content-type", "")
        return claimed if claimed == FORM else claimed.partition(";")[0].strip().lower()

    @property
    def query(self) -> Parameters:
        """The query's parameters.

        Raises:
            InvalidRequest: it is malformed.
        """
        if self._query is None:
            self._query = parse_parameters(self.scope["query_string"])
        return self._query

    @property
    def cookies(self) -> Mapping[str, str]:
        """Cookies by name. A name that stands twice counts as absent: a sibling subdomain may have set one of them."""
        if self._cookies is None:
            self._cookies = _parse_cookies(self.headers.getlist("cookie"))
        return self._cookies

    @property
    def caller(self) -> Caller:
        """Where the request comes from, for the audit trail."""
        return Caller(self.address, self.headers.get("user-agent", "")[:256], self.request_id)

    @property
    def address(self) -> str:
        """The peer's address; from X-Forwarded-For only behind a trusted proxy."""
        if self._address is None:
            client, trusted = self.scope.get("client"), self.services.settings.trusted_proxies
            forwarded = tuple(self.headers.getlist("x-forwarded-for")) if trusted else ()
            self._address = _caller_address(client[0] if client else "", forwarded, trusted)
        return self._address

    def locale(self, ui_locales: str | None = None) -> str:
        """The language to answer in: what the client asked for, then what the browser prefers."""
        default = self.services.settings.default_locale
        return choose_locale(ui_locales, self.headers.get("accept-language"), self.locales, default)

    def wants_html(self) -> bool:
        """Whether a person's browser asks."""
        return "text/html" in self.headers.get("accept", "")

    async def form(self) -> Parameters:
        """Read a form.

        Raises:
            InvalidRequest: another content type, or malformed.
            RequestTooLarge: it is beyond 32 KiB.
        """
        if self.media_type != FORM:
            raise InvalidRequest(f"Send the parameters as {FORM}.")
        return parse_parameters(await self._body(FORM_LIMIT))

    async def json(self) -> dict[str, Any]:
        """Read a JSON object.

        Raises:
            InvalidRequest: another content type, or not strict JSON.
            RequestTooLarge: it is beyond 16 KiB.
        """
        if self.media_type != "application/json":
            raise InvalidRequest("Send the request as application/json.")
        try:
            return parse_json_object(await self._body(JSON_LIMIT))
        except ValueError as problem:
            raise InvalidRequest("The body is not a valid JSON object.", detail=str(problem)[:80]) from None

    async def _body(self, limit: int) -> bytes:
        """Receive a body. How long it may take is the matter of `UnderWay`, which looks at `reading`."""
        announced = self.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:12]) > limit:
            raise _too_large(limit)
        self.reading = True
        message = await self._receive()
        body = bytearray(message.get("body", b""))
        while message.get("more_body", False) and len(body) <= limit:
            message = await self._receive()
            body += message.get("body", b"")
        if message["type"] == "http.disconnect":
            raise InvalidRequest("The connection closed before the body was complete.")
        self.reading = False
        if len(body) > limit:
            raise _too_large(limit)
        return bytes(body)


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(f"The body is larger than {limit // 1024} KiB.")


def _parse_cookies(headers: list[str]) -> dict[str, str]:
    cookies: dict[str, str] = {}
    twice: set[str] = set()
    for pair in ";".join(headers).split(";"):
        name, separator, value = pair.strip().partition("=")
        if separator and name in cookies:
            twice.add(name)
        if separator:
            cookies[name] = value.strip('"')
    for name in twice:
        del cookies[name]
    return cookies


@lru_cache(maxsize=4096)
def _caller_address(peer: str, forwarded: tuple[str, ...], trusted_proxies: tuple[str, ...]) -> str:
    """Walk the chain from our side and stop at the first hop that no trusted proxy vouches for."""
    address = _parse_address(peer)
    if address is None:
        return peer
    networks = _networks(trusted_proxies)
    hops = [hop.strip() for header in forwarded for hop in header.split(",")]
    while hops and any(address in network for network in networks):
        hop = _parse_address(hops.pop())
        if hop is None:
            break
        address = hop
    return str(address)


@cache
def _networks(texts: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def _parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
