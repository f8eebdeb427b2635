"""The one row about the store itself: which ephemeral store goes with it, its restore epoch, the test clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from watchword.clock import from_microseconds
from watchword.database.connection import Reader, Row, Transaction
from watchword.database.statement import Statement


@dataclass(frozen=True, slots=True)
class StoreRow:
    """`ephemeral_id` is empty until a provider first started; `restore_epoch` rises with each restore."""

    ephemeral_id: str | None
    restore_epoch: int
    clock_offset: timedelta


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """What every worker asks about the whole. `guarded` is judged by the store's clock."""

    ephemeral_id: str | None
    guarded: bool
    outbox_full: bool


_FIND = Statement("SELECT ephemeral_id, restore_epoch, clock_offset FROM store WHERE id = 1")
# A standby, which only reads, refuses the lock.
_FIND_WRITABLE = Statement(f"{_FIND.text} /* postgresql: FOR KEY SHARE */")
# What waits in lanes waits for hosts of strangers, which say nothing about whether messages can be sent.
_CONDITION = Statement(
    """SELECT ephemeral_id, COALESCE(guarded_until, 0) > :now AS guarded,
        (SELECT 1 FROM outbox WHERE state = 'ready' AND lane = '' LIMIT 1 OFFSET :most) IS NOT NULL AS outbox_full
    FROM store WHERE id = 1"""
)
_FIRST = Statement(
    """INSERT INTO store (id, ephemeral_id, restore_epoch, clock_offset) VALUES (1, NULL, 0, 0)
    ON CONFLICT (id) DO UPDATE SET restore_epoch = store.restore_epoch"""
)
_CLOCK = Statement("SELECT :now AS now FROM store WHERE id = 1")
_ADVANCE_CLOCK = Statement("UPDATE store SET clock_offset = clock_offset + :by WHERE id = 1 RETURNING clock_offset")
_RESTORED = Statement("UPDATE store SET restore_epoch = restore_epoch + 1 WHERE id = 1")
_END_SESSIONS = Statement("UPDATE session SET ended_at = :now, expires_at = :now WHERE ended_at IS NULL")
_REVOKE_GRANTS = Statement("UPDATE authorization_grant SET revoked_at = :now WHERE revoked_at IS NULL")


async def find(reader: Reader) -> StoreRow | None:
    """Return the row; None in a database that no provider ever started on. One statement."""
    return _read(await reader.one(_FIND))


async def find_writable(transaction: Transaction) -> StoreRow | None:
    """Return the row as `find` does; a store that only reads refuses. One statement."""
    return _read(await transaction.one(_FIND_WRITABLE))


async def condition(reader: Reader, *, most_undelivered: int) -> ConditionRow:
    """Return what every worker asks about the whole. One statement, over `most_undelivered` jobs at most."""
    row = await reader.one(_CONDITION, most=most_undelivered)
    assert row is not None
    return ConditionRow(row["ephemeral_id"], bool(row["guarded"]), bool(row["outbox_full"]))


async def clock(reader: Reader) -> datetime | None:
    """Return what time it is by the store's clock; None without the row. One statement."""
    row = await reader.one(_CLOCK)
    return None if row is None else from_microseconds(row["now"])


async def prepare(transaction: Transaction) -> None:
    """Make the row if it is not there, and hold it: of transactions that do, one runs at a time. One statement."""
    await transaction.execute(_FIRST)


async def advance_clock(transaction: Transaction, by: timedelta) -> timedelta:
    """Move the test clock for every worker; returns the whole offset. One statement."""
    row = await transaction.one(_ADVANCE_CLOCK, by=by)
    assert row is not None
    return timedelta(microseconds=row["clock_offset"])


async def begin_epoch(transaction: Transaction) -> None:
    """End everything from before a restore: refresh tokens, sessions and grants, and with them access tokens.

    The rows of a backup may be older than a sign-out or a revocation, so none of them can be trusted to be alive. Three
    statements, over the whole tables.
    """
    await transaction.execute(_RESTORED)
    await transaction.execute(_END_SESSIONS)
    await transaction.execute(_REVOKE_GRANTS)


def _read(row: Row | None) -> StoreRow | None:
    if row is None:
        return None
    return StoreRow(row["ephemeral_id"], row["restore_epoch"], timedelta(microseconds=row["clock_offset"]))
