"""Where Redis is: the URL, read once and in full, so that a typing error is found before anything is connected."""

import re
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qs, unquote, urlsplit

FORMS = (
    "redis://[user:password@]host[:port][/number], rediss:// for TLS, "
    "redis+sentinel://host:port,host:port/service[/number] or redis+cluster://host:port,host:port"
)
_URL = re.compile(
    r"(?P<scheme>rediss?)(\+(?P<kind>sentinel|cluster))?://"
    r"((?P<username>[^:@/?#]*)(:(?P<password>[^@/?#]*))?@)?"
    r"(?P<hosts>[^@/?#]+)(?P<path>/[^?#]*)?(\?(?P<query>[^#]*))?"
)
_OPTIONS = frozenset({"ssl_ca_certs", "sentinel_username", "sentinel_password"})
_PORT, _SENTINEL_PORT = 6379, 26379


class Kind(StrEnum):
    """How the servers at an address work together."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Login:
    """Who we say we are; without a password nothing is said."""

    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """Servers to ask first, and what to say to them. `hosts` are the Sentinels where there are any."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    login: Login
    sentinel_login: Login
    service: str
    number: int
    tls: ssl.SSLContext | None
    ca_certs: str | None = None


def parse_address(url: str) -> Address:
    """Read the URL of a store in Redis or Valkey, written in one of `FORMS`.

    Options: `ssl_ca_certs` names a file of certificates to trust instead of the system's; `sentinel_username` and
    `sentinel_password` log in at Sentinels. A server's certificate and name are always checked.

    Raises:
        ValueError: the URL is written otherwise, or the file holds no certificate. The text never repeats the URL,
            which may hold a password.
    """
    try:
        return _parse(_URL.fullmatch(url))
    except (LookupError, TypeError, ValueError):
        raise ValueError(f"the ephemeral store's URL is written as one of: {FORMS}") from None
    except OSError:
        raise ValueError("the ephemeral store's option ssl_ca_certs names no file of certificates") from None


def _parse(url: re.Match[str] | None) -> Address:
    if url is None:
        raise ValueError("not of this form")
    kind = Kind(url["kind"] or "single")
    options = _options(url["query"] or "", kind)
    service, number = _place(unquote(url["path"] or "").strip("/"), kind)
    port = _SENTINEL_PORT if kind is Kind.SENTINEL else _PORT
    ca_certs = options.get("ssl_ca_certs")
    hosts = tuple(_host(host, port) for host in url["hosts"].split(","))
    if kind is Kind.SINGLE and len(hosts) > 1:
        raise ValueError("one host")
    return Address(
        kind=kind,
        hosts=hosts,
        login=Login(unquote(url["username"] or ""), unquote(url["password"] or "")),
        sentinel_login=Login(options.get("sentinel_username", ""), options.get("sentinel_password", "")),
        service=service,
        number=number,
        tls=ssl.create_default_context(cafile=ca_certs) if url["scheme"] == "rediss" else None,
        ca_certs=ca_certs,
    )


def _options(query: str, kind: Kind) -> dict[str, str]:
    options = parse_qs(query, strict_parsing=True) if query else {}
    unknown = options.keys() - (_OPTIONS if kind is Kind.SENTINEL else {"ssl_ca_certs"})
    if unknown or any(len(values) > 1 for values in options.values()):
        raise ValueError("options")
    return {name: values[0] for name, values in options.items()}


def _place(path: str, kind: Kind) -> tuple[str, int]:
    """Return the name of the service, which only Sentinels know, and the number of the database."""
    service, _, number = path.partition("/") if kind is Kind.SENTINEL else ("", "", path)
    if bool(service) is not (kind is Kind.SENTINEL) or (number and kind is Kind.CLUSTER):
        raise ValueError("service or number")
    if not re.fullmatch(r"[0-9]{0,9}", number):
        raise ValueError("number")
    return service, int(number or "0")


def _host(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("host")
    return parts.hostname, parts.port or port
