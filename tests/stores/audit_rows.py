"""An audit trail to tamper with: keys, events, and what somebody with access to the database alone can do to it."""

from typing import Any
from uuid import UUID

from watchword.clock import Clock
from watchword.database import Database, Statement, Trail, Transaction
from watchword.events import Caller, record
from watchword.events.catalogue.people import SessionEnded
from watchword.events.sealing import seal_waiting
from watchword.events.verification import Report, verify
from watchword.keys.keyring import SecretKeys

KEYS = SecretKeys("new", {"old": b"o" * 32, "new": b"n" * 32})
EVENTS = Statement("SELECT * FROM audit_event ORDER BY id")
SEALS = Statement("SELECT * FROM audit_seal ORDER BY number")


def begin_trail(database: Database, clock: Clock) -> None:
    """Let a store write events, as the provider does at its start."""
    database.trail = Trail(KEYS.current, KEYS.secret, clock.microseconds)


async def write(database: Database, count: int = 1) -> None:
    """Write events, all in one transaction."""

    async def work(transaction: Transaction) -> None:
        for number in range(count):
            await record(
                transaction, SessionEnded(account_id=UUID(int=number), reason="żółw\n•", grants=1), Caller("::1")
            )

    await database.transaction(work)


async def write_sealed(database: Database, *counts: int) -> None:
    """Write events in as many seals as there are counts."""
    for count in counts:
        await write(database, count)
        assert await seal_waiting(database, KEYS) == count


async def tamper(database: Database, statement: str, **values: Any) -> None:
    """Do what nobody but the provider should."""
    await database.transaction(lambda transaction: transaction.execute(Statement(statement), **values))


async def events(database: Database) -> list[dict[str, Any]]:
    return [dict(row) for row in await database.all(EVENTS)]


async def seals(database: Database) -> list[dict[str, Any]]:
    return [dict(row) for row in await database.all(SEALS)]


async def problems(
    database: Database, *, expected_head: bytes | None = None
) -> list[tuple[str, int | None, int | None]]:
    """Verify the trail: what is wrong, in which seal, with which event."""
    report = await verify(database, KEYS, expected_head=expected_head)
    assert report.problem_count == len(report.problems)
    return [(problem.kind, problem.seal, problem.event) for problem in report.problems]


async def report_of(database: Database) -> Report:
    return await verify(database, KEYS)
