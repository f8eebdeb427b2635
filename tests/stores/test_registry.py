"""The registry: clients and resources in memory, at most five seconds stale, and never a stale no."""

from dataclasses import replace
from uuid import uuid4

import pytest

from tests.stores.durable_rows import CLIENT
from tests.stores.movable_clock import TICK, MovableClock
from watchword.database import Database, Transaction, clients
from watchword.protocol.client import Client
from watchword.protocol.resource import Resource
from watchword.registry import FRESH, Registry

NOTES = Resource("https://notes.example/api", frozenset({"notes:read"}))


@pytest.fixture
def now() -> MovableClock:
    return MovableClock()


@pytest.fixture
def registry(database: Database, now: MovableClock) -> Registry:
    return Registry(database, now)


async def register(database: Database, client: Client = CLIENT) -> None:
    async def work(transaction: Transaction) -> None:
        await clients.add(transaction, client, registered_by="operator")
        await clients.add_secret(transaction, uuid4(), client.id, secret_hash=b"hash", expires_at=None)

    await database.transaction(work)


async def remove(database: Database) -> None:
    assert await database.transaction(lambda transaction: clients.remove(transaction, CLIENT.id))


async def put(database: Database, resource: Resource) -> None:
    await database.transaction(lambda transaction: clients.put_resource(transaction, resource))


async def test_a_client_is_read_once_in_five_seconds(database: Database, registry: Registry, now: MovableClock) -> None:
    await register(database)
    client = await registry.client(CLIENT.id)
    assert client is not None
    assert (client.name, [secret.hash for secret in client.secrets]) == (CLIENT.name, [b"hash"])
    now.advance(FRESH - TICK)
    before = database.statements
    assert await registry.client(CLIENT.id) is client
    assert database.statements == before
    now.advance(TICK)
    assert await registry.client(CLIENT.id) == client
    assert database.statements == before + 2


async def test_a_removed_client_is_unknown_after_five_seconds(
    database: Database, registry: Registry, now: MovableClock
) -> None:
    await register(database)
    assert await registry.client(CLIENT.id) is not None
    await remove(database)
    assert await registry.client(CLIENT.id) is not None
    now.advance(FRESH)
    assert await registry.client(CLIENT.id) is None


async def test_a_clock_that_was_set_back_makes_nothing_fresh(
    database: Database, registry: Registry, now: MovableClock
) -> None:
    await register(database)
    assert await registry.client(CLIENT.id) is not None
    await remove(database)
    now.advance(-FRESH)
    assert await registry.client(CLIENT.id) is None


async def test_a_client_registered_elsewhere_works_at_its_first_use(database: Database, registry: Registry) -> None:
    assert await registry.client(CLIENT.id) is None
    await register(database)
    assert await registry.client(CLIENT.id) is not None


async def test_an_identifier_no_client_can_have_costs_no_statement(database: Database, registry: Registry) -> None:
    before = database.statements
    assert await registry.client("x" * 101) is None
    assert database.statements == before


async def test_many_clients_do_not_grow_memory_without_end(
    database: Database, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchword.registry._MOST_CLIENTS", 2)
    for name in ("a", "b", "c"):
        await register(database, replace(CLIENT, id=name))
        assert await registry.client(name) is not None
    before = database.statements
    assert await registry.client("c") is not None
    assert database.statements == before
    assert await registry.client("a") is not None
    assert database.statements == before + 2


async def test_resources_are_read_once_in_five_seconds(
    database: Database, registry: Registry, now: MovableClock
) -> None:
    assert await registry.resources() == {}
    await put(database, NOTES)
    now.advance(FRESH - TICK)
    before = database.statements
    assert await registry.resources() == {}
    assert database.statements == before
    now.advance(TICK)
    assert await registry.resources() == {NOTES.audience: NOTES}
    assert database.statements == before + 1


async def test_a_resource_that_is_registered_again_is_changed(
    database: Database, registry: Registry, now: MovableClock
) -> None:
    await put(database, NOTES)
    changed = replace(NOTES, scopes=frozenset({"notes:read", "notes:write"}), lifetime=300, opaque=True)
    await put(database, changed)
    assert await registry.resources() == {NOTES.audience: changed}


async def test_a_resource_that_is_named_and_not_in_memory_is_looked_up_at_once(
    database: Database, registry: Registry
) -> None:
    assert await registry.resources() == {}
    await put(database, NOTES)
    assert await registry.resources([NOTES.audience]) == {NOTES.audience: NOTES}
    before = database.statements
    assert await registry.resources([NOTES.audience]) == {NOTES.audience: NOTES}
    assert database.statements == before
