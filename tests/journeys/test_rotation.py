"""Keys rotate under load, and nobody notices: two replicas, a middleware and relying parties that keep the key set."""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from tests.endpoints.people import CODE, authorized
from tests.support.alternating import alternating
from tests.support.jwt import header_of
from tests.support.pairs import EMBEDDED, PAIRS, SERVERS, settings_of
from tests.support.person import Person
from tests.support.provider import RunningProvider, free_port, running_provider
from tests.support.relying_party import REDIRECT_URI, RelyingParty
from tests.support.secrecy import remember_secret
from watchword.protocol.jwt import SigningKey
from watchword_asgi import Verifier
from watchword_asgi.clock import Clock
from watchword_asgi.errors import Reason, Refused

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
MAX_AGE = 300  # seconds, as /jwks says
PEOPLE = {name: f"{name.lower()}@rotation.example" for name in ALGORITHMS}


# What concerns the stores is proved on both of them elsewhere.
ON_SERVERS = pytest.mark.parametrize("replicas", [SERVERS], indirect=True)


class Replicas(NamedTuple):
    """Two providers behind one address. `one` answers for both where only the stores matter."""

    one: RunningProvider
    other: RunningProvider


@pytest.fixture(scope="module", params=PAIRS)
def replicas(request: pytest.FixtureRequest) -> Iterator[Replicas]:
    front, one, other = free_port(), free_port(), free_port()
    with (
        tempfile.TemporaryDirectory(prefix="watchword-") as folder,
        settings_of(request.param) as servers,
        alternating(front, one, other),
    ):
        files = {
            "database_url": f"sqlite:///{folder}/durable.sqlite3",
            "ephemeral_url": f"sqlite:///{folder}/e.sqlite3",
        }
        options = {
            "issuer": f"http://localhost:{front}",
            "stores": files if request.param == EMBEDDED else servers,
            "test_limits": "off",
            "test_identifiers": ",".join(f"{email}:{CODE}" for email in PEOPLE.values()),
            "key_lifetime": "3600",
        }
        with ExitStack() as running, ThreadPoolExecutor() as starting:  # side by side, as replicas may

            def start(port: int) -> RunningProvider:
                return running.enter_context(running_provider(port=port, **options))  # type: ignore[arg-type]

            first, second = starting.map(start, (one, other))
            yield Replicas(first, second)


def register(provider: RunningProvider, algorithm: str) -> RelyingParty:
    """A client that registered itself and wants its ID tokens signed like this."""
    metadata = {
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "id_token_signed_response_alg": algorithm,
    }
    answer = httpx2.post(f"{provider.issuer}/register", json=metadata, timeout=30)
    assert answer.status_code == 201, answer.text
    client = answer.json()
    return RelyingParty(provider, client["client_id"], remember_secret(client["client_secret"]))


