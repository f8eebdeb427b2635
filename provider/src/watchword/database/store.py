"""The one row about the store itself: which ephemeral store goes with it, its restore epoch, the test clock."""

from dataclasses import dataclass
from datetime import timedelta

from watchword.database.connection import Reader, Transaction
from watchword.database.statement import Statement


@dataclass(frozen=True, slots=True)
class StoreRow:
    """`ephemeral_id` is empty until a provider first started; `restore_epoch` rises with each restore."""

    ephemeral_id: str | None
    restore_epoch: int
    clock_offset: timedelta


_FIND = Statement("SELECT ephemeral_id, restore_epoch, clock_offset FROM store WHERE id = 1")
_FIRST = Statement(
    """INSERT INTO store (id, ephemeral_id, restore_epoch, clock_offset) VALUES (1, NULL, 0, 0)
    ON CONFLICT (id) DO NOTHING"""
)
_SET_EPHEMERAL = Statement("UPDATE store SET ephemeral_id = :ephemeral_id WHERE id = 1")
_ADVANCE_CLOCK = Statement("UPDATE store SET clock_offset = clock_offset + :by WHERE id = 1 RETURNING clock_offset")
_RESTORED = Statement("UPDATE store SET restore_epoch = restore_epoch + 1 WHERE id = 1")
_END_SESSIONS = Statement("UPDATE session SET ended_at = :now WHERE ended_at IS NULL")
_REVOKE_GRANTS = Statement("UPDATE authorization_grant SET revoked_at = :now WHERE revoked_at IS NULL")


async def find(reader: Reader) -> StoreRow | None:
    """Return the row; None in a database that no provider ever started on. One statement."""
    row = await reader.one(_FIND)
    if row is None:
        return None
    return StoreRow(row["ephemeral_id"], row["restore_epoch"], timedelta(microseconds=row["clock_offset"]))


async def prepare(transaction: Transaction) -> None:
    """Make the row if it is not there. One statement."""
    await transaction.execute(_FIRST)


async def set_ephemeral_id(transaction: Transaction, ephemeral_id: str) -> None:
    """Record which ephemeral store goes with this database. One statement."""
    await transaction.execute(_SET_EPHEMERAL, ephemeral_id=ephemeral_id)


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
