"""The decision about rates: pure GCRA (generic cell rate algorithm), shared by the stores that decide in Python.

The state of a key is one integer per limit, known by the limit's mark: the time, in microseconds since 1970, at which
that limit's bucket will be empty (the theoretical arrival time). Each unit moves it one interval into the future; more
than a burst ahead of now is refused. The script `CHARGE` in `ephemeral/redis/scripts.py` decides the same way inside
Redis.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from struct import Struct

from watchword.ephemeral.store import Charge, Limit, Refusal

State = dict[int, int]
"""When each limit of one key will be empty, by the limit's mark. A mark that is absent is empty."""

_ENTRY = Struct(">Iq")


def mark_of(limit: Limit) -> int:
    """Return what a limit is known by in a state: 32 bits of its name, which tell the few of one key apart."""
    return zlib.crc32(limit.name.encode())


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether charges were admitted (no refusal), and the new state of the keys that are to be written."""

    refusal: Refusal | None
    after: Mapping[str, State]


def decide(charges: Sequence[Charge], stored: Mapping[str, State], now: int) -> Decision:
    """Admit all charges or none.

    A bucket fuller than full comes from a clock set back or a limit made smaller, and would stay closed for as long as
    the difference. It is cut to full, and that is the one thing that a refusal writes: nobody would be admitted before
    otherwise.

    Args:
        charges: what is asked; the same key and limit may occur more than once, and then count more than once.
        stored: the state of every charged key that has one.
        now: microseconds since 1970.
    """
    cut = {charge.key: _cut(stored.get(charge.key, {}), charges, charge.key, now) for charge in charges}
    after = {key: dict(state) for key, state in cut.items()}
    longest, refusal = 0, None
    for charge in charges:
        state = after[charge.key]
        for limit in charge.limits:
            mark = mark_of(limit)
            state[mark] = state.get(mark, now) + limit.interval * charge.cost
            wait = state[mark] - _full(limit, now)
            if wait > longest:
                longest, refusal = wait, Refusal(limit, charge.key, timedelta(microseconds=wait))
    if refusal is None:
        return Decision(None, after)
    return Decision(refusal, {key: state for key, state in cut.items() if state != drained(stored.get(key, {}), now)})


def refund(charges: Sequence[Charge], stored: Mapping[str, State], now: int) -> dict[str, State]:
    """Return the state of every key in `stored` without the charges; a time in the past is an empty bucket."""
    after = {key: dict(state) for key, state in stored.items()}
    for charge in charges:
        state = after.get(charge.key, {})
        for limit in charge.limits:
            if (mark := mark_of(limit)) in state:
                state[mark] -= limit.interval * charge.cost
    return {key: drained(state, now) for key, state in after.items()}


def drained(state: Mapping[int, int], now: int) -> State:
    """Return a copy without what is empty: limits that nobody has charged for long, or that no longer exist."""
    return {mark: empty_at for mark, empty_at in state.items() if empty_at > now}


def read_state(stored: bytes) -> State:
    """Read a stored state: for each limit its mark in 4 bytes and its time in 8."""
    return dict(_ENTRY.iter_unpack(stored))


def drained_at(stored: bytes) -> int:
    """Return when the last limit of a stored state will be empty."""
    return max(read_state(stored).values(), default=0)


def write_state(state: Mapping[int, int]) -> bytes:
    """Write what `read_state` reads."""
    return b"".join([_ENTRY.pack(mark, empty_at) for mark, empty_at in state.items()])


def _cut(state: State, charges: Sequence[Charge], key: str, now: int) -> State:
    """Return a key's state as far as the limits that are charged could have written it now."""
    state = drained(state, now)
    for limit in (limit for charge in charges if charge.key == key for limit in charge.limits):
        if (mark := mark_of(limit)) in state:
            state[mark] = min(state[mark], _full(limit, now))
    return state


def _full(limit: Limit, now: int) -> int:
    """Return when a bucket that is full now will be empty."""
    return now + limit.interval * limit.burst