class Load:
    """People who sign in and apps that refresh, ask and verify, over and over; whatever fails ends the test."""

    def __init__(self, replicas: Replicas) -> None:
        self.replicas, self.issuer = replicas, replicas.one.issuer
        [row] = replicas.one.rows("SELECT clock_offset FROM store")
        self.offset = int(row["clock_offset"]) // 1_000_000  # another test may have moved the clock
        self.seen: dict[str, set[str]] = {name: set() for name in ALGORITHMS}
        self.rounds = 0
        self.tasks: list[asyncio.Task[None]] = []
        self.verifier = Verifier(issuer=self.issuer, audience=self.issuer, clock=Clock(self.now, self.monotonic))
        self._turns = asyncio.Semaphore(len(ALGORITHMS))
        self._kept: dict[str, tuple[float, Any]] = {}

    def check_alive(self) -> None:
        """Raise what ended one of the visits, which never end by themselves."""
        for task in self.tasks:
            if task.done():
                task.result()

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    def monotonic(self) -> float:
        return time.monotonic() + self.offset

    async def advance(self, seconds: int) -> None:
        """Move everybody's clock between two rounds: what lives for a minute would else die of the jump."""
        for _ in ALGORITHMS:
            await self._turns.acquire()
        await asyncio.to_thread(self.replicas.one.advance, seconds)
        self.offset += seconds
        for _ in ALGORITHMS:
            self._turns.release()

    async def visit(self, algorithm: str) -> None:
        """What one person and one app do for ever."""
        party = await asyncio.to_thread(register, self.replicas.one, algorithm)
        async with Person() as person:
            while True:
                async with self._turns:
                    await self.once(person, party, algorithm)
                    self.rounds += 1

    async def once(self, person: Person, party: RelyingParty, algorithm: str) -> dict[str, Any]:
        code = (await authorized(person, party.authorization_url(), PEOPLE[algorithm]))["code"]
        tokens = await self.checked(await party.exchange(code), party, algorithm)
        return await self.checked(await party.refresh(tokens["refresh_token"]), party, algorithm)

    async def checked(self, answer: httpx2.Response, party: RelyingParty, algorithm: str) -> dict[str, Any]:
        """Use what was issued: the ID token at the app, the access token at the provider and at an API."""
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        await self.verify_as_strict_party(tokens["id_token"], party, algorithm)
        for _ in range(2):  # at both replicas
            assert (await party.userinfo(tokens["access_token"])).status_code == 200
        assert (await self.verifier.verify(tokens["access_token"])).client_id == party.client_id
        return tokens

    async def verify_as_strict_party(self, token: str, party: RelyingParty, algorithm: str) -> None:
        """Verify with a key set that is kept for as long as it may be, and never fetched before that."""
        fetched_at, keys = self._kept.get(party.client_id, (float("-inf"), None))
        if self.monotonic() - fetched_at > MAX_AGE:
            async with httpx2.AsyncClient() as http:
                document = (await http.get(f"{self.issuer}/jwks")).json()
            keys = KeySet.import_key_set(document)
            self._kept[party.client_id] = (self.monotonic(), keys)
        header = header_of(token)
        assert header["alg"] == algorithm
        names = ["Ed25519" if algorithm == "EdDSA" else algorithm]
        if algorithm == "EdDSA":  # the oracle warns of the older name
            assert header["kid"] in {key.kid for key in keys.keys}
        else:
            assert jwt.decode(token, keys, algorithms=names).claims["aud"] == party.client_id
        self.seen[algorithm].add(header["kid"])


@asynccontextmanager
async def under_load(replicas: Replicas) -> AsyncIterator[Load]:
    load = Load(replicas)
    load.tasks = [asyncio.create_task(load.visit(name)) for name in ALGORITHMS]
    try:
        yield load
        load.check_alive()
    finally:
        for task in load.tasks:
            task.cancel()
        await asyncio.gather(*load.tasks, return_exceptions=True)
        await load.verifier.aclose()


async def eventually(load: Load, true: Any, what: str) -> None:
    """Poll the observable."""
    deadline = time.monotonic() + 20
    while not await true():
        load.check_alive()
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)


async def jwks(provider: RunningProvider) -> dict[str, dict[str, Any]]:
    async with httpx2.AsyncClient(timeout=30) as http:
        keys = (await http.get(f"{provider.own_address}/jwks", headers={"host": provider.issuer[7:]})).json()["keys"]
    return {key["kid"]: key for key in keys}


def stored(provider: RunningProvider) -> dict[str, dict[str, str]]:
    """The kids of each state, by algorithm; of several the newest."""
    rows = provider.rows("SELECT kid, algorithm, state FROM signing_key ORDER BY since")
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["state"], {})[row["algorithm"]] = row["kid"]
    return found


async def settled(load: Load) -> dict[str, dict[str, str]]:
    """Wait until each algorithm has its next key and both replicas publish it; returns the kids of each state."""

    async def is_settled() -> bool:
        following = (await asyncio.to_thread(stored, load.replicas.one)).get("next", {})
        sets = [set(await jwks(replica)) for replica in load.replicas]
        return len(following) == len(ALGORITHMS) and all(set(following.values()) <= keys for keys in sets)

    await eventually(load, is_settled, "no next keys at both replicas")
    return await asyncio.to_thread(stored, load.replicas.one)


