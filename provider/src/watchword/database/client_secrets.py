"""Replacing the secret of a client: the one before it may live on for a while, and no third."""

from datetime import timedelta
from uuid import UUID

from watchword.database import clients
from watchword.database.connection import Transaction
from watchword.database.statement import Statement

# Two rotations at once: the second one waits here, and then sees what the first one did.
_HOLD = Statement("UPDATE client SET updated_at = :now WHERE id = :client_id AND status = 'active'")
_DROP_OLDER = Statement("DELETE FROM client_secret WHERE client_id = :client_id AND expires_at IS NOT NULL")
_EXPIRE = Statement(
    "UPDATE client_secret SET expires_at = :now + :overlap WHERE client_id = :client_id AND expires_at IS NULL"
)


async def rotate(
    transaction: Transaction, secret_id: UUID, client_id: str, *, secret_hash: bytes, overlap: timedelta
) -> bool:
    """Give a client a new secret; the current one expires after `overlap`, any older one now. Four statements.

    False means that there is no such client in use, and that nothing was written. Whether it authenticates by a secret
    is not checked.
    """
    if await transaction.execute(_HOLD, client_id=client_id) == 0:
        return False
    await transaction.execute(_DROP_OLDER, client_id=client_id)
    await transaction.execute(_EXPIRE, client_id=client_id, overlap=overlap)
    await clients.add_secret(transaction, secret_id, client_id, secret_hash=secret_hash, expires_at=None)
    return True
