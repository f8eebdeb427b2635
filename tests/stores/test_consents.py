"""Consent in the store: remembered by client and resource, and taken back with all that grew from it."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tests.stores.durable_rows import (
    ACCOUNT_ID,
    CLIENT,
    CODE,
    FAMILY_ID,
    GRANT_ID,
    MINUTE,
    SESSION_ID,
    YEAR,
    add_family,
    add_session,
)
from watchword.database import Database, Statement, Transaction, accounts, clients, consents, grants, sessions
from watchword.protocol.interaction import Consent

OTHER_ACCOUNT, OTHER_SESSION = UUID(int=11), UUID(int=12)
_SIGNED_OUT_LONG_AGO = Statement("DELETE FROM session WHERE id = :id")
_LIVE_GRANTS = Statement("SELECT id FROM authorization_grant WHERE revoked_at IS NULL")
_LIVE_FAMILIES = Statement("SELECT id FROM refresh_family WHERE revoked_at IS NULL")


async def give(
    transaction: Transaction,
    *words: str,
    client_id: str = CLIENT.id,
    account_id: UUID = ACCOUNT_ID,
    resource: str = "",
) -> None:
    await consents.put(
        transaction, uuid4(), account_id=account_id, client_id=client_id, resource=resource, scopes=frozenset(words)
    )


async def take_back(database: Database, client_id: str = CLIENT.id) -> int | None:
    """How many grants ended with it; None when nothing was allowed."""

    async def work(transaction: Transaction) -> int | None:
        if not await consents.remove(transaction, account_id=ACCOUNT_ID, client_id=client_id):
            return None
        return await consents.revoke_grants(transaction, account_id=ACCOUNT_ID, client_id=client_id)

    return await database.transaction(work)


async def live(database: Database, statement: Statement) -> set[UUID]:
    return {UUID(row["id"]) for row in await database.all(statement)}


@pytest.mark.parametrize("in_a_session", [True, False])
async def test_what_is_taken_back_ends_grants_in_a_session_and_those_that_outlived_theirs(
    database: Database, in_a_session: bool
) -> None:
    async def begin(transaction: Transaction) -> None:
        await add_family(transaction)
        await give(transaction, "openid", "email")
        if not in_a_session:
            await transaction.execute(_SIGNED_OUT_LONG_AGO, id=SESSION_ID)

    await database.transaction(begin)
    assert await live(database, _LIVE_FAMILIES) == {FAMILY_ID}
    assert await take_back(database) == 1
    assert await live(database, _LIVE_GRANTS) == await live(database, _LIVE_FAMILIES) == set()
    assert await consents.find(database, account_id=ACCOUNT_ID, client_id=CLIENT.id) == Consent()
    assert await take_back(database) is None


async def test_other_clients_and_other_people_keep_what_is_theirs(database: Database) -> None:
    others = {"client": UUID(int=21), "person": UUID(int=22)}

    async def begin(transaction: Transaction) -> None:
        await add_family(transaction)
        await clients.add(transaction, replace(CLIENT, id="other"), registered_by="operator")
        await accounts.add(transaction, OTHER_ACCOUNT, profile={})
        await sessions.put(
            transaction, OTHER_SESSION, renew=False, token_hash=b"t", account_id=OTHER_ACCOUNT, origin=b"o",
            amr=("otp",), lifetime=YEAR, user_agent="", address="",
        )  # fmt: skip
        of_client = replace(CODE, client_id="other")
        of_person = replace(CODE, account_id=OTHER_ACCOUNT, session_id=OTHER_SESSION)
        await grants.add(transaction, others["client"], of_client, code_hash=b"1")
        await grants.add(transaction, others["person"], of_person, code_hash=b"2")
        for code, code_hash in ((CODE, b"3"), (of_client, b"4"), (of_person, b"5")):
            await grants.add_code(transaction, code_hash, code, lifetime=MINUTE)
        await give(transaction, "openid")
        await give(transaction, "openid", client_id="other")
        await give(transaction, "openid", account_id=OTHER_ACCOUNT)

    await database.transaction(begin)
    assert await take_back(database) == 1
    assert await live(database, _LIVE_GRANTS) == set(others.values())
    kept = await database.all(Statement("SELECT hash FROM authorization_code"))
    assert {row["hash"] for row in kept} == {b"4", b"5"}
    [remaining] = await consents.of_account(database, ACCOUNT_ID)
    assert (remaining.client_id, remaining.words) == ("other", ("openid",))
    assert await consents.find(database, account_id=OTHER_ACCOUNT, client_id=CLIENT.id) != Consent()


async def test_a_grant_that_is_over_already_is_not_counted_again(database: Database) -> None:
    async def begin(transaction: Transaction) -> None:
        await add_family(transaction)
        await give(transaction, "openid")
        await grants.revoke(transaction, GRANT_ID)

    await database.transaction(begin)
    assert await take_back(database) == 0


async def test_no_code_becomes_a_grant_behind_the_back_of_who_takes_the_consent_back(database: Database) -> None:
    """Sixty clients redeem a code each while the consent is taken back: no grant of theirs is left alive."""
    names = [f"client{number}" for number in range(60)]

    async def begin(transaction: Transaction) -> None:
        await add_session(transaction)
        for name in names:
            await clients.add(transaction, replace(CLIENT, id=name, first_party=False), registered_by="operator")
            await grants.add_code(transaction, name.encode(), replace(CODE, client_id=name), lifetime=MINUTE)
            await give(transaction, "openid", client_id=name)

    async def redeem(name: str) -> bool:
        async def work(transaction: Transaction) -> bool:
            code = await grants.redeem_code(
                transaction, name.encode(), client_id=name, redirect_uri=CODE.redirect_uri,
                code_challenge=CODE.code_challenge,
            )  # fmt: skip
            if code is None:
                return False
            await grants.add(transaction, uuid4(), code, code_hash=name.encode())
            return True

        return await database.transaction(work)

    await database.transaction(begin)
    redeemed, ended, late = await asyncio.gather(
        asyncio.gather(*map(redeem, names[:30])),
        asyncio.gather(*(take_back(database, name) for name in names)),
        asyncio.gather(*map(redeem, names[30:])),
    )
    assert None not in ended
    assert sum(redeemed) + sum(late) == sum(filter(None, ended))
    assert await live(database, _LIVE_GRANTS) == set()


async def add_words(database: Database, word: str, *resources: str) -> None:
    async def work(transaction: Transaction) -> None:
        before = await consents.find_to_add(transaction, account_id=ACCOUNT_ID, client_id=CLIENT.id)
        for resource in ("", *sorted(resources)):
            await give(transaction, word, *before.scopes.get(resource, ()), resource=resource)

    await database.transaction(work)


async def test_of_many_first_yeses_at_once_none_is_lost(database: Database) -> None:
    await database.transaction(add_session)
    words = {f"word{number}" for number in range(60)}
    await asyncio.gather(*(add_words(database, word) for word in words))
    everything = await consents.find(database, account_id=ACCOUNT_ID, client_id=CLIENT.id)
    assert everything.scopes == {"": words}


async def test_who_takes_back_misses_nothing_that_is_added_meanwhile_and_nobody_waits_in_vain(
    database: Database,
) -> None:
    """Yeses to several resources and their end, sixty at once: all are answered, and each end is one of everything."""

    async def end() -> bool:
        async def work(transaction: Transaction) -> bool:
            await consents.remove(transaction, account_id=ACCOUNT_ID, client_id=CLIENT.id)
            return await consents.find_to_add(transaction, account_id=ACCOUNT_ID, client_id=CLIENT.id) == Consent()

        return await database.transaction(work)

    async def add(number: int) -> bool:
        await add_words(database, f"word{number}", *("a", "b", "c")[number % 3 :])
        return True

    await database.transaction(add_session)
    answers = await asyncio.gather(*(end() if number % 2 else add(number) for number in range(60)))
    assert answers == [True] * 60


async def test_who_adds_to_a_consent_brings_nothing_back_that_was_taken_back(database: Database) -> None:
    async def begin(transaction: Transaction) -> None:
        await add_session(transaction)
        await give(transaction, "openid", "email")

    async def add(word: str) -> None:
        await add_words(database, word)

    await database.transaction(begin)
    words = [f"word{number}" for number in range(30)]
    await asyncio.gather(*map(add, words))
    everything = await consents.find(database, account_id=ACCOUNT_ID, client_id=CLIENT.id)
    assert everything.scopes == {"": {"openid", "email", *words}}
    await asyncio.gather(take_back(database), *(add("late") for _ in range(30)))
    left = await consents.find(database, account_id=ACCOUNT_ID, client_id=CLIENT.id)
    assert left.scopes.get("", frozenset()) <= {"late"}