async def until_everybody_uses(load: Load, kids: dict[str, str]) -> None:
    async def used() -> bool:
        return all(kid in load.seen[name] for name, kid in kids.items())

    await eventually(load, used, "the new keys are not used")


async def rotate(load: Load, *options: str) -> list[dict[str, str]]:
    done = await asyncio.to_thread(load.replicas.one.command, "keys", "rotate", "--json", *options)
    assert done.returncode == 0, done.stderr
    rotated: list[dict[str, str]] = json.loads(done.stdout)
    return rotated


async def import_key(provider: RunningProvider, *arguments: Path | str) -> dict[str, str]:
    done = await asyncio.to_thread(provider.command, "keys", "import", *map(str, arguments), "--json")
    assert done.returncode == 0, done.stderr
    imported: dict[str, str] = json.loads(done.stdout)
    return imported


async def test_keys_rotate_under_load_and_not_one_token_fails(replicas: Replicas) -> None:
    async with under_load(replicas) as load:
        before = await settled(load)
        await until_everybody_uses(load, before["active"])
        async with Person() as person:
            party = await asyncio.to_thread(register, replicas.one, "RS256")
            old = await load.once(person, party, "RS256")

        # By hand: at once, since whoever knows the first keys knows those that follow them.
        rotated = await rotate(load)
        assert {each["algorithm"]: each["active"] for each in rotated} == before["next"]
        await until_everybody_uses(load, before["next"])

        # Once more: these keys follow as soon as every cache knows them, and nobody has to ask again.
        soon = await settled(load)
        awaited = await rotate(load)
        assert {each["algorithm"]: each["next"] for each in awaited} == soon["next"]
        await load.advance(MAX_AGE + 10)
        await until_everybody_uses(load, soon["next"])
        for _ in range(2):
            assert (await party.userinfo(old["access_token"])).status_code == 200
        assert (await load.verifier.verify(old["access_token"])).client_id == party.client_id

        # By the clock: an elected worker does it.
        second = await settled(load)
        await load.advance(3700)
        await until_everybody_uses(load, second["next"])

        # What nobody needs any more is withdrawn, and what it signed is dead anyway; it still names somebody.
        await settled(load)
        await load.advance(5500)
        first_kids = set(before["active"].values())

        async def withdrawn() -> bool:
            return not any([first_kids & set(await jwks(replica)) for replica in replicas])

        await eventually(load, withdrawn, "retired keys are still published")
        for _ in range(2):
            assert (await party.userinfo(old["access_token"])).status_code == 401
        with pytest.raises(Refused) as refused:
            await load.verifier.verify(old["access_token"])
        assert refused.value.reason in {Reason.EXPIRED, Reason.UNKNOWN_KEY}
        hint = {"id_token_hint": old["id_token"]}
        async with httpx2.AsyncClient(timeout=30) as http:
            for _ in range(2):
                answer = await http.get(f"{load.issuer}/logout", params=hint)
                assert answer.status_code == 303, answer.text
        rounds = load.rounds
        await eventually(load, lambda: _more(load, rounds + 8), "the load stands still")
    names = {row["name"] for row in replicas.one.rows("SELECT DISTINCT name FROM audit_event")}
    assert {"key.made", "key.rotated", "key.retired"} <= names


async def _more(load: Load, rounds: int) -> bool:
    return load.rounds >= rounds


