"""What one racing process does: open the durable store itself, wait at the barrier, then ask 60 times at once."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from tests.stores.durable_rows import CODE, CODE_HASH, FAMILY_ID, MINUTE, SESSION_ID
from tests.stores.racing import PROCESSES, in_every_process, wait_for_the_others
from watchword.accounts import Proof
from watchword.accounts.proof import Identifier
from watchword.accounts.registration import account_of
from watchword.clock import Clock
from watchword.database import (
    Conflict,
    Database,
    Overtaken,
    Trail,
    Transaction,
    grants,
    open_database,
    outbox,
    refresh_families,
    sessions,
)
from watchword.delivery.message import Channel
from watchword.events import Caller
from watchword.keys import Roots, make_first_keys

TASKS = 60
NEWCOMER = Identifier("email", "ada@example.org", "ada@example.org")

Ask = Callable[[Database, int], Awaitable[Any]]


async def redeem_code(database: Database, racer: int) -> bool:
    """Redeem the one code and keep its grant, as the token endpoint does."""

    async def work(transaction: Transaction) -> bool:
        code = await grants.redeem_code(
            transaction,
            CODE_HASH,
            client_id=CODE.client_id,
            redirect_uri=CODE.redirect_uri,
            code_challenge=CODE.code_challenge,
        )
        if code is None:
            return False
        await grants.add(transaction, uuid4(), code, code_hash=CODE_HASH)
        return True

    return await database.transaction(work)


async def rotate(database: Database, racer: int) -> bool:
    """Rotate generation 0, read before the race, whatever the row says by now."""
    found = await refresh_families.find(database, FAMILY_ID)
    assert found is not None
    family = replace(found, generation=0)

    async def work(transaction: Transaction) -> None:
        await refresh_families.rotate(transaction, family, successor=1, idle=MINUTE)

    try:
        await database.transaction(work)
    except Overtaken:
        return False
    return True


async def sign_in(database: Database, racer: int) -> UUID:
    """Find or make the account of one new identifier, each time with a proof of its own."""
    proof = Proof(NEWCOMER, Channel.EMAIL, origin=b"%d" % racer)

    async def work(transaction: Transaction) -> UUID:
        return await account_of(transaction, proof, client_id=CODE.client_id, caller=Caller())

    try:
        return await database.transaction(work)
    except Conflict:  # as the login does: the account is there now
        return await database.transaction(work)


async def lease(database: Database, racer: int) -> int:
    """Lease what is due; answer how many jobs that was."""

    async def work(transaction: Transaction) -> int:
        return len(await outbox.lease(transaction, lease=f"lease {racer}", term=MINUTE, most=16))

    return await database.transaction(work)


async def end_session(database: Database, racer: int) -> bool:
    async def work(transaction: Transaction) -> bool:
        return await sessions.end(transaction, SESSION_ID)

    return await database.transaction(work)


def _race_here(url: str, ask: Ask, process: int) -> list[Any]:
    async def run() -> list[Any]:
        database = open_database(url, Clock())
        database.trail = Trail("kid", b"secret", Clock().microseconds)
        wait_for_the_others()
        try:
            return await asyncio.gather(*(ask(database, process * TASKS + number) for number in range(TASKS)))
        finally:
            await database.close()

    return asyncio.run(run())


def _make_keys_here(url: str, secret_key: str) -> None:
    async def run() -> None:
        database = open_database(url, Clock())
        wait_for_the_others()
        try:
            await make_first_keys(database, Roots.derive(secret_key, None))
        finally:
            await database.close()

    asyncio.run(run())


def make_keys_everywhere(pool: Executor, url: str, secret_key: str) -> None:
    """Make the first keys in four processes at once."""
    runs = [pool.submit(_make_keys_here, url, secret_key) for _ in range(PROCESSES)]
    for run in runs:
        run.result(timeout=60)


def race_everywhere(pool: Executor, url: str, ask: Ask) -> list[Any]:
    """Ask 60 times in parallel in each of four processes and return all 240 answers."""
    return in_every_process(pool, _race_here, url, ask)
