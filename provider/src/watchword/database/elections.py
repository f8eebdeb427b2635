"""Elections: one worker at a time does a duty for all, by the store's clock."""

from datetime import timedelta

from watchword.database.connection import Reader, Transaction
from watchword.database.statement import Statement

_VACANT = Statement("SELECT 1 AS held FROM election WHERE duty = :duty AND expires_at > :now AND holder <> :holder")
_HOLD = Statement(
    """INSERT INTO election (duty, holder, expires_at) VALUES (:duty, :holder, :now + :term)
    ON CONFLICT (duty) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
    WHERE election.holder = excluded.holder OR election.expires_at <= :now"""
)
_RELEASE = Statement("DELETE FROM election WHERE duty = :duty AND holder = :holder")


async def is_vacant(reader: Reader, duty: str, holder: str) -> bool:
    """Say whether nobody else holds a duty: what a worker asks before it writes. One statement."""
    return await reader.one(_VACANT, duty=duty, holder=holder) is None


async def hold(transaction: Transaction, duty: str, holder: str, *, term: timedelta) -> bool:
    """Take a duty for a term, or keep it; False while another holds it. One statement."""
    return await transaction.execute(_HOLD, duty=duty, holder=holder, term=term) == 1


async def release(transaction: Transaction, duty: str, holder: str) -> None:
    """Give a duty back, so that nobody waits for the end of the term. One statement."""
    await transaction.execute(_RELEASE, duty=duty, holder=holder)
