"""Secrets of clients: however many rotate at once, one secret is current and at most one lives beside it."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.stores.durable_rows import CLIENT
from watchword.database import Database, Transaction, client_secrets, clients
from watchword.protocol.digests import fingerprint

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
async def client(database: Database) -> None:
    async def work(transaction: Transaction) -> None:
        await clients.add(transaction, CLIENT, registered_by="operator")
        await clients.add_secret(transaction, uuid4(), CLIENT.id, secret_hash=fingerprint("0"), expires_at=None)

    await database.transaction(work)


async def rotate(database: Database, secret: str, overlap: timedelta = DAY, client_id: str = CLIENT.id) -> bool:
    async def work(transaction: Transaction) -> bool:
        return await client_secrets.rotate(
            transaction, uuid4(), client_id, secret_hash=fingerprint(secret), overlap=overlap
        )

    return await database.transaction(work)


async def test_the_current_secret_expires_and_the_one_before_it_is_gone(database: Database) -> None:
    for secret in ("1", "2"):
        assert await rotate(database, secret)
    found = {secret.hash: secret.expires_at for secret in await clients.secrets_of(database, CLIENT.id)}
    assert found.keys() == {fingerprint("1"), fingerprint("2")}
    assert found[fingerprint("1")] is not None
    assert found[fingerprint("2")] is None


async def test_of_many_rotations_at_once_two_secrets_remain(database: Database) -> None:
    assert await asyncio.gather(*(rotate(database, str(number)) for number in range(1, 21))) == [True] * 20
    left = await clients.secrets_of(database, CLIENT.id)
    assert sorted(secret.expires_at is None for secret in left) == [False, True]


async def test_a_client_that_is_gone_or_unknown_gets_no_secret(database: Database) -> None:
    await database.transaction(lambda transaction: clients.remove(transaction, CLIENT.id))
    assert not await rotate(database, "1")
    assert not await rotate(database, "1", client_id="c_unknown")
    assert [secret.hash for secret in await clients.secrets_of(database, CLIENT.id)] == [fingerprint("0")]
