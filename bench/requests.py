"""HTTP/1.1 requests as bytes, and the little that must be read out of a page to fill its form."""

import base64
import html
import re
from urllib.parse import quote_plus, urlencode

from bench.contender import Registration
from bench.load import Answer

_HIDDEN = re.compile(rb'<input type="hidden" name="([a-z]+)" value="([^"]*)">')
_REFRESH = re.compile(rb'<meta http-equiv="refresh" content="0;url=([^"]+)">')


def get(host: str, target: str, *, cookie: str = "", bearer: str = "", address: str = "") -> bytes:
    """Return a GET of a path with its query. `address` is whom a proxy in front would name."""
    authorization = f"authorization: Bearer {bearer}\r\n" if bearer else ""
    return f"GET {target} HTTP/1.1\r\n{_headers(host, cookie, address)}{authorization}\r\n".encode()


def post_form(
    host: str,
    path: str,
    fields: dict[str, str],
    *,
    cookie: str = "",
    client: Registration | None = None,
    address: str = "",
) -> bytes:
    """Return a POST of a form, authenticated by HTTP Basic when it is a client's."""
    body = urlencode(fields)
    credentials = f"authorization: {basic(client)}\r\n" if client else ""
    return (
        f"POST {path} HTTP/1.1\r\n{_headers(host, cookie, address)}{credentials}"
        f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    ).encode()


def basic(client: Registration) -> str:
    """Return a client's Authorization header (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def hidden_fields(answer: Answer) -> dict[str, str]:
    """Return the hidden fields of a page; all its forms carry the same ones."""
    return {name.decode(): html.unescape(value.decode()) for name, value in _HIDDEN.findall(answer.body)}


def refresh_target(answer: Answer) -> str:
    """Return where a page sends the browser on, without scheme and host.

    Raises:
        ValueError: it does not.
    """
    found = _REFRESH.search(answer.body)
    if found is None:
        raise ValueError("the page sends the browser nowhere")
    return _without_origin(html.unescape(found[1].decode()))


def location_target(answer: Answer) -> str:
    """Return where a redirect leads, without scheme and host."""
    return _without_origin(answer.header(b"location").decode())


def _without_origin(url: str) -> str:
    _, separator, rest = url.partition("://")
    return "/" + rest.partition("/")[2] if separator and not url.startswith("/") else url


def _headers(host: str, cookie: str, address: str) -> str:
    headers = f"host: {host}\r\naccept: text/html, application/json\r\nuser-agent: bench\r\n"
    if address:
        headers += f"x-forwarded-for: {address}\r\n"
    return f"{headers}cookie: {cookie}\r\n" if cookie else headers
