"""Refresh tokens as families: one row each, one UPDATE a rotation."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from watchword.clock import from_microseconds
from watchword.database.connection import Reader, Transaction
from watchword.database.records import read_words
from watchword.database.statement import Statement


@dataclass(frozen=True, slots=True)
class RefreshFamily:
    """A family with the grant it belongs to. `alive` is judged by the store, with the store's clock.

    Both times are the store's: `read_at` is when it was read. `claims` is the grant's claims request.
    """

    id: UUID
    grant_id: UUID
    client_id: str
    secret: bytes = field(repr=False)
    mac_kid: str
    generation: int
    jkt: str | None
    rotated_at: datetime
    read_at: datetime
    alive: bool
    account_id: UUID
    session_id: UUID | None
    scope: tuple[str, ...]
    resources: tuple[str, ...]
    claims: str | None
    auth_time: datetime
    amr: tuple[str, ...]


_INSERT = Statement(
    """INSERT INTO refresh_family
        (id, grant_id, secret, mac_kid, generation, jkt, rotated_at, idle_expires_at, expires_at)
    VALUES (:id, :grant_id, :secret, :mac_kid, 0, :jkt, :now, :now + :idle, :now + :lifetime)"""
)
_FIND = Statement(
    """SELECT f.id, f.grant_id, g.client_id, f.secret, f.mac_kid, f.generation, f.jkt, f.rotated_at,
        :now AS read_at, g.account_id, g.session_id, g.scope, g.resources, g.claims, g.auth_time, g.amr,
        f.revoked_at IS NULL AND f.expires_at > :now AND f.idle_expires_at > :now AND g.revoked_at IS NULL
            AND account.status = 'active' AND client.status = 'active' AS alive
    FROM refresh_family f JOIN authorization_grant g ON g.id = f.grant_id
    JOIN account ON account.id = g.account_id JOIN client ON client.id = g.client_id
    WHERE f.id = :id"""
)
# The conditions stand here a second time: on a store whose transactions run side by side, this statement decides.
_ROTATE = Statement(
    """UPDATE refresh_family SET generation = :successor, rotated_at = :now, idle_expires_at = :now + :idle
    WHERE id = :id AND generation = :generation AND revoked_at IS NULL AND expires_at > :now AND idle_expires_at > :now
        AND COALESCE(jkt, '') = :jkt
        AND EXISTS (SELECT 1 FROM authorization_grant g JOIN account ON account.id = g.account_id
            JOIN client ON client.id = g.client_id
            WHERE g.id = refresh_family.grant_id AND g.client_id = :client_id AND g.revoked_at IS NULL
                AND account.status = 'active' AND client.status = 'active')"""
)


async def add(
    transaction: Transaction,
    family_id: UUID,
    *,
    grant_id: UUID,
    secret: bytes,
    mac_kid: str,
    jkt: str | None,
    idle: timedelta,
    lifetime: timedelta,
) -> None:
    """Begin a family at generation 0, over after `lifetime`, sooner when unused for `idle`. One statement."""
    await transaction.insert(
        _INSERT,
        id=family_id,
        grant_id=grant_id,
        secret=secret,
        mac_kid=mac_kid,
        jkt=jkt,
        idle=idle,
        lifetime=lifetime,
    )


async def find(reader: Reader, family_id: UUID) -> RefreshFamily | None:
    """Return a family, its grant, and whether all of it is still alive. One statement."""
    row = await reader.one(_FIND, id=family_id)
    if row is None:
        return None
    return RefreshFamily(
        id=UUID(row["id"]),
        grant_id=UUID(row["grant_id"]),
        client_id=row["client_id"],
        secret=row["secret"],
        mac_kid=row["mac_kid"],
        generation=row["generation"],
        jkt=row["jkt"],
        rotated_at=from_microseconds(row["rotated_at"]),
        read_at=from_microseconds(row["read_at"]),
        alive=bool(row["alive"]),
        account_id=UUID(row["account_id"]),
        session_id=UUID(row["session_id"]) if row["session_id"] else None,
        scope=read_words(row["scope"]),
        resources=read_words(row["resources"]),
        claims=row["claims"],
        auth_time=from_microseconds(row["auth_time"]),
        amr=read_words(row["amr"]),
    )


async def rotate(transaction: Transaction, family: RefreshFamily, *, successor: int, idle: timedelta) -> None:
    """Move a family from the generation that was read to `successor`, and settle the transaction. One statement.

    Raises:
        Overtaken: another request changed the family after it was read.
    """
    await transaction.settle(
        _ROTATE,
        id=family.id,
        generation=family.generation,
        successor=successor,
        client_id=family.client_id,
        jkt=family.jkt or "",
        idle=idle,
    )
