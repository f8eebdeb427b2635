"""Clients that registered themselves and that nobody uses go after a month; all others stay."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from tests.login.opened import opened_services
from tests.stores.durable_rows import ACCOUNT_ID
from watchword.clock import Clock
from watchword.database import Database, Statement, Transaction, accounts, clients, consents
from watchword.housekeeping import forget_unused_clients
from watchword.protocol.client import Client
from watchword.protocol.resource import Resource

MONTH = timedelta(days=30)
NOBODYS = Client(id="nobodys", name="A", redirect_uris=("https://a.example/",))
CLIENT_IDS = Statement("SELECT id FROM client ORDER BY id")
EVENTS = Statement("SELECT client_id, detail FROM audit_event WHERE name = 'client.removed'")


async def register_all_kinds(transaction: Transaction) -> None:
    """One client that nobody uses, and one for each reason to keep it."""
    await accounts.add(transaction, ACCOUNT_ID, profile={})
    await clients.add(transaction, NOBODYS, registered_by="itself")
    await clients.add_secret(transaction, UUID(int=9), NOBODYS.id, secret_hash=b"hash", expires_at=None)
    await clients.add(transaction, replace(NOBODYS, id="agreed-to"), registered_by="itself")
    await consents.put(
        transaction,
        UUID(int=8),
        account_id=ACCOUNT_ID,
        client_id="agreed-to",
        resource="",
        scopes=frozenset({"openid"}),
    )
    await clients.add(transaction, replace(NOBODYS, id="first-party", first_party=True), registered_by="itself")
    grant_types = frozenset({"authorization_code", "client_credentials"})
    await clients.add(transaction, replace(NOBODYS, id="machine", grant_types=grant_types), registered_by="itself")
    await clients.add(transaction, replace(NOBODYS, id="introspects"), registered_by="itself")
    resource = Resource("https://api.example", frozenset({"read"}), client_id="introspects")
    await clients.put_resource(transaction, resource)
    await clients.add(transaction, replace(NOBODYS, id="operators"), registered_by="operator")
    await clients.add(transaction, replace(NOBODYS, id="tokens"), registered_by="token")


async def forget(database: Database, *, most: int = 500) -> list[str]:
    return await database.transaction(lambda transaction: clients.forget_unused(transaction, kept=MONTH, most=most))


async def test_a_client_that_nobody_agreed_to_goes_after_a_month_with_its_secrets(
    database: Database, clock: Clock
) -> None:
    await database.transaction(register_all_kinds)
    before = [row["id"] for row in await database.all(CLIENT_IDS)]
    clock.offset += MONTH - timedelta(seconds=60)
    assert await forget(database) == []
    clock.offset += timedelta(seconds=120)
    assert await forget(database, most=0) == []
    assert await forget(database) == [NOBODYS.id]
    assert [row["id"] for row in await database.all(CLIENT_IDS)] == [name for name in before if name != NOBODYS.id]
    assert await clients.secrets_of(database, NOBODYS.id) == ()
    assert await clients.resources(database) != {}


async def test_housekeeping_forgets_them_and_writes_that_down(tmp_path: Path) -> None:
    async with opened_services(tmp_path) as services:
        await services.database.transaction(register_all_kinds)
        services.clock.offset += MONTH + timedelta(seconds=60)
        await forget_unused_clients(services)
        assert await clients.find(services.database, NOBODYS.id) is None
        (event,) = await services.database.all(EVENTS)
        assert (event["client_id"], event["detail"]) == (NOBODYS.id, '{"removed_by":"disuse"}')
        await forget_unused_clients(services)
        assert len(await services.database.all(EVENTS)) == 1