@ON_SERVERS
async def test_keys_from_elsewhere_keep_verifying_and_sign_after_a_rotation(replicas: Replicas, tmp_path: Path) -> None:
    load, provider = Load(replicas), replicas.one
    theirs, older = SigningKey("theirs", "ES256", ECKey.generate_key("P-256")), RSAKey.generate_key(2048)
    (tmp_path / "key.json").write_text(json.dumps(theirs.key.as_dict(private=True) | {"kid": "theirs"}))
    (tmp_path / "older.pem").write_bytes(older.as_pem(private=True))
    assert (await import_key(provider, tmp_path / "key.json"))["state"] == "next"
    verifying_alone = await import_key(provider, tmp_path / "older.pem", "--verify-only", "--algorithm", "PS256")
    assert verifying_alone["state"] == "retiring"

    async def is_published() -> bool:
        return all([{"theirs", verifying_alone["kid"]} <= set(await jwks(replica)) for replica in replicas])

    await eventually(load, is_published, "imported keys are not published")
    hint = {"iss": load.issuer, "aud": register(provider, "ES256").client_id, "sub": "somebody", "exp": 1}
    older_key = SigningKey(verifying_alone["kid"], "PS256", older)
    async with httpx2.AsyncClient(timeout=30) as http:
        for key in (theirs, older_key):
            for _ in range(2):
                named = {"id_token_hint": key.sign(hint, typ="JWT")}
                answer = await http.get(f"{load.issuer}/logout", params=named)
                assert answer.status_code == 303, answer.text
        forged = SigningKey("theirs", "ES256", ECKey.generate_key("P-256")).sign(hint, typ="JWT")
        assert (await http.get(f"{load.issuer}/logout", params={"id_token_hint": forged})).status_code == 400
    await load.advance(MAX_AGE + 10)
    assert [each["active"] for each in await rotate(load, "--algorithm", "ES256")] == ["theirs"]
    party = await asyncio.to_thread(register, provider, "ES256")
    async with Person() as person:

        async def signs() -> bool:
            tokens = await load.once(person, party, "ES256")
            return bool(header_of(tokens["access_token"])["kid"] == "theirs")

        await eventually(load, signs, "the imported key does not sign")
    await load.verifier.aclose()


async def signed_by_a_young_key(load: Load, person: Person, party: RelyingParty) -> dict[str, Any]:
    """Sign in, with a key that no schedule will rotate just now."""
    youngest = "SELECT kid, since FROM signing_key WHERE state = 'active' AND algorithm = 'ES256'"
    tokens: dict[str, Any] = {}

    async def is_signed() -> bool:
        [key] = await asyncio.to_thread(load.replicas.one.rows, youngest)
        tokens.update(await load.once(person, party, "ES256"))
        young = load.now() - datetime.fromtimestamp(key["since"] / 1e6, UTC) < timedelta(minutes=30)
        return young and bool(header_of(tokens["access_token"])["kid"] == key["kid"])

    await eventually(load, is_signed, "no young key signs")
    return tokens


@ON_SERVERS
async def test_a_revoked_key_is_dead_within_seconds_and_sign_in_goes_on(replicas: Replicas) -> None:
    load = Load(replicas)
    party = await asyncio.to_thread(register, replicas.one, "ES256")
    async with Person() as person:
        old = await signed_by_a_young_key(load, person, party)
        kid = header_of(old["access_token"])["kid"]
        done = await asyncio.to_thread(replicas.one.command, "keys", "revoke", kid, "--json")
        assert done.returncode == 0, done.stderr

        async def is_dead() -> bool:
            answers = [await party.userinfo(old["access_token"]) for _ in range(2)]
            return [answer.status_code for answer in answers] == [401, 401]

        await eventually(load, is_dead, "a revoked key verifies")
        assert not any([kid in await jwks(replica) for replica in replicas])
        refreshed = await party.refresh(old["refresh_token"])  # whose tag is none of that key's
        assert refreshed.status_code == 200, refreshed.text
        successor = json.loads(done.stdout)["active"]
        assert header_of(refreshed.json()["access_token"])["kid"] == successor
        for _ in range(2):
            assert (await party.userinfo(refreshed.json()["access_token"])).status_code == 200
    again = await asyncio.to_thread(replicas.one.command, "keys", "revoke", kid)
    assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)
    await load.verifier.aclose()
