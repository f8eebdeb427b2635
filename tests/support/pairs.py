"""The two pairs of stores that the provider runs on: files of one machine, and servers for several."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.pgbouncer import through_pgbouncer
from tests.support.postgres import migrated_database
from tests.support.secrecy import remember_secret
from tests.support.valkey import empty, valkey_url

EMBEDDED, SERVERS = "embedded", "servers"
PAIRS = (EMBEDDED, SERVERS)
POOLED = "pooled"  # the servers, with PgBouncer before PostgreSQL
SECRET_KEY = remember_secret("c0Rk2mJvZ5hYq8LxTgWnE4sUaBpD7fKi9oNe")
_numbers = itertools.cycle(range(1, 16))  # a server has sixteen databases; the first is the store suite's


@contextmanager
def settings_of(pair: str) -> Iterator[dict[str, str]]:
    """Empty stores of a pair as settings of a provider; files it makes itself."""
    if pair == EMBEDDED:
        yield {}
        return
    with migrated_database() as database_url:
        yield {
            "database_url": through_pgbouncer(database_url) if pair == POOLED else database_url,
            "ephemeral_url": empty(f"{valkey_url()}/{next(_numbers)}"),
            "secret_key": SECRET_KEY,
        }
