"""Verifying the audit trail: whether every event is as it was written, and none is missing, added or swapped."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from watchword.database import Database, audit, seals
from watchword.database.audit import StoredEvent
from watchword.database.seals import Floor, Seal
from watchword.events.sealing import MOST_EVENTS, is_genuine, seals_events
from watchword.keys.keyring import SecretKeys

_BATCH = 1000
_MOST_SHOWN = 100
_LATEST = 5 * 60 * 1_000_000  # microseconds between an event and its commit, clocks that differ included
_NO_MAC_YET = Floor(0, bytes(32), 0, "", b"")


@dataclass(frozen=True, slots=True)
class Problem:
    """A place where the trail is not what was written. `seal` and `event` say where, as far as that can be said."""

    kind: str
    text: str
    seal: int | None = None
    event: int | None = None


@dataclass(slots=True)
class Report:
    """What verification found. `problems` holds the first hundred of `problem_count`, in the order of the chain.

    `head` is the hash of the newest seal. `unsealed` events are genuine ones that no seal covers yet; `unmarked` ones
    are older than the chain and prove nothing.
    """

    events: int = 0
    seals: int = 0
    unsealed: int = 0
    unmarked: int = 0
    head_number: int = 0
    head: str = ""
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)

    def add(self, kind: str, text: str, *, seal: int | None = None, event: int | None = None) -> None:
        """Note a problem."""
        self.problem_count += 1
        if len(self.problems) < _MOST_SHOWN:
            self.problems.append(Problem(kind, text, seal, event))


async def verify(database: Database, keys: SecretKeys, *, expected_head: bytes | None = None) -> Report:
    """Read the whole trail, a thousand rows at a time, and compare it with its chain.

    A tail that was cut off, seals and all, leaves a chain that is whole: give `expected_head`, the hash of a checkpoint
    that was logged, to see that the chain still holds that seal.
    """
    while True:
        report, floor = await _verify_once(database, keys, expected_head)
        if await seals.floor(database) == floor:  # else the oldest seals were deleted meanwhile
            return report


async def _verify_once(
    database: Database, keys: SecretKeys, expected_head: bytes | None
) -> tuple[Report, Floor | None]:
    report = Report()
    floor = await seals.floor(database)
    newest = await seals.newest(database)
    _check_floor(report, floor, newest, keys)
    start = floor or _NO_MAC_YET
    last = newest.number if newest is not None else start.number
    report.head_number, report.head = (newest or start).number, (newest or start).hash.hex()
    found = await _verify_chain(database, keys, report, start, last, expected_head)
    await _verify_rest(database, keys.by_kid, report, start)
    if expected_head is not None and not found:
        report.add("cut", "no seal has the expected hash: the end was cut off, or that part was deleted for its age")
    return report, floor


def _check_floor(report: Report, floor: Floor | None, newest: Seal | None, keys: SecretKeys) -> None:
    if floor is None:
        if newest is not None:
            report.add("floor", "the record of where the chain begins is missing")
        return
    if not is_genuine(keys, floor):
        report.add("floor", "the record of where the chain begins was changed")


async def _verify_chain(
    database: Database,
    keys: SecretKeys,
    report: Report,
    floor: Floor,
    last: int,
    expected_head: bytes | None,
) -> bool:
    """Walk over the seals and their events; returns whether one seal has the expected hash."""
    walk = _Walk(database, keys.by_kid, report, after=floor.number, last=last)
    before: Floor | Seal = floor
    found = expected_head == floor.hash
    emptied_at = 0  # when a seal took the last event that waited: what is sealed later happened later
    async for seal in _chain(database, floor.number, last):
        if seal.number != before.number + 1:
            report.add("missing_seal", _missing(before.number + 1, seal.number - 1), seal=before.number + 1)
        elif seal.previous != before.hash:
            report.add("broken_link", f"seal {seal.number} does not follow seal {before.number}", seal=seal.number)
        await _verify_seal(seal, keys, walk, report, since=emptied_at - _LATEST)
        emptied_at = seal.sealed_at if seal.events < MOST_EVENTS else emptied_at
        found = found or seal.hash == expected_head
        before = seal
    return found


async def _verify_seal(seal: Seal, keys: SecretKeys, walk: "_Walk", report: Report, *, since: int) -> None:
    events: list[tuple[int, bytes]] = []
    genuine = True
    async for event in walk.events_of(seal.number):
        genuine &= event.genuine
        _check_event(event, report)
        if event.genuine and event.at < since:
            text = f"event {event.id} is far older than its seal: an earlier event that was written once more"
            report.add("repeated", text, seal=seal.number, event=event.id)
        events.append((event.id, event.mac))
    report.seals += 1
    report.events += len(events)
    if len(events) != seal.events:
        what = "removed" if len(events) < seal.events else "inserted"
        text = f"seal {seal.number} was made over {seal.events} events and there are {len(events)}"
        report.add(what, text, seal=seal.number)
    elif genuine and not seals_events(keys, seal, events):
        text = f"seal {seal.number} was changed, or its events were swapped with others"
        report.add("swapped", text, seal=seal.number)


def _check_event(event: StoredEvent, report: Report) -> None:
    if not event.genuine:
        text = f"event {event.id} was changed, or not written by the provider"
        report.add("changed", text, seal=event.seal, event=event.id)


async def _verify_rest(database: Database, secrets: Mapping[str, bytes], report: Report, floor: Floor) -> None:
    """Look at what lies outside the chain: events not sealed yet, from before it, and where none may be."""
    after = -(2**63)
    while events := await audit.unsealed(database, secrets, after=after, most=_BATCH):
        for event in events:
            _check_event(event, report)
        report.unsealed += len(events)
        after = events[-1].id
    for number, count in await audit.astray(database, first=floor.number + 1, most=_MOST_SHOWN):
        report.add("inserted", f"{count} events name seal {number}, which is not part of the chain", seal=number)
    if await seals.count_below(database, floor.number):
        report.add("inserted", "there are seals from before the beginning of the chain")
    report.unmarked = await audit.count_unmarked(database)
    if floor is not _NO_MAC_YET and report.unmarked > floor.unmarked:
        text = f"{report.unmarked} events claim to be older than the chain, and there were {floor.unmarked}"
        report.add("inserted", text, seal=audit.BEFORE_THE_CHAIN)


async def _chain(database: Database, after: int, last: int) -> AsyncIterator[Seal]:
    while batch := await seals.chain(database, after=after, last=last, most=_BATCH):
        for seal in batch:
            yield seal
        after = batch[-1].number


class _Walk:
    """The sealed events, in the order of seal and id, read in batches and handed out seal by seal."""

    def __init__(
        self, database: Database, secrets: Mapping[str, bytes], report: Report, *, after: int, last: int
    ) -> None:
        self._report = report
        self._events = _sealed(database, secrets, after, last)
        self._next: StoredEvent | None = None

    async def events_of(self, number: int) -> AsyncIterator[StoredEvent]:
        """Yield the events of a seal; those of seals that were left out before it have none, which is reported."""
        astray: dict[int, int] = {}
        while (event := await self._peek()) is not None and event.seal is not None and event.seal <= number:
            self._next = None
            if event.seal == number:
                yield event
            elif event.seal not in astray:
                astray[event.seal] = event.id
                text = f"event {event.id} and maybe others name seal {event.seal}, which is missing"
                self._report.add("missing_seal", text, seal=event.seal, event=event.id)

    async def _peek(self) -> StoredEvent | None:
        if self._next is None:
            self._next = await anext(self._events, None)
        return self._next


async def _sealed(
    database: Database, secrets: Mapping[str, bytes], after: int, last: int
) -> AsyncIterator[StoredEvent]:
    place = (after, 2**63 - 1)
    while events := await audit.sealed(database, secrets, after=place, last=last, most=_BATCH):
        for event in events:
            yield event
        place = (events[-1].seal or 0, events[-1].id)


def _missing(first: int, last: int) -> str:
    return f"seal {first} is missing" if first == last else f"seals {first} to {last} are missing"
