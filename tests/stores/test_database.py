"""Transactions of the durable store: what they share, what each may spoil, and what nobody may leave half done."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.stores.write_ahead_log import commits
from watchword.clock import Clock, from_microseconds
from watchword.database import Conflict, Database, Statement, StoreUnavailable, Transaction, accounts, open_database
from watchword.database import store as store_row

_COUNT = Statement("SELECT COUNT(*) AS accounts FROM account")
_CREATED = Statement("SELECT created_at FROM account WHERE id = :id")
_BROKEN = Statement("SELECT nonsense FROM account")
_UNREFERENCED = Statement(
    """INSERT INTO identifier (id, account_id, kind, value, display, verified_at, created_at)
    VALUES ('id', 'nobody', 'email', 'a@b.example', '', :now, :now)"""
)


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


async def test_60_transactions_of_one_turn_of_the_loop_share_one_commit(database: Database, file: Path) -> None:
    await database.transaction(add_account)
    before = commits(file)
    await asyncio.gather(*(database.transaction(add_account) for _ in range(60)))
    assert commits(file) == before + 1
    assert await how_many(database) == 61


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
    first, second = await asyncio.gather(
        database.transaction(claim_address), database.transaction(claim_address), return_exceptions=True
    )
    assert first is None
    assert isinstance(second, Conflict)
    assert await how_many(database) == 1


async def test_work_may_catch_a_conflict_and_go_on(database: Database) -> None:
    account_id = await database.transaction(add_account)

    async def add_again(transaction: Transaction) -> UUID:
        with pytest.raises(Conflict):
            await accounts.add(transaction, account_id, profile={})
        return await add_account(transaction)

    assert await database.transaction(add_again) != account_id
    assert await how_many(database) == 2


async def test_a_reference_to_nothing_is_refused_and_leaves_no_trace(database: Database) -> None:
    async def refer_to_nobody(transaction: Transaction) -> None:
        await add_account(transaction)
        await transaction.execute(_UNREFERENCED)

    with pytest.raises(Exception, match="FOREIGN KEY") as refused:
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


async def test_work_that_awaits_something_foreign_is_refused_and_leaves_no_trace(database: Database) -> None:
    async def rest(transaction: Transaction) -> None:
        await add_account(transaction)
        await asyncio.sleep(0)
        await add_account(transaction)

    with pytest.raises(RuntimeError, match="await nothing but its transaction"):
        await database.transaction(rest)
    assert await how_many(database) == 0


async def test_a_transaction_inside_a_transaction_is_refused_and_never_run(database: Database) -> None:
    async def nest(transaction: Transaction) -> None:
        await add_account(transaction)
        await database.transaction(add_account)

    with pytest.raises(RuntimeError, match="await nothing but its transaction"):
        await database.transaction(nest)
    await database.transaction(store_row.prepare)  # whatever was queued before it has run by now
    assert await how_many(database) == 0


async def test_a_caller_that_is_cancelled_before_its_turn_leaves_no_trace(database: Database) -> None:
    impatient = asyncio.create_task(database.transaction(add_account))
    patient = asyncio.create_task(database.transaction(add_account))
    asyncio.get_running_loop().call_soon(impatient.cancel)  # after the tasks queued their work, before its turn
    assert isinstance(await patient, UUID)
    assert impatient.cancelled()
    assert await how_many(database) == 1


async def test_work_that_stops_the_program_fails_the_group_and_leaves_no_trace(database: Database) -> None:
    class Stop(BaseException):
        """What is no `Exception`, such as the signal that ends a program."""

    async def stop(transaction: Transaction) -> None:
        await add_account(transaction)
        raise Stop

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # it would report what the work raised
    answers = await asyncio.gather(
        database.transaction(add_account), database.transaction(stop), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [StoreUnavailable, StoreUnavailable]
    assert isinstance(await database.transaction(add_account), UUID)
    assert await how_many(database) == 1


async def test_close_finishes_what_is_queued_and_refuses_what_comes_later(file: Path, clock: Clock) -> None:
    database = open_database(f"sqlite:///{file}", clock)
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
