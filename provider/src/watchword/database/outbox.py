"""The outbox's rows: enqueue in the caller's transaction, lease, renew, finish, postpone, bury."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson

from watchword.database.connection import Reader, Transaction
from watchword.database.records import write_json
from watchword.database.statement import Statement

_NUMBER_BITS = 62  # far above what the store counts up to, and with room above for it to count on


@dataclass(frozen=True, slots=True)
class Job:
    """A leased piece of work. `attempts` counts this one."""

    id: int
    kind: str
    payload: dict[str, Any] = field(repr=False)
    attempts: int
    lease: str
    lane: str = ""


_INSERT = Statement(
    """INSERT INTO outbox (kind, lane, payload, state, attempts, created_at, available_at)
    VALUES (:kind, :lane, :payload, 'ready', 0, :now, :now)"""
)
_INSERT_LEASED = Statement(
    """INSERT INTO outbox (id, kind, payload, state, attempts, created_at, available_at, lease)
    VALUES (:id, :kind, :payload, 'ready', 1, :now, :now + :term, :lease)"""
)
_LEASE = Statement(
    """WITH due AS MATERIALIZED (
        SELECT id FROM outbox WHERE state = 'ready' AND lane = :lane AND available_at <= :now
        ORDER BY available_at LIMIT :most
        /* postgresql: FOR UPDATE SKIP LOCKED */)
    UPDATE outbox SET lease = :lease, attempts = attempts + 1, available_at = :now + :term
    WHERE id IN (SELECT id FROM due) RETURNING id, kind, payload, attempts"""
)
# From lane to lane by the index, however many jobs wait in one.
_DUE = Statement(
    """SELECT lane FROM (
    WITH RECURSIVE known (lane) AS (
        SELECT min(lane) FROM outbox WHERE state = 'ready'
        UNION ALL
        SELECT (SELECT min(lane) FROM outbox WHERE state = 'ready' AND lane > known.lane)
        FROM known WHERE known.lane IS NOT NULL)
    SELECT lane FROM known WHERE EXISTS
        (SELECT 1 FROM outbox WHERE state = 'ready' AND lane = known.lane AND available_at <= :now)) AS due"""
)
_RENEW = Statement(
    "UPDATE outbox SET available_at = :now + :term WHERE id = :id AND lease = :lease AND state = 'ready'"
)
_FINISH = Statement("DELETE FROM outbox WHERE id = :id AND lease = :lease")
_POSTPONE = Statement(
    """UPDATE outbox SET lease = NULL, available_at = :now + :pause, problem = :problem
    WHERE id = :id AND lease = :lease"""
)
_BURY = Statement(
    "UPDATE outbox SET lease = NULL, state = 'dead', problem = :problem WHERE id = :id AND lease = :lease"
)
_DEPTH = Statement(
    """SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox WHERE state = 'ready' LIMIT :most) AS waiting) AS ready,
        (SELECT count(*) FROM (SELECT 1 FROM outbox WHERE state = 'dead' LIMIT :most) AS buried) AS dead"""
)


async def enqueue(transaction: Transaction, *, kind: str, payload: dict[str, Any], lane: str = "") -> None:
    """Order work that is done once the transaction commits, in a lane. One statement."""
    await transaction.insert(_INSERT, kind=kind, lane=lane, payload=write_json(payload))


async def enqueue_leased(
    transaction: Transaction, *, kind: str, payload: dict[str, Any], lease: str, term: timedelta
) -> Job:
    """Order work that this process does once the transaction commits; another's when the lease runs out.

    One statement, whose answer nobody waits for: the job's number is drawn here.
    """
    job = Job(secrets.randbits(_NUMBER_BITS), kind, payload, 1, lease)
    await transaction.insert(_INSERT_LEASED, id=job.id, kind=kind, payload=write_json(payload), lease=lease, term=term)
    return job


async def due_lanes(reader: Reader) -> list[str]:
    """Return the lanes in which some job waits. One statement, no lock: what the sweep asks before it leases."""
    return [row["lane"] for row in await reader.all(_DUE)]


async def lease(transaction: Transaction, *, lease: str, term: timedelta, most: int, lane: str = "") -> Sequence[Job]:
    """Take up to `most` due jobs of a lane for the term of a lease; another worker gets them when the lease runs out.

    One statement.
    """
    rows = await transaction.all(_LEASE, lease=lease, term=term, most=most, lane=lane)
    return [Job(row["id"], row["kind"], orjson.loads(row["payload"]), row["attempts"], lease, lane) for row in rows]


async def renew(transaction: Transaction, job: Job, *, term: timedelta) -> bool:
    """Lengthen a lease just before sending. One statement. False when the job is another worker's by now."""
    return await transaction.execute(_RENEW, id=job.id, lease=job.lease, term=term) == 1


async def finish(transaction: Transaction, job: Job) -> None:
    """Forget a job that is done. One statement."""
    await transaction.execute(_FINISH, id=job.id, lease=job.lease)


async def postpone(transaction: Transaction, job: Job, *, pause: timedelta, problem: str) -> None:
    """Give a job back for another try after a pause. One statement."""
    await transaction.execute(_POSTPONE, id=job.id, lease=job.lease, pause=pause, problem=problem)


async def bury(transaction: Transaction, job: Job, *, problem: str) -> None:
    """Keep a job that cannot be done, for the operator to see. One statement."""
    await transaction.execute(_BURY, id=job.id, lease=job.lease, problem=problem)


async def depth(reader: Reader, *, most: int) -> dict[str, int]:
    """Count the jobs of each state by the index, up to `most` of each. One statement."""
    row = await reader.one(_DEPTH, most=most)
    assert row is not None
    return {"ready": row["ready"], "dead": row["dead"]}
