"""Transactions of the durable store: what they share, what each may spoil, and what nobody may leave half done."""

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.stores.conftest import ALL_KINDS
from tests.stores.write_ahead_log import commits
from watchword.clock import Clock, from_microseconds
from watchword.database import (
    Conflict,
    Database,
    Overtaken,
    Statement,
    StoreUnavailable,
    Transaction,
    accounts,
    open_database,
)
from watchword.database import store as store_row

_ADD = Statement(
    "INSERT INTO account (id, status, profile, created_at, updated_at) VALUES (:id, 'active', '{}', :now, :now)"
)
_COUNT = Statement("SELECT COUNT(*) AS accounts FROM account")
_CREATED = Statement("SELECT created_at FROM account WHERE id = :id")
_NEXT_EPOCH = Statement("UPDATE store SET restore_epoch = restore_epoch + 1 WHERE id = :id")
_TOUCH = Statement("UPDATE account SET updated_at = :now WHERE id = :id")
_BROKEN = Statement("SELECT nonsense FROM account")
_UNREFERENCED = Statement(
    """INSERT INTO identifier (id, account_id, kind, value, display, verified_at, created_at)
    VALUES ('id', 'nobody', 'email', 'a@b.example', '', :now, :now)"""
)


@pytest.fixture(params=ALL_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def add_account(transaction: Transaction) -> UUID:
    account_id = uuid4()
    await accounts.add(transaction, account_id, profile={})
    return account_id


async def add_two_and_fail(transaction: Transaction) -> None:
    await add_account(transaction)
    await add_account(transaction)
    raise LookupError("second thoughts")


async def claim_address(transaction: Transaction) -> None:
    account_id = await add_account(transaction)
    await accounts.add_identifier(
        transaction, uuid4(), account_id, kind="email", value="ada@example.org", display="ada@example.org"
    )


async def how_many(database: Database) -> int:
    row = await database.one(_COUNT)
    assert row is not None
    count: int = row["accounts"]
    return count


async def test_a_transaction_answers_what_its_work_returned_after_the_commit(database: Database) -> None:
    account_id = await database.transaction(add_account)
    found = await accounts.show(database, account_id)
    assert found is not None
    assert found["id"] == str(account_id)


async def test_60_transactions_of_one_turn_of_the_loop_share_one_commit(embedded: Database, file: Path) -> None:
    await embedded.transaction(add_account)
    before = commits(file)
    await asyncio.gather(*(embedded.transaction(add_account) for _ in range(60)))
    assert commits(file) == before + 1
    assert await how_many(embedded) == 61


async def test_work_that_raises_leaves_no_trace_and_spoils_no_other(database: Database) -> None:
    before, failed, after = await asyncio.gather(
        database.transaction(add_account),
        database.transaction(add_two_and_fail),
        database.transaction(add_account),
        return_exceptions=True,
    )
    assert isinstance(failed, LookupError)
    assert {type(before), type(after)} == {UUID}
    assert await how_many(database) == 2


async def test_a_unique_value_that_is_there_already_is_a_conflict_and_leaves_no_trace(database: Database) -> None:
    answers = await asyncio.gather(
        database.transaction(claim_address), database.transaction(claim_address), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "NoneType"]
    assert await how_many(database) == 1


async def test_work_that_keeps_quiet_about_a_conflict_is_told_again_and_leaves_no_trace(database: Database) -> None:
    account_id = await database.transaction(add_account)

    async def add_again(transaction: Transaction) -> None:
        await add_account(transaction)
        with contextlib.suppress(Conflict):
            await transaction.execute(_ADD, id=account_id)

    async def go_on(transaction: Transaction) -> None:
        await add_again(transaction)
        await transaction.one(_COUNT)

    for work in (add_again, go_on):
        with pytest.raises(Conflict):
            await database.transaction(work)
    assert await how_many(database) == 1


async def test_a_reference_to_nothing_is_refused_and_leaves_no_trace(database: Database) -> None:
    async def refer_to_nobody(transaction: Transaction) -> None:
        await add_account(transaction)
        await transaction.execute(_UNREFERENCED)

    with pytest.raises(Exception, match=r"(?i)foreign key") as refused:
        await database.transaction(refer_to_nobody)
    assert not isinstance(refused.value, Conflict | StoreUnavailable)
    assert await how_many(database) == 0


async def test_a_statement_that_cannot_be_prepared_fails_its_own_work_only(database: Database) -> None:
    async def misspell(transaction: Transaction) -> None:
        await add_account(transaction)
        await transaction.one(_BROKEN)

    failed, fine = await asyncio.gather(
        database.transaction(misspell), database.transaction(add_account), return_exceptions=True
    )
    assert "nonsense" in str(failed)
    assert isinstance(fine, UUID)
    assert await how_many(database) == 1


async def test_work_that_awaits_something_foreign_is_refused_and_leaves_no_trace(embedded: Database) -> None:
    async def rest(transaction: Transaction) -> None:
        await add_account(transaction)
        await asyncio.sleep(0)
        await add_account(transaction)

    with pytest.raises(RuntimeError, match="await nothing but its transaction"):
        await embedded.transaction(rest)
    assert await how_many(embedded) == 0


async def test_a_transaction_inside_a_transaction_is_refused_and_never_run(embedded: Database) -> None:
    async def nest(transaction: Transaction) -> None:
        await add_account(transaction)
        await embedded.transaction(add_account)

    with pytest.raises(RuntimeError, match="await nothing but its transaction"):
        await embedded.transaction(nest)
    await embedded.transaction(store_row.prepare)  # whatever was queued before it has run by now
    assert await how_many(embedded) == 0


async def test_a_caller_that_is_cancelled_before_its_turn_leaves_no_trace(database: Database) -> None:
    impatient = asyncio.create_task(database.transaction(add_account))
    patient = asyncio.create_task(database.transaction(add_account))
    asyncio.get_running_loop().call_soon(impatient.cancel)  # after the tasks queued their work, before its turn
    assert isinstance(await patient, UUID)
    assert impatient.cancelled()
    assert await how_many(database) == 1


async def test_work_that_stops_the_program_fails_the_group_and_leaves_no_trace(embedded: Database) -> None:
    class Stop(BaseException):
        """What is no `Exception`, such as the signal that ends a program."""

    async def stop(transaction: Transaction) -> None:
        await add_account(transaction)
        raise Stop

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # it would report what the work raised
    answers = await asyncio.gather(
        embedded.transaction(add_account), embedded.transaction(stop), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [StoreUnavailable, StoreUnavailable]
    assert isinstance(await embedded.transaction(add_account), UUID)
    assert await how_many(embedded) == 1


async def test_close_finishes_what_is_queued_and_refuses_what_comes_later(url: str, clock: Clock) -> None:
    database = open_database(url, clock)
    queued = asyncio.create_task(database.transaction(add_account))
    await asyncio.sleep(0)
    await database.close()
    assert isinstance(await queued, UUID)
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.transaction(add_account)
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.one(_COUNT)
    await database.close()


async def test_now_is_the_clock_with_its_offset_in_microseconds(database: Database, clock: Clock) -> None:
    before = clock.now()
    clock.offset = timedelta(days=365, microseconds=1)
    account_id = await database.transaction(add_account)
    row = await database.one(_CREATED, id=account_id)
    assert row is not None
    assert before + clock.offset <= from_microseconds(row["created_at"]) <= clock.now()


async def test_statements_are_counted(database: Database) -> None:
    before = database.statements
    await database.transaction(claim_address)
    await how_many(database)
    assert database.statements == before + 3


async def settle_with_two_more(transaction: Transaction, store_id: int) -> None:
    await add_account(transaction)
    await add_account(transaction)
    await transaction.settle(_NEXT_EPOCH, id=store_id)


async def test_the_change_that_settles_commits_what_was_inserted_before_it(database: Database) -> None:
    await database.transaction(store_row.prepare)
    await database.transaction(lambda transaction: settle_with_two_more(transaction, 1))
    assert await how_many(database) == 2


@pytest.mark.parametrize("settling", ["by itself", "after its inserts"])
async def test_a_change_that_finds_no_row_leaves_no_trace(database: Database, settling: str) -> None:
    async def work(transaction: Transaction) -> None:
        if settling == "by itself":
            await settle_with_two_more(transaction, 2)
        else:  # it looks at the table that they are in
            await add_account(transaction)
            await transaction.settle(_TOUCH, id=uuid4())

    async def keep_quiet(transaction: Transaction) -> None:
        with contextlib.suppress(Overtaken):
            await work(transaction)

    for each in (work, keep_quiet):
        with pytest.raises(Overtaken):
            await database.transaction(each)
    assert await how_many(database) == 0


async def test_what_settles_may_come_with_something_unique_that_is_there_already(database: Database) -> None:
    account_id = await database.transaction(add_account)

    async def add_again(transaction: Transaction) -> None:
        await accounts.add(transaction, account_id, profile={})
        await transaction.settle(_TOUCH, id=account_id)

    with pytest.raises(Conflict):
        await database.transaction(add_again)
    assert await how_many(database) == 1
