"""Fetching from a URL that somebody else chose, so that nothing of the inside can be reached or learnt by it.

The host is resolved once, every address it has is judged, and the connection goes to exactly those: a name that
resolves to another address a moment later is never asked again. TLS names and verifies the host all the same.
"""

import asyncio
import functools
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from watchword.fetch.addresses import Address, FetchRefused, Target, choose_addresses, parse_target
from watchword.protocol.strict_json import parse_json
from watchword.telemetry import get_logger

if TYPE_CHECKING:
    import httpx2

CONNECT_TIMEOUT: Final = timedelta(seconds=2)
TOTAL_TIMEOUT: Final = timedelta(seconds=5)
MOST_BYTES: Final = 64 * 1024
_MOST_AT_ONCE: Final = 64
_MOST_ADDRESSES: Final = 3  # tried of one host
# Threads, made when needed. Names that never resolve, of which anybody can give a few, keep one each for as long as the
# system tries, which is longer than a fetch lasts: so there are as many as fetches, that such names stop nobody else's.
_RESOLVERS: Final = _MOST_AT_ONCE

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses. Raises `OSError`."""

log = get_logger(__name__)


class FetchFailed(Exception):
    """The other side did not answer, or not with what was asked for; another time it may.

    `str()` may be shown to whoever gave the URL.
    """


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    media_type: str
    body: bytes


class Fetch:
    """Outgoing requests of one worker. Nothing is imported, opened or connected before the first one.

    A connection serves one request: another host at the same address has to show a certificate of its own.
    """

    def __init__(self, *, loopback: bool = False, extra_ca: Path | None = None, resolve: Resolve | None = None) -> None:
        self._loopback, self._extra_ca = loopback, extra_ca
        self._threads = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="fetch")
        self._resolve = resolve or self._look_up
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)
        self._transport: httpx2.AsyncHTTPTransport | None = None
        self._opening = asyncio.Lock()

    async def get_json(self, url: str, *, most: int = MOST_BYTES) -> Any:
        """Return a JSON document of at most `most` bytes, read strictly.

        Raises:
            FetchRefused: the URL, its host, or a redirect.
            FetchFailed: no answer within five seconds, or not such a document.
        """
        answer = await self._ask("GET", url, {"accept": "application/json, application/*+json"}, most=most)
        if answer.status != 200:
            raise FetchFailed(f"The URL answered with status {answer.status}.")
        if not _is_json(answer.media_type):
            raise FetchFailed("The URL did not answer with a JSON content type.")
        try:
            return parse_json(answer.body)
        except ValueError:
            raise FetchFailed("The URL did not answer with valid JSON.") from None

    async def post_form(self, url: str, fields: Mapping[str, str]) -> int:
        """Post a form and return the HTTP status; what the answer says beyond it is not read.

        Raises:
            FetchRefused: the URL, its host, or a redirect.
            FetchFailed: no answer within five seconds.
        """
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return (await self._ask("POST", url, headers, content=urlencode(fields).encode("ascii"))).status

    async def close(self) -> None:
        """Let connections and threads go; a second time does nothing."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], *, content: bytes = b"", most: int | None = None
    ) -> _Answer:
        target = parse_target(url, loopback=self._loopback)
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT.total_seconds()), self._places:
                addresses = await self._addresses(target)
                transport = await self._opened()
                response = await _send(transport, target, addresses, method, headers, content)
                try:
                    answer = await _read(response, most)
                finally:
                    await response.aclose()
        except TimeoutError:
            log.debug("a fetch took too long", host=target.host)
            raise FetchFailed("The URL did not answer in time.") from None
        except ssl.SSLError:  # after the handshake, where httpx2 passes it on as it is
            log.debug("a fetch came to nothing", host=target.host, problem="TLS")
            raise FetchFailed("The answer of the URL broke off.") from None
        except (FetchRefused, FetchFailed) as problem:
            log.debug("a fetch came to nothing", host=target.host, problem=str(problem))
            raise
        log.debug("fetched", host=target.host, status=answer.status)
        return answer

    async def _addresses(self, target: Target) -> list[Address]:
        try:
            found = await self._resolve(target.host, target.port)
        except socket.gaierror as problem:
            if problem.errno == socket.EAI_AGAIN:
                raise FetchFailed("The host of the URL cannot be resolved at the moment.") from None
            found = ()
        except (OSError, UnicodeError):
            found = ()
        return choose_addresses(target, found, loopback=self._loopback)

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        look_up = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [str(entry[4][0]) for entry in found]

    async def _opened(self) -> "httpx2.AsyncHTTPTransport":
        async with self._opening:
            if self._transport is None:
                # In a thread: the import and the reading of certificates would hold up every request.
                open_one = functools.partial(_open_transport, self._extra_ca)
                self._transport = await asyncio.get_running_loop().run_in_executor(self._threads, open_one)
            return self._transport


