"""Codes, grants and families in the store: every condition stands in the statement that changes the row."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.stores.durable_rows import (
    ACCOUNT_ID,
    CLIENT,
    CODE,
    CODE_HASH,
    FAMILY_ID,
    GRANT_ID,
    MINUTE,
    SESSION_ID,
    add_code,
    add_family,
    add_grant,
    add_session,
)
from watchword.clock import Clock
from watchword.database import (
    Conflict,
    Database,
    Overtaken,
    Statement,
    Transaction,
    accounts,
    clients,
    grants,
    open_database,
    refresh_families,
    sessions,
)
from watchword.protocol.digests import fingerprint

Work = Callable[[Transaction], Awaitable[Any]]

ENDINGS: dict[str, Work] = {
    "the account is disabled": lambda transaction: accounts.set_status(transaction, ACCOUNT_ID, "disabled"),
    "the client is removed": lambda transaction: clients.remove(transaction, CLIENT.id),
}


async def redeem(database: Database, **wrong: Any) -> bool:
    right: dict[str, Any] = {
        "client_id": CODE.client_id,
        "redirect_uri": CODE.redirect_uri,
        "code_challenge": CODE.code_challenge,
    }

    async def work(transaction: Transaction) -> bool:
        return await grants.redeem_code(transaction, CODE_HASH, **right | wrong) == CODE

    return await database.transaction(work)


async def rotate(database: Database) -> bool:
    async def work(transaction: Transaction) -> None:
        family = await refresh_families.find(transaction, FAMILY_ID)
        assert family is not None
        await refresh_families.rotate(transaction, family, successor=family.generation + 1, idle=60 * MINUTE)

    try:
        await database.transaction(work)
    except Overtaken:
        return False
    return True


async def is_alive(database: Database) -> bool:
    family = await refresh_families.find(database, FAMILY_ID)
    assert family is not None
    return family.alive


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "another"},
        {"redirect_uri": f"{CODE.redirect_uri}/"},
        {"code_challenge": "another"},
        {"code_challenge": None},
    ],
)
async def test_a_wrong_client_redirect_uri_or_verifier_consumes_nothing(
    database: Database, wrong: dict[str, Any]
) -> None:
    await database.transaction(add_code)
    assert not await redeem(database, **wrong)
    assert await redeem(database)
    assert not await redeem(database)


async def test_a_code_bound_to_no_challenge_is_redeemed_without_a_verifier_only(database: Database) -> None:
    await database.transaction(add_session)
    unbound = replace(CODE, code_challenge=None)
    await database.transaction(lambda transaction: grants.add_code(transaction, CODE_HASH, unbound, lifetime=MINUTE))
    assert not await redeem(database, code_challenge="challenge")
    assert await redeem(database, code_challenge=None) is False  # not CODE, but redeemed
    assert not await redeem(database, code_challenge=None)


async def test_a_code_is_gone_once_it_was_redeemed_and_its_grant_tells_what_it_became(database: Database) -> None:
    await database.transaction(add_code)
    assert await grants.find_spent_code(database, CODE_HASH) is None

    async def work(transaction: Transaction) -> None:
        right: dict[str, Any] = {
            "client_id": CODE.client_id,
            "redirect_uri": CODE.redirect_uri,
            "code_challenge": CODE.code_challenge,
        }
        code = await grants.redeem_code(transaction, CODE_HASH, **right)
        assert code is not None
        await grants.add(transaction, GRANT_ID, code, code_hash=CODE_HASH)

    await database.transaction(work)
    assert await database.all(Statement("SELECT 1 FROM authorization_code")) == []
    spent = await grants.find_spent_code(database, CODE_HASH)
    assert spent is not None
    assert (spent.grant_id, spent.client_id) == (GRANT_ID, CODE.client_id)
    assert spent.bound_to == fingerprint("challenge")


async def test_a_code_makes_one_grant(database: Database) -> None:
    await database.transaction(add_grant)
    with pytest.raises(Conflict):
        await database.transaction(lambda transaction: grants.add(transaction, FAMILY_ID, CODE, code_hash=CODE_HASH))


async def test_a_code_expires_by_the_stores_clock(database: Database, clock: Clock) -> None:
    await database.transaction(add_code)
    clock.offset = timedelta(seconds=60)
    assert not await redeem(database)
    clock.offset = timedelta(seconds=50)
    assert await redeem(database)


@pytest.mark.parametrize("ending", sorted(ENDINGS))
async def test_no_code_is_redeemed_once(database: Database, ending: str) -> None:
    await database.transaction(add_code)
    await database.transaction(ENDINGS[ending])
    assert not await redeem(database)


async def test_no_code_is_redeemed_once_its_session_ended(database: Database) -> None:
    await database.transaction(add_code)
    await database.transaction(lambda transaction: sessions.end(transaction, SESSION_ID))
    assert not await redeem(database)


@pytest.mark.parametrize("ending", sorted(ENDINGS))
async def test_a_family_is_dead_and_does_not_rotate_once(database: Database, ending: str) -> None:
    await database.transaction(add_family)
    assert await rotate(database)
    await database.transaction(ENDINGS[ending])
    assert not await is_alive(database)
    assert not await rotate(database)


async def test_a_family_is_dead_once_its_grant_is_revoked(database: Database) -> None:
    await database.transaction(add_family)
    assert await database.transaction(lambda transaction: grants.revoke(transaction, GRANT_ID))
    assert not await database.transaction(lambda transaction: grants.revoke(transaction, GRANT_ID))
    assert not await is_alive(database)
    assert not await rotate(database)


async def test_a_family_lives_from_one_rotation_to_the_next_but_not_beyond_its_lifetime(
    database: Database, clock: Clock
) -> None:
    await database.transaction(add_family)
    for minutes in (50, 100):
        clock.offset = timedelta(minutes=minutes)
        assert await rotate(database)
    clock.offset = timedelta(minutes=121)  # used 21 minutes ago, but begun more than two hours ago
    assert not await is_alive(database)
    assert not await rotate(database)


async def test_a_family_that_rests_too_long_is_dead(database: Database, clock: Clock) -> None:
    await database.transaction(add_family)
    clock.offset = timedelta(minutes=61)
    assert not await is_alive(database)
    assert not await rotate(database)


@pytest.mark.parametrize(
    ("scope", "spared"),
    [
        (("offline_access",), True),
        (("openid", "offline_access", "email"), True),
        (("openid",), False),
        (("offline-access",), False),
        (("OFFLINE_ACCESS",), False),
        (("offline_access_more",), False),
    ],
)
async def test_signing_out_at_a_client_spares_grants_with_exactly_offline_access(
    database: Database, scope: tuple[str, ...], spared: bool
) -> None:
    async def work(transaction: Transaction) -> int:
        await add_session(transaction)
        await grants.add(transaction, GRANT_ID, replace(CODE, scope=scope), code_hash=CODE_HASH)
        return await grants.revoke_of_session(transaction, SESSION_ID, spare_offline=True)

    assert await database.transaction(work) == (0 if spared else 1)


async def test_ending_a_session_spares_nothing_and_kills_its_refresh_tokens(database: Database) -> None:
    await database.transaction(add_family)

    async def work(transaction: Transaction) -> int:
        return await grants.revoke_of_session(transaction, SESSION_ID, spare_offline=False)

    assert await database.transaction(work) == 1
    assert await database.transaction(work) == 0
    assert not await is_alive(database)


WAITING = Statement("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@pytest.mark.parametrize("kind", ["postgresql"])  # elsewhere writers take turns
async def test_a_code_redeemed_while_its_session_ends_leaves_no_grant_alive(
    database: Database, url: str, clock: Clock
) -> None:
    await database.transaction(add_code)
    other, looking = open_database(url, clock), open_database(url, clock)

    async def end(transaction: Transaction) -> None:
        assert await sessions.end(transaction, SESSION_ID)
        await grants.revoke_of_session(transaction, SESSION_ID, spare_offline=False)

    async def redeem_slowly(transaction: Transaction) -> "asyncio.Task[None]":
        right: dict[str, Any] = {"redirect_uri": CODE.redirect_uri, "code_challenge": CODE.code_challenge}
        assert await grants.redeem_code(transaction, CODE_HASH, client_id=CODE.client_id, **right)
        ending = asyncio.create_task(other.transaction(end))
        while not ending.done() and await looking.one(WAITING) is None:
            pass
        await grants.add(transaction, GRANT_ID, CODE, code_hash=CODE_HASH)
        return ending

    await (await database.transaction(redeem_slowly))
    assert await grants.amr_while_live(database, str(GRANT_ID), jti="j") is None
    await other.close()
    await looking.close()
