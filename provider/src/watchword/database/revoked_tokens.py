"""Access tokens that were revoked alone, by their `jti`, for as long as they would have lived.

Whoever accepts access tokens here looks for theirs inside the statement that reads what stands behind it.
"""

from datetime import datetime

from watchword.database.connection import Reader, Transaction
from watchword.database.statement import Statement

_INSERT = Statement(
    "INSERT INTO revoked_token (jti, expires_at) VALUES (:jti, :expires_at) ON CONFLICT (jti) DO NOTHING"
)
_CLIENT_WHILE_LIVE = Statement(
    """SELECT 1 AS live FROM client WHERE id = :client_id AND status = 'active'
        AND NOT EXISTS (SELECT 1 FROM revoked_token WHERE jti = :jti)"""
)


async def add(transaction: Transaction, jti: str, *, expires_at: datetime) -> bool:
    """Revoke one access token. One statement. False when it was revoked already."""
    return await transaction.execute(_INSERT, jti=jti, expires_at=expires_at) == 1


async def is_client_live(reader: Reader, client_id: str, *, jti: str) -> bool:
    """Say whether the client of a token that it has for itself is in use, and the token not revoked. One statement."""
    return await reader.one(_CLIENT_WHILE_LIVE, client_id=client_id, jti=jti) is not None
