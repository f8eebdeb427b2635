"""Access tokens revoked alone: seen by whatever reads what stands behind a token, forgotten once they are expired."""

from datetime import datetime, timedelta

from tests.stores.durable_rows import ACCOUNT_ID, CLIENT, GRANT_ID, LONG_AGO, MINUTE, add_grant
from watchword.clock import Clock
from watchword.database import Database, Transaction, accounts, bounds, clients, grants, revoked_tokens
from watchword.database.bounds import BOUNDS

ONE, TWO = "jti-one", "jti-two"


async def revoke(database: Database, jti: str, expires_at: datetime = LONG_AGO) -> bool:
    return await database.transaction(lambda transaction: revoked_tokens.add(transaction, jti, expires_at=expires_at))


async def seen_live(database: Database, jti: str) -> list[bool]:
    """What each of the three that accept access tokens says of one."""
    return [
        await accounts.behind_token(database, str(GRANT_ID), jti=jti) is not None,
        await grants.amr_while_live(database, str(GRANT_ID), jti=jti) is not None,
        await revoked_tokens.is_client_live(database, CLIENT.id, jti=jti),
    ]


async def test_a_token_is_revoked_once_and_no_other_with_it(database: Database) -> None:
    await database.transaction(add_grant)
    assert await seen_live(database, ONE) == [True, True, True]
    assert await revoke(database, ONE)
    assert not await revoke(database, ONE)
    assert await seen_live(database, ONE) == [False, False, False]
    assert await seen_live(database, TWO) == [True, True, True]


async def test_whatever_ends_first_ends_it(database: Database) -> None:
    await database.transaction(add_grant)
    await database.transaction(lambda transaction: grants.revoke(transaction, GRANT_ID))
    assert await seen_live(database, TWO) == [False, False, True]
    await database.transaction(lambda transaction: clients.remove(transaction, CLIENT.id))
    assert await seen_live(database, TWO) == [False, False, False]


async def test_a_revoked_token_is_kept_until_an_hour_after_its_expiry(database: Database, clock: Clock) -> None:
    await revoke(database, ONE, clock.now() + 15 * MINUTE)

    async def purge(transaction: Transaction) -> int:
        return await bounds.forget(transaction, BOUNDS["revoked tokens"], most=500)

    clock.offset = timedelta(minutes=74)
    assert await database.transaction(purge) == 0
    clock.offset = timedelta(minutes=76)
    assert await database.transaction(purge) == 1


async def test_the_times_of_a_look_at_a_store_are_the_stores_own(database: Database, clock: Clock) -> None:
    """A node whose clock is wrong judges nothing by it."""
    await database.transaction(add_grant)
    clock.offset = timedelta(hours=1)
    spent = await grants.find_spent_code(database, b"hash of the code")
    assert spent is not None
    assert timedelta(hours=1) <= spent.read_at - spent.redeemed_at < timedelta(hours=1, minutes=1)


async def test_what_is_known_of_an_account_is_read_by_itself_for_an_id_token(database: Database) -> None:
    await database.transaction(add_grant)
    known = await accounts.claims_of(database, ACCOUNT_ID)
    assert known.keys() == {"updated_at"}
    assert await accounts.claims_of(database, GRANT_ID) == {}
