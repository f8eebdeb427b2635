"""Guarded mode: the failures of all accounts together, and until when everybody unknown gets longer codes."""

from dataclasses import dataclass

from watchword.database.connection import Reader, Transaction
from watchword.database.statement import Statement

_WATCH = Statement(
    """SELECT (SELECT count(*) FROM (SELECT 1 FROM guess WHERE at > :now - 3600000000 LIMIT :most) AS recent)
            AS failures,
        COALESCE(guarded_until > :now + 3300000000, FALSE) AS fresh,
        COALESCE(guarded_until <= :now, FALSE) AS run_out
    FROM store WHERE id = 1"""
)
# The same hour of each of the 29 days before.
_USUAL = Statement(
    """WITH RECURSIVE day (back) AS (SELECT 1 UNION ALL SELECT back + 1 FROM day WHERE back < 29)
    SELECT count(*) AS failures FROM day JOIN guess
        ON guess.at > :now - day.back * 86400000000 - 3600000000 AND guess.at <= :now - day.back * 86400000000"""
)
_DAYS = 29
_BEGIN = Statement(
    """UPDATE store SET guarded_until = :now + 3600000000
    WHERE id = 1 AND COALESCE(guarded_until, 0) <= :now"""
)
_RENEW = Statement("UPDATE store SET guarded_until = :now + 3600000000 WHERE id = 1 AND guarded_until > :now")
_END = Statement("UPDATE store SET guarded_until = NULL WHERE id = 1 AND guarded_until <= :now")


@dataclass(frozen=True, slots=True)
class Watch:
    """What the breaker looks at.

    `failures` in the last hour, as far as they were counted; `fresh` when guarded mode was begun or renewed within five
    minutes; `run_out` when it is to be ended.
    """

    failures: int
    fresh: bool
    run_out: bool


async def watch(reader: Reader, *, most: int) -> Watch:
    """Count the failures over all accounts in the last hour, up to `most`, and look at guarded mode. One statement."""
    row = await reader.one(_WATCH, most=most)
    assert row is not None
    return Watch(row["failures"], bool(row["fresh"]), bool(row["run_out"]))


async def usual_failures(reader: Reader) -> float:
    """Return how many failures this hour of the day had on average over the 29 days before. One statement."""
    row = await reader.one(_USUAL)
    assert row is not None
    failures: int = row["failures"]
    return failures / _DAYS


async def begin(transaction: Transaction) -> bool:
    """Guard for an hour; False when it is on already. One statement."""
    return await transaction.execute(_BEGIN) == 1


async def renew(transaction: Transaction) -> None:
    """Guard for an hour from now, if it is on. One statement."""
    await transaction.execute(_RENEW)


async def end(transaction: Transaction) -> bool:
    """End what has run out; False when it has not. One statement."""
    return await transaction.execute(_END) == 1
