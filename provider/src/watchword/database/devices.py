"""Remembered devices: browsers that an account signed in with before."""

from datetime import timedelta
from uuid import UUID

from watchword.clock import from_microseconds
from watchword.database.connection import Reader, Transaction
from watchword.database.statement import Statement

# A device counts for the identifiers of its own account alone, and only while that account may sign in.
_FIND = Statement(
    """SELECT device.id FROM device
    JOIN account ON account.id = device.account_id
    JOIN identifier ON identifier.account_id = account.id
    WHERE device.token_hash = :token_hash AND device.revoked_at IS NULL AND device.expires_at > :now
        AND account.status = 'active' AND identifier.kind = :kind AND identifier.value = :value"""
)
_INSERT = Statement(
    """INSERT INTO device (id, account_id, token_hash, created_at, seen_at, expires_at, user_agent)
    VALUES (:id, :account_id, :token_hash, :now, :now, :now + :lifetime, :user_agent)"""
)
_ROTATE = Statement(
    """UPDATE device SET token_hash = :token_hash, seen_at = :now, expires_at = :now + :lifetime,
        user_agent = :user_agent
    WHERE token_hash = :before AND account_id = :account_id AND revoked_at IS NULL AND expires_at > :now"""
)
_REVOKE = Statement("UPDATE device SET revoked_at = :now WHERE account_id = :account_id AND revoked_at IS NULL")


_OF_ACCOUNT = Statement(
    """SELECT created_at, seen_at, user_agent FROM device
    WHERE account_id = :account_id AND revoked_at IS NULL AND expires_at > :now ORDER BY seen_at DESC LIMIT 100"""
)


async def find(reader: Reader, *, token_hash: bytes, kind: str, value: str) -> UUID | None:
    """Return the device of a cookie, if its account owns the identifier and may sign in. One statement."""
    row = await reader.one(_FIND, token_hash=token_hash, kind=kind, value=value)
    return None if row is None else UUID(row["id"])


async def add(
    transaction: Transaction,
    device_id: UUID,
    account_id: UUID,
    *,
    token_hash: bytes,
    lifetime: timedelta,
    user_agent: str,
) -> None:
    """Remember a browser. One statement."""
    await transaction.insert(
        _INSERT,
        id=device_id,
        account_id=account_id,
        token_hash=token_hash,
        lifetime=lifetime,
        user_agent=user_agent,
    )


async def rotate(
    transaction: Transaction,
    account_id: UUID,
    *,
    before: bytes,
    token_hash: bytes,
    lifetime: timedelta,
    user_agent: str,
) -> bool:
    """Give a device of this account a new secret for its old one; False when it is not one of them. One statement."""
    changed = await transaction.execute(
        _ROTATE, account_id=account_id, before=before, token_hash=token_hash, lifetime=lifetime, user_agent=user_agent
    )
    return changed == 1


async def of_account(reader: Reader, account_id: UUID) -> list[dict[str, str]]:
    """Return the remembered browsers of an account, for the operator; a hundred at most. One statement."""
    return [
        {
            "created_at": from_microseconds(row["created_at"]).isoformat(),
            "seen_at": from_microseconds(row["seen_at"]).isoformat(),
            "user_agent": row["user_agent"],
        }
        for row in await reader.all(_OF_ACCOUNT, account_id=account_id)
    ]


async def revoke_all(transaction: Transaction, account_id: UUID) -> int:
    """Forget every device of an account; returns how many there were. One statement."""
    return await transaction.execute(_REVOKE, account_id=account_id)
