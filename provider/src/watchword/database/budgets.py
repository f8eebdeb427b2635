"""Budgets of guesses: how many wrong codes an identifier takes, counted exactly, whatever else is lost.

A guess is a row from before it is compared; a right one takes its own row away again. Tags are keyed digests.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from watchword.database.connection import Reader, Transaction
from watchword.database.statement import Statement
from watchword.settings.limits import Window

# Its row lock is where parallel guesses for one identifier queue: each counts what those before it wrote. So it is a
# statement of its own, before the one that counts: in one statement both would see what was there before the wait.
_QUEUE = Statement(
    """INSERT INTO guess_budget (tag, charged_at) VALUES (:tag, :now)
    ON CONFLICT (tag) DO UPDATE SET charged_at = excluded.charged_at"""
)
_CHARGE = Statement(
    """INSERT INTO guess (id, tag, scope, at)
    SELECT CAST(:id AS TEXT), budget.tag, CAST(:scope AS TEXT), :now FROM guess_budget AS budget
    WHERE budget.tag = :tag
        AND (SELECT count(*) FROM guess WHERE tag = :tag AND scope = :scope AND at > :now - :period_1) < :amount_1
        AND (SELECT count(*) FROM guess WHERE tag = :tag AND scope = :scope AND at > :now - :period_2) < :amount_2
        AND (SELECT count(*) FROM guess WHERE tag = :tag AND scope = :scope AND at > :now - :period_3) < :amount_3"""
)
_WITHDRAW = Statement("DELETE FROM guess WHERE id = :id")
_RECENT = Statement(
    """SELECT :now - at AS age, scope FROM guess WHERE tag = :tag AND scope IN (:scope, :other) AND at > :now - :period
    ORDER BY at DESC LIMIT 500"""
)


async def charge(
    transaction: Transaction, guess_id: UUID, *, tag: bytes, scope: str, windows: Sequence[Window]
) -> bool:
    """Count a guess that is about to be compared; False, and nothing is counted, when the budget is spent.

    Two statements. Of guesses at one moment no more are counted than every one of the (up to three) windows allows.
    """
    first, second, third = (*windows, *[windows[-1]] * 2)[:3]
    await transaction.execute(_QUEUE, tag=tag)
    counted = await transaction.execute(
        _CHARGE,
        id=guess_id,
        tag=tag,
        scope=scope,
        period_1=first.period,
        amount_1=first.amount,
        period_2=second.period,
        amount_2=second.amount,
        period_3=third.period,
        amount_3=third.amount,
    )
    return counted == 1


async def withdraw(transaction: Transaction, guess_id: UUID) -> None:
    """Take back the charge of a guess that was right. One statement."""
    await transaction.execute(_WITHDRAW, id=guess_id)


async def recent(
    reader: Reader, tag: bytes, scopes: tuple[str, str], *, period: timedelta
) -> tuple[list[timedelta], list[timedelta]]:
    """Return how long ago guesses were counted within `period` in each of two scopes, the newest first.

    One statement, and ages by the store's own clock: nobody else's decides about a budget.
    """
    rows = await reader.all(_RECENT, tag=tag, scope=scopes[0], other=scopes[1], period=period)
    first, second = ([timedelta(microseconds=row["age"]) for row in rows if row["scope"] == scope] for scope in scopes)
    return first, second
