"""Keys in the store: made once, sealed to their place under the operator's secret key, published without secrets."""

import json
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.support.provider import COMMAND, free_port, provider_environment
from tests.support.secrecy import remember_secret
from watchword.database import Database
from watchword.database import keys as stored
from watchword.keys import Roots, UndecipherableKey, WeakKey, load_keyring, make_first_keys, reseal_keys
from watchword.keys.keyring import KEY_ALGORITHMS

SECRET_KEY = remember_secret("zi0VmFzrSxkTLZFlwcH1YKP8JNyxkXQ4nTzZ")
OTHER_SECRET_KEY = remember_secret("W6t2pYbS0o9dJvCqHkR4mN8aLxEzGfUi1TrB")
ROOTS = Roots.derive(SECRET_KEY, None)
PUBLIC_MEMBERS = {
    "RSA": {"kty", "kid", "use", "alg", "n", "e"},
    "EC": {"kty", "kid", "use", "alg", "crv", "x", "y"},
    "OKP": {"kty", "kid", "use", "crv", "x"},  # `alg` has two names
}


@pytest.fixture
def url(file: Path) -> str:
    """What makes keys is the same on every store, and slow; `test_database_races` makes them on each."""
    return f"sqlite:///{file}"


@pytest.fixture
async def keyed(database: Database) -> Database:
    """The durable store with its first keys."""
    await make_first_keys(database, ROOTS)
    return database


def environment(folder: Path, **settings: str) -> dict[str, str]:
    return provider_environment(folder, free_port(), **settings)


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def listed_keys(environment: dict[str, str]) -> list[dict[str, str]]:
    done = run(environment, "keys", "list", "--json")
    assert done.returncode == 0, done.stderr
    keys: list[dict[str, str]] = json.loads(done.stdout)
    return keys


def only_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


def bytes_beside(file: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))


