"""The decision about rates: pure GCRA (generic cell rate algorithm), shared by the stores that decide in Python.

State is one integer per bucket: the time, in microseconds since 1970, at which the bucket will be empty (the
theoretical arrival time). Each unit moves it one interval into the future; more than a burst ahead of now is refused.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from watchword.ephemeral.store import Charge, Limit, Refusal

Bucket = tuple[str, str]
"""A limit's name and a key: a pair, so that no separator inside either can make two buckets one."""


def bucket_of(charge: Charge) -> Bucket:
    """Return the bucket that a charge counts against."""
    return charge.limit.name, charge.key


def decide(charges: Sequence[Charge], empty_at: Mapping[Bucket, int], now: int) -> Refusal | dict[Bucket, int]:
    """Admit all charges or none.

    Args:
        charges: what is asked; the same bucket may occur more than once, and then counts more than once.
        empty_at: the stored state; buckets that are absent are empty.
        now: microseconds since 1970.

    Returns:
        The new state of every bucket that was charged, or the refusal of the limit that refuses for longest.
    """
    after: dict[Bucket, int] = {}
    longest, refused_by = 0, None
    for charge in charges:
        bucket, limit = bucket_of(charge), charge.limit
        before = after[bucket] if bucket in after else _trusted(empty_at.get(bucket, now), limit, now)
        after[bucket] = before + limit.interval * charge.cost
        wait = after[bucket] - limit.interval * limit.burst - now
        if wait > longest:
            longest, refused_by = wait, limit
    return after if refused_by is None else Refusal(refused_by, timedelta(microseconds=longest))


def refunded(charge: Charge, empty_at: int) -> int:
    """Return a bucket's state without the charge; a time in the past is an empty bucket."""
    return empty_at - charge.limit.interval * charge.cost


def _trusted(empty_at: int, limit: Limit, now: int) -> int:
    """Return the stored time as far as this limit could have written it now.

    A bucket fuller than full comes from a clock set back or a limit made smaller; without the upper bound it would
    stay closed for as long as the difference.
    """
    return min(max(empty_at, now), now + limit.interval * limit.burst)
