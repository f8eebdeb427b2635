"""Requests to the provider: short, small, never redirected, never in the clear."""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote_plus, urlencode
from weakref import WeakKeyDictionary

import httpx2

from ..addresses import is_trustworthy
from ..tokens.jws import parse_json_object

MAX_BODY_BYTES = 512 * 1024
TOTAL_SECONDS = 5.0
_TIMEOUT = httpx2.Timeout(TOTAL_SECONDS, connect=2.0)


class FetchFailed(Exception):
    """The provider gave no usable answer. The text is for the log only."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer that arrived whole."""

    status: int
    body: bytes = field(repr=False)

    def require_success(self) -> dict[str, Any]:
        """The JSON object of a 200. Raises FetchFailed for any other answer."""
        if self.status != 200:
            raise FetchFailed(f"the provider answered {self.status}")
        return self.json()

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, whatever the status. Raises FetchFailed when it is not one."""
        try:
            return parse_json_object(self.body)
        except ValueError:
            raise FetchFailed("the answer is not a JSON object") from None


def basic_credentials(client_id: str, client_secret: str) -> str:
    """The Authorization header of client_secret_basic, both parts form-encoded first (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")


class Fetcher:
    """Sends requests with the caller's client or transport, or with one client of its own in each event loop."""

    def __init__(self, http: httpx2.AsyncClient | httpx2.AsyncBaseTransport | None = None) -> None:
        self._given = http if isinstance(http, httpx2.AsyncClient) else None
        self._transport = None if isinstance(http, httpx2.AsyncClient) else http
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()

    def _client(self) -> httpx2.AsyncClient:
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            client = httpx2.AsyncClient(transport=self._transport, cookies=no_cookies)
            self._clients[loop] = client
        return client

    async def get(self, url: str, *, bearer: str | None = None) -> Fetched:
        """GET the address. Raises FetchFailed when no whole answer arrives; any status below 300 or from 400 is one."""
        headers = {"Accept": "application/json"}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        return await self._send("GET", url, headers)

    async def post_form(self, url: str, fields: Mapping[str, str], *, authorization: str | None) -> Fetched:
        """POST a form. Raises FetchFailed as `get` does."""
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if authorization is not None:
            headers["Authorization"] = authorization
        return await self._send("POST", url, headers, urlencode(fields).encode("ascii"))

    async def _send(self, method: str, url: str, headers: dict[str, str], content: bytes | None = None) -> Fetched:
        if not is_trustworthy(url):
            raise FetchFailed("the address is neither https nor this machine")
        client = self._client()
        headers["Accept-Encoding"] = "identity"  # so that the size limit counts what is really held in memory
        try:
            request = client.build_request(method, url, headers=headers, content=content, timeout=_TIMEOUT)
            async with asyncio.timeout(TOTAL_SECONDS):
                response = await client.send(request, stream=True, follow_redirects=False)
                try:
                    body = await _read_within(response, MAX_BODY_BYTES)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise FetchFailed(f"no answer within {TOTAL_SECONDS} seconds") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise FetchFailed(type(error).__name__) from None
        if 300 <= response.status_code < 400:
            raise FetchFailed("the provider redirects, which is refused")
        return Fetched(response.status_code, body)

    async def aclose(self) -> None:
        """Close the client of this event loop, unless it is the caller's own."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()


async def _read_within(response: httpx2.Response, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise FetchFailed(f"the answer is larger than {limit} bytes")
    return bytes(body)