def _open_transport(extra_ca: Path | None) -> "httpx2.AsyncHTTPTransport":
    """Return what sends requests, and nothing more: no cookies, redirects, proxies, or credentials of a `.netrc`."""
    import httpx2  # noqa: PLC0415 - most providers never fetch anything

    authorities = httpx2.create_ssl_context()
    authorities.minimum_version = ssl.TLSVersion.TLSv1_2
    if extra_ca is not None:
        authorities.load_verify_locations(extra_ca)
    limits = httpx2.Limits(max_connections=_MOST_AT_ONCE, max_keepalive_connections=0)
    return httpx2.AsyncHTTPTransport(verify=authorities, trust_env=False, http1=True, http2=False, limits=limits)


async def _send(
    transport: "httpx2.AsyncHTTPTransport",
    target: Target,
    addresses: Sequence[Address],
    method: str,
    headers: Mapping[str, str],
    content: bytes,
) -> "httpx2.Response":
    """Send a request to the first address that takes a connection. Nothing was sent to the others."""
    import httpx2  # noqa: PLC0415

    for address in addresses[:_MOST_ADDRESSES]:
        try:
            return await transport.handle_async_request(_request(target, address, method, headers, content))
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            continue
        except httpx2.TransportError:
            break
    raise FetchFailed("The URL did not answer.")


def _request(
    target: Target, address: Address, method: str, headers: Mapping[str, str], content: bytes
) -> "httpx2.Request":
    """Return a request to an address that speaks of the host, in the Host header and in TLS (RFC 6066 section 3)."""
    import httpx2  # noqa: PLC0415

    seconds = CONNECT_TIMEOUT.total_seconds()
    timeout = httpx2.Timeout(TOTAL_TIMEOUT.total_seconds(), connect=seconds)
    return httpx2.Request(
        method,
        httpx2.URL(scheme=target.scheme, host=str(address), port=target.port, raw_path=target.path.encode("ascii")),
        headers={
            "host": target.authority,
            "user-agent": "Watchword",
            "accept-encoding": "identity",
            "connection": "close",
            **headers,
        },
        content=content,
        extensions={"timeout": timeout.as_dict(), "sni_hostname": target.host},
    )


async def _read(response: "httpx2.Response", most: int | None) -> _Answer:
    """Read an answer as it was sent, and no more of it than may be; nothing of the body where `most` is None.

    Raises:
        FetchRefused: it leads elsewhere.
        FetchFailed: it is compressed, too long, or breaks off.
    """
    import httpx2  # noqa: PLC0415

    if 300 <= response.status_code < 400:
        raise FetchRefused("The URL answered with a redirect, and redirects are not followed.")
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    if most is not None:
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise FetchFailed("The URL answered with a content encoding that was not asked for.")
        try:
            async for part in response.aiter_raw():
                body += part
                if len(body) > most:
                    raise FetchFailed(f"The URL answered with more than {most} bytes.")
        except httpx2.TransportError:
            raise FetchFailed("The answer of the URL broke off.") from None
    return _Answer(response.status_code, media_type, bytes(body))


def _is_json(media_type: str) -> bool:
    """RFC 6839 section 3.1: a type of its own may say by its suffix that it is JSON."""
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))
