"""`python -m bench.population FILE --accounts 1000000`: people in a durable store, written past the provider.

Accounts and their identifiers, and for one in ten a session with its grant and refresh family, so that the indexes a
login and a refresh walk are as deep as they would be. Ids are random like the provider's own, or the indexes would be
walked in order. Nobody could use these sessions: their secrets are random too.
"""

import argparse
import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import UUID

import asyncpg

from bench.people import person

_BATCH = 20_000
_WITH_SESSION = 10  # one account in so many
_DAY = 24 * 3600 * 1_000_000

Row = tuple[object, ...]
Tables = dict[str, list[Row]]

COLUMNS = {
    "account": ("id", "status", "profile", "created_at", "updated_at"),
    "identifier": ("id", "account_id", "kind", "value", "display", "verified_at", "created_at"),
    "session": (
        "id", "token_hash", "account_id", "origin", "amr", "auth_time", "seen_at", "expires_at", "user_agent",
        "address",
    ),
    "authorization_grant": (
        "id", "account_id", "client_id", "session_id", "scope", "resources", "auth_time", "amr", "created_at",
    ),
    "refresh_family": (
        "id", "grant_id", "secret", "mac_kid", "generation", "rotated_at", "idle_expires_at", "expires_at",
    ),
}  # fmt: skip


def batches(accounts: int, *, client_id: str, mac_kid: str, now: int) -> Iterator[Tables]:
    """Make the rows of that many people, table by table in the order foreign keys ask for. `now` in microseconds."""
    numbers = iter(range(accounts))
    while batch := list(islice(numbers, _BATCH)):
        tables: Tables = {name: [] for name in COLUMNS}
        for number in batch:
            _add_person(tables, number, client_id, mac_kid, now)
        yield tables


def _add_person(tables: Tables, number: int, client_id: str, mac_kid: str, now: int) -> None:
    account, email = _new_id(), person(number).identifier
    tables["account"].append((account, "active", "{}", now, now))
    tables["identifier"].append((_new_id(), account, "email", email, email, now, now))
    if number % _WITH_SESSION:
        return
    session, grant, later = _new_id(), _new_id(), now + 30 * _DAY
    amr = "otp"
    tables["session"].append(
        (session, os.urandom(16), account, os.urandom(16), amr, now, now, later, "bench", person(number).address)
    )
    tables["authorization_grant"].append((grant, account, client_id, session, "openid email", "", now, amr, now))
    tables["refresh_family"].append((_new_id(), grant, os.urandom(16), mac_kid, 1, now, now + 7 * _DAY, later))


async def fill(database_url: str, accounts: int) -> None:
    """Write that many people into a migrated store that has a client and the first keys. The provider need not run.

    Raises:
        ValueError: the URL names neither SQLite nor PostgreSQL.
    """
    scheme, _, rest = database_url.partition("://")
    if scheme == "sqlite":
        _fill_sqlite(rest.removeprefix("/"), accounts)
    elif scheme.startswith("postgres"):
        await _fill_postgres(f"postgresql://{rest}", accounts)
    else:
        raise ValueError("people are written into sqlite:// or postgresql:// only")


def _fill_sqlite(path: str, accounts: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    (client_id,), (mac_kid,) = (connection.execute(query).fetchone() for query in _REFERRED)
    connection.execute("BEGIN IMMEDIATE")
    for tables in batches(accounts, client_id=client_id, mac_kid=mac_kid, now=time.time_ns() // 1000):
        for name, rows in tables.items():
            connection.executemany(_insert(name), rows)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def _fill_postgres(url: str, accounts: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        client_id, mac_kid = [await connection.fetchval(query) for query in _REFERRED]
        for tables in batches(accounts, client_id=client_id, mac_kid=mac_kid, now=time.time_ns() // 1000):
            for name, rows in tables.items():
                await connection.copy_records_to_table(name, records=rows, columns=COLUMNS[name])
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


_REFERRED = ("SELECT id FROM client LIMIT 1", "SELECT kid FROM mac_key LIMIT 1")


def _insert(table: str) -> str:
    columns: Sequence[str] = COLUMNS[table]
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _new_id() -> str:
    return str(UUID(bytes=os.urandom(16), version=4))


def main() -> None:
    """Fill a store."""
    parser = argparse.ArgumentParser(prog="python -m bench.population", description="People in a durable store.")
    parser.add_argument("database_url", help="as in WATCHWORD_DATABASE_URL; migrated, with a client")
    parser.add_argument("--accounts", type=int, default=1_000_000)
    given = parser.parse_args()
    started = time.perf_counter()
    asyncio.run(fill(given.database_url, given.accounts))
    print(f"{given.accounts:,} accounts in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
