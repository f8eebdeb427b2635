"""Single use and single ownership under contention: four processes on one store, 60 tasks in each."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor

import pytest

from tests.stores import durable_racers as racers
from tests.stores.conftest import ALL_KINDS
from tests.stores.durable_racers import TASKS, race_everywhere
from tests.stores.durable_rows import CODE_HASH, FAMILY_ID, add_code, add_family, add_session
from tests.stores.racing import PROCESSES, racing_processes
from tests.support.secrecy import remember_secret
from watchword.database import Database, Statement, Transaction, accounts, grants, keys, refresh_families
from watchword.keys.keyring import KEY_ALGORITHMS, PURPOSES
from watchword.outbox import enqueue

pytestmark = pytest.mark.races

SECRET_KEY = remember_secret("zi0VmFzrSxkTLZFlwcH1YKP8JNyxkXQ4nTzZ")
_ACCOUNTS = Statement("SELECT COUNT(*) AS found FROM account")
_GRANTS = Statement("SELECT id FROM authorization_grant")


@pytest.fixture(params=ALL_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with racing_processes() as pool:
        yield pool


async def test_of_240_redemptions_of_one_code_one_wins(pool: Executor, url: str, database: Database) -> None:
    await database.transaction(add_code)
    answers = race_everywhere(pool, url, racers.redeem_code)
    assert len(answers) == PROCESSES * TASKS
    assert sum(answers) == 1
    spent = await grants.find_spent_code(database, CODE_HASH)
    assert spent is not None
    assert [row["id"] for row in await database.all(_GRANTS)] == [str(spent.grant_id)]


async def test_of_240_rotations_of_one_generation_one_wins(pool: Executor, url: str, database: Database) -> None:
    await database.transaction(add_family)
    assert sum(race_everywhere(pool, url, racers.rotate)) == 1
    family = await refresh_families.find(database, FAMILY_ID)
    assert family is not None
    assert (family.generation, family.alive) == (1, True)


async def test_240_sign_ins_of_one_new_identifier_make_one_account(
    pool: Executor, url: str, database: Database
) -> None:
    account_ids = set(race_everywhere(pool, url, racers.sign_in))
    found = await accounts.find_by_identifier(database, kind=racers.NEWCOMER.kind, value=racers.NEWCOMER.value)
    assert found is not None
    assert account_ids == {found.id}
    row = await database.one(_ACCOUNTS)
    assert row is not None
    assert row["found"] == 1


async def test_of_240_leases_of_one_job_one_holds_it(pool: Executor, url: str, database: Database) -> None:
    await database.transaction(lambda transaction: enqueue(transaction, "send", {"number": 1}))
    assert sum(race_everywhere(pool, url, racers.lease)) == 1
    assert len(await database.all(Statement("SELECT id FROM outbox"))) == 1


async def test_four_processes_that_start_at_once_make_each_key_once(
    pool: Executor, url: str, database: Database
) -> None:
    await asyncio.to_thread(racers.make_keys_everywhere, pool, url, SECRET_KEY)
    found = await keys.signing_keys(database)
    made = [(name, state) for name in KEY_ALGORITHMS for state in ("active", "next")]
    assert sorted((key.algorithm, key.state) for key in found) == sorted(made)
    assert sorted(key.purpose for key in await keys.mac_keys(database)) == sorted(PURPOSES)


async def test_each_of_100_jobs_is_leased_once(pool: Executor, url: str, database: Database) -> None:
    async def order(transaction: Transaction) -> None:
        for number in range(100):
            await enqueue(transaction, "send", {"number": number})

    await database.transaction(order)
    assert sum(race_everywhere(pool, url, racers.lease)) == 100


async def test_of_240_ends_of_one_session_one_ends_it(pool: Executor, url: str, database: Database) -> None:
    await database.transaction(add_session)
    assert sum(race_everywhere(pool, url, racers.end_session)) == 1
