"""Replicas: which workers are alive, which ephemeral store each of them sees, and which one goes with this database."""

from datetime import timedelta

from watchword.database.connection import Reader, Transaction
from watchword.database.statement import Statement

ALIVE = timedelta(seconds=15)
"""A worker that was not seen for this long is gone."""

# The store's row is locked first: of two workers that join at once with two stores, the second sees the first.
_LOCK = Statement("UPDATE store SET ephemeral_id = ephemeral_id WHERE id = 1")
_OTHER = Statement(
    "SELECT 1 AS other FROM replica WHERE seen_at > :now - :alive AND ephemeral_id <> :ephemeral_id LIMIT 1"
)
_BEAT = Statement(
    """INSERT INTO replica (id, ephemeral_id, seen_at) VALUES (:id, :ephemeral_id, :now)
    ON CONFLICT (id) DO UPDATE SET ephemeral_id = excluded.ephemeral_id, seen_at = excluded.seen_at"""
)
_LEAVE = Statement("DELETE FROM replica WHERE id = :id")
_PAIR = Statement("UPDATE store SET ephemeral_id = :ephemeral_id WHERE id = 1")


async def sees_another(reader: Reader, ephemeral_id: str) -> bool:
    """Say whether a live worker uses another ephemeral store than this one. One statement."""
    return await reader.one(_OTHER, ephemeral_id=ephemeral_id, alive=ALIVE) is not None


async def join(transaction: Transaction, replica: str, ephemeral_id: str) -> bool:
    """Enter a worker; its store becomes the database's unless a live worker uses another one. Four statements.

    False when it did not: the worker may not send or check codes.
    """
    await transaction.execute(_LOCK)
    agreed = not await sees_another(transaction, ephemeral_id)
    if agreed:
        await transaction.execute(_PAIR, ephemeral_id=ephemeral_id)
    await beat(transaction, replica, ephemeral_id)
    return agreed


async def pair_again(transaction: Transaction, ephemeral_id: str) -> bool:
    """Take an emptied store for the database's once every live worker sees it; False until then. Three statements."""
    await transaction.execute(_LOCK)
    if await sees_another(transaction, ephemeral_id):
        return False
    await transaction.execute(_PAIR, ephemeral_id=ephemeral_id)
    return True


async def beat(transaction: Transaction, replica: str, ephemeral_id: str) -> None:
    """Say that a worker is alive and what it sees. One statement."""
    await transaction.execute(_BEAT, id=replica, ephemeral_id=ephemeral_id)


async def leave(transaction: Transaction, replica: str) -> None:
    """Forget a worker that stops. One statement."""
    await transaction.execute(_LEAVE, id=replica)
