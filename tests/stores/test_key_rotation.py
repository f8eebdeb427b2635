"""Signing keys over time: published before they sign, kept until their last token is dead, revoked at once."""

import asyncio
import json
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey, OKPKey

from tests.support.provider import COMMAND, free_port, provider_environment
from tests.support.secrecy import remember_secret
from watchword.clock import Clock
from watchword.database import Conflict, Database, Statement, Transaction, open_database, store
from watchword.database import keys as stored
from watchword.database.keys import KeyAge, StoredSigningKey
from watchword.keys import CurrentKeys, Roots, UndecipherableKey, load_keyring, make_first_keys, reseal_keys, rotation
from watchword.keys.keyring import ACTIVE, KEY_ALGORITHMS, NEXT, RETIRING
from watchword.keys.making import new_signing_keys, seal_key
from watchword.keys.rotation import AHEAD, Awaited, KeyRefused, Rotated, Schedule, Turn, is_awaited, without_next
from watchword.protocol.errors import InvalidToken
from watchword.protocol.jwt import Key, SeenTokens, verify_token

SECRET_KEY = remember_secret("Yk3cV8pQ0tLr5mWb7xZs2nHd9gJf4aUe6iRo")
OTHER_SECRET_KEY = remember_secret("Bq7nT1vXz4kMw9cRs6yGh3jLd8fPa5uEo2Iq")
ROOTS = Roots.derive(SECRET_KEY, None)
NOTHING = timedelta(0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SCHEDULE = Schedule(90 * DAY)
ISSUER = "https://id.example"
TOKEN = {"iss": ISSUER, "sub": "x", "exp": 2**40}
ROWS = Statement("SELECT kid, state, private_jwk FROM signing_key ORDER BY created_at, kid")


def fresh(state: str = NEXT, algorithm: str = "ES256", roots: Roots = ROOTS) -> StoredSigningKey:
    key: Key = ECKey.generate_key("P-256") if algorithm == "ES256" else OKPKey.generate_key("Ed25519")
    return seal_key("ES256" if algorithm == "ES256" else "EdDSA", key, roots, state=state)


@pytest.fixture
async def keyed(database: Database) -> Database:
    """A store with a key that signs and a next one, for two algorithms that are quick to make keys for."""

    async def work(transaction: Transaction) -> None:
        await store.prepare(transaction)
        for algorithm in ("ES256", "EdDSA"):
            for state in (NEXT, ACTIVE):
                await stored.add_signing_key(transaction, fresh(state, algorithm))

    await database.transaction(work)
    return database


async def of(database: Database, state: str, algorithm: str = "ES256") -> KeyAge:
    (found,) = [key for key in await stored.ages(database) if (key.state, key.algorithm) == (state, algorithm)]
    return found


async def states(database: Database) -> dict[str, str]:
    return {row["kid"]: row["state"] for row in await database.all(ROWS)}


async def rotate(
    database: Database, *turns: Turn, used: timedelta = NOTHING, published: timedelta = NOTHING
) -> list[Rotated]:
    return await database.transaction(
        lambda transaction: rotation.rotate(transaction, turns, used=used, published=published)
    )


async def rotate_when_known(database: Database, *turns: Turn) -> list[Rotated | Awaited]:
    return await database.transaction(lambda transaction: rotation.rotate_when_known(transaction, turns))


async def turn(database: Database, algorithm: str = "ES256") -> Turn:
    return Turn(await of(database, ACTIVE, algorithm), fresh(algorithm=algorithm))


async def test_a_rotation_moves_each_key_on_by_one_state(keyed: Database, clock: Clock) -> None:
    active, following, planned = await of(keyed, ACTIVE), await of(keyed, NEXT), await turn(keyed)
    clock.offset = AHEAD
    assert await rotate(keyed, planned, published=AHEAD) == [Rotated("ES256", following.kid, active.kid, planned.fresh)]
    assert (await of(keyed, RETIRING)).kid == active.kid
    assert (await of(keyed, ACTIVE)).kid == following.kid
    assert (await of(keyed, NEXT)).kid == planned.fresh.kid
    assert (await of(keyed, ACTIVE)).age < HOUR  # counted from now on
    assert (await of(keyed, ACTIVE, "EdDSA")).kid  # untouched


async def test_the_private_part_of_a_key_is_destroyed_when_it_retires(keyed: Database) -> None:
    planned = await turn(keyed)
    await rotate(keyed, planned)
    parts = {row["kid"]: row["private_jwk"] for row in await keyed.all(ROWS)}
    assert parts.pop(planned.active.kid) is None
    assert all(parts.values())


async def test_resealing_never_brings_back_a_part_that_was_destroyed(keyed: Database) -> None:
    planned = await turn(keyed)
    before = {key.kid: key.private_jwk for key in await stored.signing_keys(keyed)}
    await rotate(keyed, planned)
    late = before[planned.active.kid]
    assert late is not None
    await keyed.transaction(
        lambda transaction: stored.reseal_signing_key(transaction, planned.active.kid, late)  # read before
    )
    assert {row["kid"]: row["private_jwk"] for row in await keyed.all(ROWS)}[planned.active.kid] is None


async def test_keys_that_were_published_together_follow_each_other_at_any_time(keyed: Database) -> None:
    assert await rotate(keyed, await turn(keyed), published=AHEAD)


async def test_a_rotation_waits_until_caches_know_the_next_key(keyed: Database, clock: Clock) -> None:
    await rotate(keyed, await turn(keyed), published=AHEAD)
    planned, before = await turn(keyed), await states(keyed)
    clock.offset = AHEAD - timedelta(seconds=3)
    with pytest.raises(KeyRefused, match=r"published for 30\d s, .* Wait [1-3] s"):
        await rotate(keyed, planned, published=AHEAD)
    assert await states(keyed) == before
    clock.offset = AHEAD
    assert await rotate(keyed, planned, published=AHEAD)


async def test_a_rotation_that_comes_too_early_is_kept_and_due_when_everybody_knows_the_key(
    keyed: Database, clock: Clock
) -> None:
    await rotate(keyed, await turn(keyed))
    following, before = await of(keyed, NEXT), await states(keyed)
    for _ in range(2):  # asking again changes nothing
        (awaited,) = await rotate_when_known(keyed, await turn(keyed))
        assert isinstance(awaited, Awaited)
        assert (awaited.kid, awaited.made) == (following.kid, None)
        assert timedelta(0) < awaited.wait <= AHEAD
    assert await states(keyed) == before
    assert not is_awaited(await of(keyed, ACTIVE), await stored.ages(keyed))
    clock.offset = AHEAD
    assert is_awaited(await of(keyed, ACTIVE), await stored.ages(keyed))
    assert not is_awaited(await of(keyed, ACTIVE, "EdDSA"), await stored.ages(keyed))
    (rotated,) = await rotate_when_known(keyed, await turn(keyed))
    assert isinstance(rotated, Rotated)
    assert rotated.kid == following.kid
    assert not (await of(keyed, ACTIVE)).wanted


async def test_a_rotation_without_a_next_key_publishes_one_and_waits_for_it(keyed: Database, clock: Clock) -> None:
    await keyed.transaction(lambda transaction: stored.remove_next(transaction, "ES256"))
    planned = await turn(keyed)
    (awaited,) = await rotate_when_known(keyed, planned)
    assert isinstance(awaited, Awaited)
    assert awaited.made == planned.fresh
    assert (await of(keyed, NEXT)).wanted


async def test_a_key_that_somebody_else_rotated_is_not_rotated_once_more(keyed: Database) -> None:
    late = await turn(keyed)
    await rotate(keyed, await turn(keyed))
    with pytest.raises(KeyRefused, match="rotated by somebody else"):
        await rotate_when_known(keyed, late)
    assert not (await of(keyed, NEXT)).wanted


async def test_a_rotation_of_several_is_all_or_nothing(keyed: Database) -> None:
    first, second = await turn(keyed, "EdDSA"), await turn(keyed)
    await keyed.transaction(lambda transaction: stored.remove_next(transaction, "ES256"))
    before = await states(keyed)
    with pytest.raises(KeyRefused, match="ES256 has no next key yet"):
        await rotate(keyed, first, second, published=timedelta(microseconds=1))
    assert await states(keyed) == before


async def test_without_a_next_key_a_new_one_signs_at_once_if_the_operator_insists(keyed: Database) -> None:
    planned = await turn(keyed)
    await keyed.transaction(lambda transaction: stored.remove_next(transaction, "ES256"))
    (rotated,) = await rotate(keyed, planned)
    assert rotated.kid == planned.fresh.kid == (await of(keyed, ACTIVE)).kid
    assert without_next(await stored.ages(keyed)) == ["RS256", "PS256", "ES256"]


@pytest.mark.races
async def test_of_60_rotations_at_once_one_happens(keyed: Database, url: str, clock: Clock) -> None:
    others = [open_database(url, clock) for _ in range(3)]
    active = await of(keyed, ACTIVE)
    outcomes = await asyncio.gather(
        *(rotate([keyed, *others][number % 4], Turn(active, fresh())) for number in range(60)), return_exceptions=True
    )
    for other in others:
        await other.close()
    refused = [outcome for outcome in outcomes if isinstance(outcome, KeyRefused)]
    assert len(refused) == 59, outcomes
    assert all("rotated by somebody else" in str(each) for each in refused)
    assert sorted((await states(keyed)).values()) == sorted([RETIRING, ACTIVE, NEXT, ACTIVE, NEXT])


@pytest.mark.races
async def test_rotations_and_revocations_at_once_leave_one_key_that_signs(
    keyed: Database, url: str, clock: Clock
) -> None:
    other = open_database(url, clock)
    active, following = await of(keyed, ACTIVE), await of(keyed, NEXT)

    async def revoke(kid: str) -> None:
        key = fresh()
        await other.transaction(lambda transaction: rotation.revoke(transaction, kid, key))

    steps = [rotate(keyed, Turn(active, fresh())) for _ in range(20)]
    await asyncio.gather(*steps, revoke(active.kid), revoke(following.kid), return_exceptions=True)
    await other.close()
    left = await states(keyed)
    assert left[active.kid] == left[following.kid] == "revoked"
    assert (await of(keyed, ACTIVE)).kid not in {active.kid, following.kid}


async def test_the_schema_has_room_for_one_key_that_signs(keyed: Database) -> None:
    assert not await keyed.transaction(lambda transaction: stored.add_signing_key(transaction, fresh(ACTIVE)))
    grab = Statement("UPDATE signing_key SET state = 'active' WHERE algorithm = 'ES256'")
    with pytest.raises(Conflict):
        await keyed.transaction(lambda transaction: transaction.execute(grab))


def test_the_schedule_leaves_a_day_on_both_sides_and_less_for_short_lives() -> None:
    assert (SCHEDULE.ahead, SCHEDULE.after) == (DAY, HOUR + DAY)
    assert (Schedule(HOUR).ahead, Schedule(HOUR).after) == (HOUR / 2, HOUR * 1.5)
    for hours in range(1, 200):
        schedule = Schedule(hours * HOUR)
        assert schedule.ahead >= AHEAD  # never too early for caches
        assert schedule.after >= HOUR + timedelta(minutes=5)  # no token outlives its key
        assert -(-schedule.after // schedule.lifetime) <= 2  # keys of an algorithm that retire at the same time


def test_a_rotation_is_due_when_the_key_is_old_and_its_successor_known() -> None:
    active = KeyAge("a", "ES256", ACTIVE, 90 * DAY)
    following = KeyAge("b", "ES256", NEXT, DAY)
    assert SCHEDULE.is_due(active, [active, following])
    for other in (
        KeyAge("b", "ES256", NEXT, DAY - HOUR),
        KeyAge("b", "RS256", NEXT, DAY),
        KeyAge("b", "ES256", RETIRING, DAY),
    ):
        assert not SCHEDULE.is_due(active, [active, other])
    assert not SCHEDULE.is_due(KeyAge("a", "ES256", ACTIVE, 89 * DAY), [following])
    assert not SCHEDULE.is_due(KeyAge("a", "ES256", NEXT, 90 * DAY), [following])


async def test_the_store_itself_keeps_to_the_schedule(keyed: Database, clock: Clock) -> None:
    await rotate(keyed, await turn(keyed))  # so that the next key is younger than the one that signs
    clock.offset = timedelta(minutes=1)
    for used, published in ((HOUR, NOTHING), (NOTHING, HOUR)):
        with pytest.raises(KeyRefused):
            await rotate(keyed, await turn(keyed), used=used, published=published)
    clock.offset = 2 * HOUR
    assert await rotate(keyed, await turn(keyed), used=HOUR, published=HOUR)


async def test_a_key_is_published_until_its_last_token_is_dead_and_a_day_longer(keyed: Database, clock: Clock) -> None:
    planned = await turn(keyed)
    await rotate(keyed, planned)
    clock.offset = SCHEDULE.after - timedelta(minutes=1)
    assert await keyed.transaction(lambda transaction: rotation.withdraw(transaction, SCHEDULE)) == []
    clock.offset = SCHEDULE.after + timedelta(minutes=1)
    kid = planned.active.kid
    assert await keyed.transaction(lambda transaction: rotation.withdraw(transaction, SCHEDULE)) == [(kid, "ES256")]
    assert kid not in {key.kid for key in await stored.ages(keyed)}
    assert [key.kid for key in await stored.retired_keys(keyed)] == [kid]


async def test_a_retired_key_is_kept_as_long_as_its_id_tokens_can_name_somebody(keyed: Database, clock: Clock) -> None:
    planned = await turn(keyed)
    await rotate(keyed, planned)
    clock.offset = SCHEDULE.after
    await keyed.transaction(lambda transaction: rotation.withdraw(transaction, SCHEDULE))
    for offset, gone in ((59 * DAY, 0), (61 * DAY, 1), (61 * DAY, 0)):
        clock.offset = SCHEDULE.after + offset
        assert await keyed.transaction(lambda transaction: stored.forget(transaction, kept=60 * DAY)) == gone
    assert len(await stored.ages(keyed)) == 4  # none of the others


async def test_a_revoked_key_is_neither_published_nor_verified_and_its_successor_signs(keyed: Database) -> None:
    active, following, spare = await of(keyed, ACTIVE), await of(keyed, NEXT), fresh()
    token = (await load_keyring(keyed, ROOTS)).signing["ES256"].sign(TOKEN, typ="JWT")
    revoked = await keyed.transaction(lambda transaction: rotation.revoke(transaction, active.kid, spare))
    assert (revoked.algorithm, revoked.successor, revoked.published) == ("ES256", following.kid, True)
    assert (await of(keyed, NEXT)).kid == spare.kid
    ring = await load_keyring(keyed, ROOTS)
    assert active.kid not in {*ring.verifying, *ring.hints}
    assert active.kid not in ring.jwks.decode()
    for keys in (ring.verifying, ring.hints):
        with pytest.raises(InvalidToken):
            verify_token(token, keys, expected_issuer=ISSUER, expected_type="JWT", now=None)
    assert {row["kid"]: row["private_jwk"] for row in await keyed.all(ROWS)}[active.kid] is None
    with pytest.raises(KeyRefused, match="not revoked"):
        await keyed.transaction(lambda transaction: rotation.revoke(transaction, active.kid, fresh()))


async def test_a_revocation_without_a_successor_makes_the_new_key_sign(keyed: Database) -> None:
    active, spare = await of(keyed, ACTIVE), fresh()
    await keyed.transaction(lambda transaction: stored.remove_next(transaction, "ES256"))
    revoked = await keyed.transaction(lambda transaction: rotation.revoke(transaction, active.kid, spare))
    assert revoked.successor == spare.kid == (await of(keyed, ACTIVE)).kid


async def test_revoking_the_next_key_leaves_the_signing_one_alone(keyed: Database) -> None:
    active, following, spare = await of(keyed, ACTIVE), await of(keyed, NEXT), fresh()
    revoked = await keyed.transaction(lambda transaction: rotation.revoke(transaction, following.kid, spare))
    assert (revoked.successor, revoked.published) == (None, True)
    assert ((await of(keyed, ACTIVE)).kid, (await of(keyed, NEXT)).kid) == (active.kid, spare.kid)


async def test_a_key_from_elsewhere_follows_in_place_of_ours(keyed: Database) -> None:
    following, foreign = (
        await of(keyed, NEXT),
        seal_key("ES256", ECKey.generate_key("P-256"), ROOTS, state=NEXT, kid="theirs"),
    )
    await keyed.transaction(lambda transaction: rotation.take_in(transaction, foreign))
    assert (await of(keyed, NEXT)).kid == "theirs"
    assert following.kid not in await states(keyed)
    with pytest.raises(KeyRefused, match="a key named theirs, which is next"):
        await keyed.transaction(lambda transaction: rotation.take_in(transaction, foreign))
    await rotate(keyed, await turn(keyed))
    ring = await load_keyring(keyed, ROOTS)
    assert ring.signing["ES256"].kid == "theirs"


async def test_a_worker_follows_a_rotation_and_keeps_what_it_knows_of_each_key(keyed: Database) -> None:
    keys = CurrentKeys(await load_keyring(keyed, ROOTS))
    assert not await keys.follow(keyed, ROOTS)
    before, seen, planned = keys.ring, SeenTokens(), await turn(keyed)
    signer = before.signing["ES256"]
    token = signer.sign(TOKEN, typ="JWT")
    verify_token(token, before.verifying, expected_issuer=ISSUER, expected_type="JWT", now=None, seen=seen)
    await rotate(keyed, planned)
    assert await keys.follow(keyed, ROOTS)
    assert not await keys.follow(keyed, ROOTS)
    ring = keys.ring
    assert ring.signing["ES256"].kid != signer.kid
    assert ring.signing["EdDSA"] is before.signing["EdDSA"]
    assert all(ring.verifying[kid] is key for kid, key in before.verifying.items())
    assert {key["kid"] for key in json.loads(ring.jwks)["keys"]} == set(ring.verifying)
    assert ring.jwks != before.jwks
    verify_token(token, ring.verifying, expected_issuer=ISSUER, expected_type="JWT", now=None, seen=seen)
    assert signer.verifications == 1  # the token is still known
    assert not signer.key.is_private  # and its key signs no more in this process


async def test_a_faster_workers_new_key_verifies_where_the_rotation_is_not_noticed_yet(keyed: Database) -> None:
    slow = await load_keyring(keyed, ROOTS)
    await rotate(keyed, await turn(keyed))
    fast = await load_keyring(keyed, ROOTS)
    for signing, verifying in ((fast, slow), (slow, fast)):
        token = signing.signing["ES256"].sign(TOKEN, typ="JWT")
        verify_token(token, verifying.verifying, expected_issuer=ISSUER, expected_type="JWT", now=None)


async def test_an_id_token_names_somebody_after_its_key_was_retired_and_an_access_token_is_dead(
    keyed: Database, clock: Clock
) -> None:
    before = await load_keyring(keyed, ROOTS)
    tokens = [before.signing[name].sign(TOKEN, typ="JWT") for name in ("ES256", "EdDSA")]
    await rotate(keyed, await turn(keyed), await turn(keyed, "EdDSA"))
    clock.offset = SCHEDULE.after
    await keyed.transaction(lambda transaction: rotation.withdraw(transaction, SCHEDULE))
    ring = await load_keyring(keyed, ROOTS, before)
    for token in tokens:
        with pytest.raises(InvalidToken):
            verify_token(token, ring.verifying, expected_issuer=ISSUER, expected_type="JWT", now=None)
        for _ in range(2):
            verify_token(token, ring.hints, expected_issuer=ISSUER, expected_type="JWT", now=None)
    assert len(ring.hints) == len(list(ring.hints)) == 6
    assert ring.hints.get("unknown") is None


async def test_a_change_that_a_worker_cannot_open_leaves_its_keys_as_they_are(keyed: Database) -> None:
    keys = CurrentKeys(await load_keyring(keyed, ROOTS))
    before, foreign = keys.ring, Roots.derive(OTHER_SECRET_KEY, SECRET_KEY)
    await rotate(keyed, Turn(await of(keyed, ACTIVE), fresh(roots=foreign)))  # by a replica that has the new secret
    with pytest.raises(UndecipherableKey):
        await keys.follow(keyed, ROOTS)
    assert keys.ring is before
    assert before.signing["ES256"].sign(TOKEN, typ="JWT")
    assert not await keys.follow(keyed, ROOTS)  # told once
    assert await keys.follow(keyed, foreign) is False
    await rotate(keyed, Turn(await of(keyed, ACTIVE), fresh(roots=foreign)))
    assert await keys.follow(keyed, foreign)  # after a restart with both


async def test_a_replica_with_the_old_secret_follows_what_one_with_the_new_secret_resealed(keyed: Database) -> None:
    keys = CurrentKeys(await load_keyring(keyed, ROOTS))
    await reseal_keys(keyed, Roots.derive(OTHER_SECRET_KEY, SECRET_KEY))
    assert not await keys.follow(keyed, ROOTS)
    planned = await turn(keyed)
    await keyed.transaction(lambda transaction: stored.remove_next(transaction, "EdDSA"))
    await rotate(keyed, planned)  # ES256: the key that follows is in this replica's memory
    assert await keys.follow(keyed, ROOTS)
    assert keys.ring.signing["ES256"].kid != planned.active.kid


async def test_what_is_undone_is_noticed_by_nobody(keyed: Database) -> None:
    before = await stored.revision(keyed)
    with pytest.raises(KeyRefused):
        await rotate(keyed, await turn(keyed), used=DAY)
    assert await stored.revision(keyed) == before
    await rotate(keyed, await turn(keyed))
    assert await stored.revision(keyed) == before + 1


async def test_keys_are_made_side_by_side_and_the_loop_goes_on() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    made = await new_signing_keys(KEY_ALGORITHMS, ROOTS, rsa_bits=3072)
    counting.cancel()
    assert [key.algorithm for key in made] == list(KEY_ALGORITHMS)
    assert turns > 1000


async def test_first_keys_that_are_there_are_not_made_again(keyed: Database) -> None:
    made = await make_first_keys(keyed, ROOTS, rsa_bits=2048)
    assert [(key.algorithm, key.state) for key in made] == [
        (algorithm, state) for state in (NEXT, ACTIVE) for algorithm in ("RS256", "PS256")
    ]
    assert await make_first_keys(keyed, ROOTS, rsa_bits=2048) == ()


DIES_WHILE_ROTATING = """
import asyncio, os, signal, sys
from datetime import timedelta
from watchword.clock import Clock
from watchword.database import keys as stored, open_database

async def work(transaction):
    await stored.take_turn(transaction)
    assert await stored.retire(transaction, sys.argv[2], used=timedelta(0), published=timedelta(0))
    assert (await stored.find(transaction, sys.argv[2])).state == "retiring"
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(open_database(sys.argv[1], Clock()).transaction(work))
"""

DIES_WHILE_RESEALING = """
import asyncio, os, signal, sys
from watchword.clock import Clock
from watchword.database import keys as stored, open_database
from watchword.keys import Roots, reseal_keys

resealed = 0
reseal = stored.reseal_signing_key

async def die_at_the_third(*arguments):
    global resealed
    await reseal(*arguments)
    resealed += 1
    if resealed == 3:
        os.kill(os.getpid(), signal.SIGKILL)

stored.reseal_signing_key = die_at_the_third
new, old = sys.stdin.read().split()
asyncio.run(reseal_keys(open_database(sys.argv[1], Clock()), Roots.derive(new, old)))
"""


def killed(script: str, *arguments: str, secrets: str = "") -> bool:
    """Run a script that ends itself by SIGKILL, as `kill -9` would in the middle of its transaction."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], input=secrets.encode(), timeout=60, check=False)
    return done.returncode == -signal.SIGKILL


async def test_a_rotation_that_is_killed_in_the_middle_leaves_the_keys_whole(keyed: Database, url: str) -> None:
    before, planned = await keyed.all(ROWS), await turn(keyed)
    assert await asyncio.to_thread(killed, DIES_WHILE_ROTATING, url, planned.active.kid)
    assert await keyed.all(ROWS) == before
    assert await rotate(keyed, planned)  # and nothing is locked


async def test_resealing_that_is_killed_in_the_middle_leaves_every_key_to_be_opened(keyed: Database, url: str) -> None:
    before, both = await keyed.all(ROWS), Roots.derive(OTHER_SECRET_KEY, SECRET_KEY)
    secrets = f"{OTHER_SECRET_KEY}\n{SECRET_KEY}\n"
    assert await asyncio.to_thread(killed, DIES_WHILE_RESEALING, url, secrets=secrets)
    assert await keyed.all(ROWS) == before
    await reseal_keys(keyed, both)
    assert len((await load_keyring(keyed, Roots.derive(OTHER_SECRET_KEY, None))).verifying) == 4


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("rotate", "--algorithm", "HS256"), "--algorithm HS256: is none of RS256"),
        (("revoke", "-unknown"), "nothing was revoked: there is no key -unknown"),
        (("import", "missing.pem"), "nothing was imported: cannot read missing.pem: No such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_an_operator_cannot_do_is_refused_in_one_line(
    arguments: tuple[str, ...], why: str, idle: dict[str, str]
) -> None:
    done = subprocess.run(
        [*COMMAND, "keys", *arguments], env=idle, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"watchword: {why}")


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A provider that never ran, so that no worker published next keys."""
    return provider_environment(tmp_path_factory.mktemp("idle"), free_port())