@pytest.mark.races
def test_four_commands_that_first_use_a_folder_at_once_agree_on_its_schema_secret_and_keys(tmp_path: Path) -> None:
    shared = environment(tmp_path)
    commands = [
        subprocess.Popen([*COMMAND, "keys", "list", "--json"], env=shared, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = [command.communicate(timeout=60)[0] for command in commands]
    assert [command.returncode for command in commands] == [0] * 4
    assert len(set(answers)) == 1
    assert sorted(key["algorithm"] for key in json.loads(answers[0])) == sorted(2 * KEY_ALGORITHMS)
    secret = tmp_path / "watchword.secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("watchword.secret*")] == [secret.name]


async def test_a_second_start_makes_no_more_keys(keyed: Database) -> None:
    before = await stored.signing_keys(keyed), await stored.mac_keys(keyed)
    await make_first_keys(keyed, ROOTS)
    assert (await stored.signing_keys(keyed), await stored.mac_keys(keyed)) == before


async def test_no_private_part_stands_in_the_file(keyed: Database, file: Path) -> None:
    keyring = await load_keyring(keyed, ROOTS)
    content = bytes_beside(file)
    for row in await stored.signing_keys(keyed):
        private: dict[str, Any] = keyring.verifying[row.kid].key.as_dict(private=True)
        secrets = [private[name] for name in ("d", "p", "q", "dp", "dq", "qi") if name in private]
        assert secrets
        assert not any(secret.encode() in content for secret in secrets)
        public = private["n"] if "n" in private else private["x"]
        assert public.encode() in content  # the search would find what stands there
    assert b'"d"' not in content
    assert not any(secret in content for secret in keyring.refresh.by_kid.values())


async def test_the_published_set_holds_public_members_only(keyed: Database) -> None:
    keyring = await load_keyring(keyed, ROOTS)
    published = json.loads(keyring.jwks)
    assert set(published) == {"keys"}
    assert {key["kid"] for key in published["keys"]} == set(keyring.verifying)
    assert sorted(key.get("alg", "EdDSA") for key in published["keys"]) == sorted(2 * KEY_ALGORITHMS)
    for key in published["keys"]:
        assert set(key) == PUBLIC_MEMBERS[key["kty"]]
        assert key["use"] == "sig"
        assert keyring.verifying[key["kid"]].algorithm == key.get("alg", "EdDSA")


async def test_keys_are_long_enough_and_named_by_their_thumbprint(keyed: Database) -> None:
    keyring = await load_keyring(keyed, ROOTS)
    rsa = keyring.signing["RS256"].key.as_dict(private=False)
    assert len(str(rsa["n"])) * 6 >= 2048
    assert keyring.signing["ES256"].key.as_dict(private=False)["crv"] == "P-256"
    assert all(key.key.thumbprint() == kid for kid, key in keyring.verifying.items())
    assert [len(secret) for secret in keyring.refresh.by_kid.values()] == [32]


@pytest.mark.parametrize("bits", [2048, 3072])
async def test_a_new_rsa_key_has_the_size_that_the_operator_chose(database: Database, bits: int) -> None:
    await make_first_keys(database, ROOTS, rsa_bits=bits)
    keyring = await load_keyring(database, ROOTS)
    await make_first_keys(database, ROOTS, rsa_bits=4096)  # a key that is there keeps its size
    assert (await load_keyring(database, ROOTS)).jwks == keyring.jwks
    key = keyring.signing["RS256"].key
    assert isinstance(key, RSAKey)
    assert key.raw_value.key_size == bits


def test_the_operator_chooses_the_size_by_a_setting_and_never_a_weak_one(tmp_path: Path) -> None:
    listed_keys(environment(tmp_path, rsa_bits="2048"))
    with sqlite3.connect(tmp_path / "watchword.sqlite3") as connection:
        (jwk,) = connection.execute("SELECT public_jwk FROM signing_key WHERE algorithm = 'RS256'").fetchone()
    connection.close()
    assert len(json.loads(jwk)["n"]) == 342  # 256 bytes in base64url
    for bits in ("1024", "2047", "many"):
        done = run(environment(tmp_path, rsa_bits=bits), "keys", "list")
        assert done.returncode == 2
        assert only_line(done.stderr).startswith("watchword: WATCHWORD_RSA_BITS: ")


async def test_a_weak_key_in_the_store_is_refused(keyed: Database, outsider: sqlite3.Connection) -> None:
    weak = orjson.dumps(ECKey.generate_key("P-521").as_dict(private=True))
    (kid,) = (row.kid for row in await stored.signing_keys(keyed) if (row.algorithm, row.state) == ("ES256", "active"))
    sealed = ROOTS.encrypt(weak, place=f"signing_key.private_jwk.{kid}")
    outsider.execute("UPDATE signing_key SET private_jwk = ? WHERE kid = ?", (sealed, kid))
    with pytest.raises(WeakKey, match=f"holds the signing key {kid}: the curve P-521"):
        await load_keyring(keyed, ROOTS)


def test_a_start_with_a_weak_key_is_one_helpful_line(tmp_path: Path) -> None:
    settings = environment(tmp_path, secret_key=SECRET_KEY)
    listed_keys(settings)
    weak = orjson.dumps(ECKey.generate_key("P-521").as_dict(private=True))
    with sqlite3.connect(tmp_path / "watchword.sqlite3") as connection:
        (kid,) = connection.execute("SELECT kid FROM signing_key WHERE algorithm = 'ES256'").fetchone()
        sealed = ROOTS.encrypt(weak, place=f"signing_key.private_jwk.{kid}")
        connection.execute("UPDATE signing_key SET private_jwk = ? WHERE kid = ?", (sealed, kid))
    connection.close()
    done = run(settings | {"WATCHWORD_LOG_LEVEL": "info"}, "serve")
    assert done.returncode == 2
    assert f"WATCHWORD_DATABASE_URL: holds the signing key {kid}" in only_line(done.stderr)


async def test_a_ciphertext_in_another_row_does_not_open(keyed: Database, outsider: sqlite3.Connection) -> None:
    first, second, *_ = (row.kid for row in await stored.signing_keys(keyed))
    outsider.execute(
        "UPDATE signing_key SET private_jwk = (SELECT private_jwk FROM signing_key WHERE kid = ?) WHERE kid = ?",
        (first, second),
    )
    with pytest.raises(UndecipherableKey, match="damaged"):
        await load_keyring(keyed, ROOTS)


async def test_a_ciphertext_in_another_table_does_not_open(keyed: Database, outsider: sqlite3.Connection) -> None:
    outsider.execute("UPDATE mac_key SET secret = (SELECT private_jwk FROM signing_key LIMIT 1)")
    with pytest.raises(UndecipherableKey, match="damaged"):
        await load_keyring(keyed, ROOTS)


@pytest.mark.parametrize("length", [0, 1, 5, 10, 17, 20])
def test_a_ciphertext_that_was_cut_does_not_open(length: int) -> None:
    sealed = ROOTS.encrypt(b"secret", place="here")
    with pytest.raises(UndecipherableKey):
        ROOTS.decrypt(sealed[:length], place="here")


def test_a_ciphertext_with_any_byte_changed_does_not_open() -> None:
    sealed = ROOTS.encrypt(b"secret", place="here")
    assert ROOTS.decrypt(sealed, place="here") == b"secret"
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(UndecipherableKey) as refused:
            ROOTS.decrypt(bytes(changed), place="here")
        assert SECRET_KEY not in str(refused.value)


async def test_another_secret_key_opens_nothing(keyed: Database) -> None:
    with pytest.raises(UndecipherableKey, match="another secret key"):
        await load_keyring(keyed, Roots.derive(OTHER_SECRET_KEY, None))


async def test_a_new_secret_key_takes_over_and_the_previous_one_can_be_dropped(keyed: Database) -> None:
    before = await load_keyring(keyed, ROOTS)
    both = Roots.derive(OTHER_SECRET_KEY, SECRET_KEY)
    assert (await load_keyring(keyed, both)).jwks == before.jwks
    await reseal_keys(keyed, both)
    after = await load_keyring(keyed, Roots.derive(OTHER_SECRET_KEY, None))
    assert (after.jwks, after.refresh, after.audit) == (before.jwks, before.refresh, before.audit)
    with pytest.raises(UndecipherableKey):
        await load_keyring(keyed, ROOTS)


async def test_resealing_what_is_sealed_already_changes_nothing(keyed: Database) -> None:
    before = await stored.signing_keys(keyed), await stored.mac_keys(keyed)
    await reseal_keys(keyed, ROOTS)
    assert (await stored.signing_keys(keyed), await stored.mac_keys(keyed)) == before


async def test_resealing_is_all_or_nothing(keyed: Database, outsider: sqlite3.Connection) -> None:
    outsider.execute("UPDATE mac_key SET secret = x'00'")
    with pytest.raises(UndecipherableKey):
        await reseal_keys(keyed, Roots.derive(OTHER_SECRET_KEY, SECRET_KEY))
    for row in await stored.signing_keys(keyed):
        assert row.private_jwk is not None
        assert ROOTS.decrypt(row.private_jwk, place=f"signing_key.private_jwk.{row.kid}")


async def test_a_symmetric_key_opens_for_its_own_purpose_alone(keyed: Database, outsider: sqlite3.Connection) -> None:
    outsider.execute("UPDATE mac_key SET purpose = 'swapped' WHERE purpose = 'refresh'")
    outsider.execute("UPDATE mac_key SET purpose = 'refresh' WHERE purpose = 'audit'")
    outsider.execute("UPDATE mac_key SET purpose = 'audit' WHERE purpose = 'swapped'")
    with pytest.raises(UndecipherableKey, match=r"mac_key\.(refresh|audit)\.\w+ is damaged"):
        await load_keyring(keyed, ROOTS)
    with pytest.raises(UndecipherableKey, match="is damaged"):
        await reseal_keys(keyed, ROOTS)


async def test_a_symmetric_key_from_before_it_was_sealed_to_its_purpose_is_sealed_anew(
    keyed: Database, outsider: sqlite3.Connection
) -> None:
    before = await load_keyring(keyed, ROOTS)
    for purpose, keys in before.secrets.items():
        old = ROOTS.encrypt(keys.secret, place=f"mac_key.secret.{keys.current}")
        outsider.execute("UPDATE mac_key SET secret = ? WHERE purpose = ?", (old, purpose))
    with pytest.raises(UndecipherableKey):
        await load_keyring(keyed, ROOTS)
    await reseal_keys(keyed, ROOTS)
    assert (await load_keyring(keyed, ROOTS)).secrets == before.secrets


async def test_no_representation_shows_a_secret(keyed: Database) -> None:
    keyring = await load_keyring(keyed, ROOTS)
    (mac,) = keyring.refresh.by_kid.values()
    for shown in (keyring, ROOTS, await stored.signing_keys(keyed), await stored.mac_keys(keyed)):
        for secret in (mac, ROOTS.current.pepper, ROOTS.current.key_encryption, ROOTS.current.forms):
            assert repr(secret)[2:-1] not in repr(shown)


def test_the_roots_of_one_secret_key_are_all_different() -> None:
    root, other = ROOTS.current, Roots.derive(OTHER_SECRET_KEY, None).current
    keys = [root.key_encryption, root.pepper, root.forms, other.key_encryption, other.pepper, other.forms]
    assert len(set(keys)) == 6
    assert root.kid != other.kid


def test_a_start_with_another_secret_key_is_one_helpful_line(tmp_path: Path) -> None:
    listed_keys(environment(tmp_path, secret_key=SECRET_KEY))
    done = run(environment(tmp_path, secret_key=OTHER_SECRET_KEY, log_level="info"), "serve")
    assert done.returncode == 2
    line = only_line(done.stderr)
    assert line.startswith("watchword: WATCHWORD_SECRET_KEY: does not open the keys")
    assert "WATCHWORD_SECRET_KEY_PREVIOUS" in line
    assert OTHER_SECRET_KEY not in line


def test_the_secret_key_rotates_from_start_to_start(tmp_path: Path) -> None:
    first = listed_keys(environment(tmp_path, secret_key=SECRET_KEY))
    both = environment(tmp_path, secret_key=OTHER_SECRET_KEY, secret_key_previous=SECRET_KEY)
    assert listed_keys(both) == first
    assert listed_keys(environment(tmp_path, secret_key=OTHER_SECRET_KEY)) == first


@pytest.mark.parametrize(
    "content",
    [b"", b"short", "long enough to be a secret key, but not ASCII: é".encode()],
    ids=["empty", "short", "odd"],
)
def test_a_secret_file_without_a_secret_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    secret = tmp_path / "watchword.secret"
    secret.write_bytes(content)
    done = run(environment(tmp_path), "keys", "list")
    assert done.returncode == 2
    assert only_line(done.stderr).startswith("watchword: WATCHWORD_SECRET_KEY: ")
    assert secret.read_bytes() == content
