"""Where a PostgreSQL database is: the URL as the operator gives it, read strictly."""

import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

SCHEMES = ("postgresql", "postgres")
_OPTIONS = frozenset(
    {"host", "port", "user", "password", "dbname", "application_name", "target_session_attrs", "pgbouncer"}
    | {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslpassword"}
)
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NO_STORE = "names no durable store: use sqlite:///path/to/file.sqlite3 or postgresql://user@host:5432/name"


@dataclass(frozen=True, slots=True)
class PostgreSQLAddress:
    """A database on a server.

    `dsn` is what asyncpg reads. `pooled`: a PgBouncer in transaction mode stands before it, so that nothing holds
    from one transaction to the next. `system_authorities`: the certificate is checked against those of the system.
    """

    dsn: str = field(repr=False)
    pooled: bool
    system_authorities: bool

    def options(self) -> dict[str, Any]:
        """Return how asyncpg shall connect."""
        found: dict[str, Any] = {"dsn": self.dsn}
        if self.system_authorities:
            found["ssl"] = ssl.create_default_context()
        return found


def parse_address(url: str) -> PostgreSQLAddress:
    """Read the URL of a PostgreSQL database; `?host=/path` names a Unix socket.

    Over a network TLS with a verified certificate is the rule (`sslmode=verify-full`); less must stand in the URL.

    Raises:
        ValueError: it cannot be used. The text never repeats it: it may hold a password.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises when it is no number
    except ValueError:
        raise ValueError(NO_STORE) from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme not in SCHEMES or not (parts.path.strip("/") or "dbname" in options) or parts.fragment:
        raise ValueError(NO_STORE)
    if not options.keys() <= _OPTIONS:
        raise ValueError("has an option that is not known: an option misspelt would be an option left out")
    pooled = options.pop("pgbouncer", "false")
    if pooled not in {"true", "false"}:
        raise ValueError("has a value of pgbouncer that is neither true nor false")
    if options.get("sslmode", "disable") not in _SSL_MODES:
        raise ValueError("has a value of sslmode that PostgreSQL does not know")
    if _is_remote(options.get("host") or parts.hostname):
        options.setdefault("sslmode", "verify-full")
    verified = options.get("sslmode") == "verify-full"
    dsn = urlunsplit(parts._replace(scheme="postgresql", query=urlencode(options)))
    return PostgreSQLAddress(dsn, pooled == "true", verified and "sslrootcert" not in options)


def is_postgresql(url: str) -> bool:
    """Say whether a URL names a PostgreSQL database."""
    return url.partition("://")[0] in SCHEMES


def _is_remote(host: str | None) -> bool:
    return host is not None and not host.startswith("/") and host not in _LOOPBACK
