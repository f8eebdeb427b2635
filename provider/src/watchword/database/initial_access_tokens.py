"""Initial access tokens: what lets its holder register clients (RFC 7591 section 1.2), hashed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from watchword.clock import from_microseconds
from watchword.database.connection import Reader, Row, Transaction
from watchword.database.records import write_json
from watchword.database.statement import Statement
from watchword.protocol.registration import RegistrationPolicy

_INSERT = Statement(
    """INSERT INTO initial_access_token (id, hash, policy, uses_left, created_at, expires_at)
    VALUES (:id, :hash, :policy, :uses, :now, :now + :lifetime)"""
)
_FIND = Statement(
    """SELECT id, policy, uses_left, created_at, expires_at FROM initial_access_token
    WHERE hash = :hash AND uses_left > 0 AND expires_at > :now"""
)
# The condition on what is left stands in the statement that takes from it: of many at once, as many win as it has uses.
_TAKE = Statement(
    """UPDATE initial_access_token SET uses_left = uses_left - 1
    WHERE hash = :hash AND uses_left > 0 AND expires_at > :now"""
)
_LIST = Statement(
    """SELECT id, policy, uses_left, created_at, expires_at FROM initial_access_token
    WHERE expires_at > :now AND uses_left > 0 ORDER BY expires_at"""
)
_REMOVE = Statement("DELETE FROM initial_access_token WHERE id = :id")


@dataclass(frozen=True, slots=True)
class InitialAccessToken:
    """A live token, without its secret. `policy` bounds every client that is registered by it."""

    id: UUID
    policy: RegistrationPolicy
    uses_left: int
    created_at: datetime
    expires_at: datetime


async def add(
    transaction: Transaction,
    token_id: UUID,
    *,
    token_hash: bytes,
    policy: RegistrationPolicy,
    uses: int,
    lifetime: timedelta,
) -> None:
    """Keep a token that was just made. One statement."""
    await transaction.insert(
        _INSERT, id=token_id, hash=token_hash, policy=write_policy(policy), uses=uses, lifetime=lifetime
    )


async def find(reader: Reader, *, token_hash: bytes) -> InitialAccessToken | None:
    """Return a live token by its hash. One statement. A moment later it may have no use left: `take` decides."""
    row = await reader.one(_FIND, hash=token_hash)
    return None if row is None else _token(row)


async def take(transaction: Transaction, *, token_hash: bytes) -> None:
    """Spend one use, with the inserts before it; nothing may come after it. One statement.

    Raises:
        Overtaken: the token has no use left, is expired or was removed. Nothing was written.
    """
    await transaction.settle(_TAKE, hash=token_hash)


async def list_live(reader: Reader) -> list[InitialAccessToken]:
    """Return every token that has a use left, the next to expire first. One statement."""
    return [_token(row) for row in await reader.all(_LIST)]


async def remove(transaction: Transaction, token_id: UUID) -> bool:
    """Forget a token; False when there is none of that id. One statement."""
    return await transaction.execute(_REMOVE, id=token_id) == 1


def write_policy(policy: RegistrationPolicy) -> str:
    """Write the column that keeps a policy."""
    return write_json({"scopes": sorted(policy.scopes), "redirect_hosts": sorted(policy.redirect_hosts)})


def read_policy(text: str) -> RegistrationPolicy:
    """Read the column that keeps a policy."""
    document = orjson.loads(text)
    return RegistrationPolicy(frozenset(document["scopes"]), frozenset(document["redirect_hosts"]))


def _token(row: Row) -> InitialAccessToken:
    return InitialAccessToken(
        UUID(row["id"]),
        read_policy(row["policy"]),
        row["uses_left"],
        from_microseconds(row["created_at"]),
        from_microseconds(row["expires_at"]),
    )
