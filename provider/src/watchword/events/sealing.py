"""Sealing the audit trail: events enter unsealed; one elected worker seals them and deletes the oldest."""

from collections.abc import Sequence
from datetime import timedelta
from hmac import compare_digest

from watchword.database import Conflict, Database, Transaction, audit, seals
from watchword.database.chain import HASH_BYTES, SealHash, floor_mac
from watchword.database.seals import Floor, Seal
from watchword.keys.keyring import SecretKeys
from watchword.telemetry import get_logger

log = get_logger(__name__)

MOST_EVENTS = 500  # of one seal, and about as many as are deleted in one transaction
_MOST_SEALS = 100  # deleted in one transaction
_NOTHING = bytes(HASH_BYTES)


async def seal_waiting(database: Database, keys: SecretKeys) -> int:
    """Seal every committed event; returns how many. One statement when there is none, else four for 500 events."""
    sealed = 0
    while await seals.is_waiting(database):
        events = await _seal_batch(database, keys)
        sealed += events
        if events < MOST_EVENTS:
            break
    return sealed


async def forget_old(database: Database, keys: SecretKeys, *, kept: timedelta) -> int:
    """Delete about 500 of the oldest events, whole seals at a time, and say so in the floor; returns how many.

    A seal that is not as it was made stays, and so does what comes after it: who could make it look old would have its
    events deleted, and the floor above them signed.
    """

    async def work(transaction: Transaction) -> int:
        await seals.lock_floor(transaction)
        floor = await seals.floor(transaction)
        if floor is None:
            return 0
        begin, forgotten = floor, 0
        for _ in range(_MOST_SEALS):
            old = await seals.find_old(transaction, floor.number + 1, kept=kept)
            if old is None or forgotten >= MOST_EVENTS or not await _may_go(transaction, keys, floor, old):
                break
            forgotten += await seals.forget(transaction, old.number)
            floor = floor_at(keys, number=old.number, previous=old.hash, unmarked=floor.unmarked)
        if floor is not begin:
            await seals.lay_floor(transaction, floor)
        return forgotten

    return await database.transaction(work)


def is_genuine(keys: SecretKeys, floor: Floor) -> bool:
    """Say whether the floor is one that the provider laid. A key that nobody knows proves nothing."""
    secret = keys.by_kid.get(floor.mac_kid)
    return secret is not None and compare_digest(
        floor_mac(secret, number=floor.number, previous=floor.hash, unmarked=floor.unmarked), floor.mac
    )


def seals_events(keys: SecretKeys, seal: Seal, events: Sequence[tuple[int, bytes]]) -> bool:
    """Say whether the provider made a seal over just these events, given by id and MAC in the order of ids."""
    secret = keys.by_kid.get(seal.mac_kid)
    if secret is None:
        return False
    computed = SealHash(secret, number=seal.number, sealed_at=seal.sealed_at, previous=seal.previous)
    for event_id, mac in events:
        computed.add(event_id, mac)
    return compare_digest(computed.digest(), seal.hash)


async def _may_go(transaction: Transaction, keys: SecretKeys, floor: Floor, old: Seal) -> bool:
    genuine = (
        is_genuine(keys, floor)
        and old.previous == floor.hash
        and seals_events(keys, old, await seals.covered(transaction, old.number))
    )
    if not genuine:
        log.error("an old part of the audit trail is not what was written, and stays", seal=old.number)
    return genuine


def floor_at(keys: SecretKeys, *, number: int, previous: bytes, unmarked: int) -> Floor:
    """Make the floor that says: the chain goes on after this seal."""
    mac = floor_mac(keys.secret, number=number, previous=previous, unmarked=unmarked)
    return Floor(number, previous, unmarked, keys.current, mac)


async def _seal_batch(database: Database, keys: SecretKeys) -> int:
    """Seal one batch; 0 when another worker, elected meanwhile, made the seal of this number."""

    async def work(transaction: Transaction) -> int:
        head = await seals.newest(transaction) or await _begin(transaction, keys)
        number, sealed_at = head.number + 1, transaction.trail.now()
        events = await seals.claim(transaction, number, most=MOST_EVENTS)
        if events:
            seal = SealHash(keys.secret, number=number, sealed_at=sealed_at, previous=head.hash)
            for event_id, mac in events:
                seal.add(event_id, mac)
            await seals.add(transaction, Seal(number, len(events), head.hash, seal.digest(), keys.current, sealed_at))
        return len(events)

    try:
        return await database.transaction(work)
    except Conflict:
        return 0


async def _begin(transaction: Transaction, keys: SecretKeys) -> Floor:
    """Return the floor, laid now if there is none: what was written before there was a chain is only counted."""
    floor = await seals.floor(transaction)
    if floor is None:
        unmarked = await audit.count_unmarked(transaction)
        floor = floor_at(keys, number=0, previous=_NOTHING, unmarked=unmarked)
        await seals.lay_floor(transaction, floor)
    return floor
