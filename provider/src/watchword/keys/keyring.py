"""Signing keys and MAC keys: made at first start, loaded once, parsed once, published, used."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from joserfc.jwk import ECKey, RSAKey

from watchword.database import Database, Transaction
from watchword.database import keys as stored
from watchword.database.keys import StoredMacKey, StoredSigningKey
from watchword.keys.roots import Roots
from watchword.protocol.jwt import Key, SigningKey
from watchword.protocol.vocabulary import SIGNING_ALGORITHMS, SigningAlgorithm

RSA_BITS = 3072
ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Keyring:
    """Every key in memory, private parts parsed. `jwks` is the published document, ready to send."""

    signing: Mapping[SigningAlgorithm, SigningKey]
    verifying: Mapping[str, SigningKey]
    mac: Mapping[str, bytes] = field(repr=False)
    current_mac: str
    jwks: bytes


async def make_first_keys(database: Database, roots: Roots) -> None:
    """Make one key per algorithm and one MAC key where none is. Run by the parent process before workers fork."""
    present = {key.algorithm for key in await stored.signing_keys(database) if key.state == ACTIVE}
    new_keys = [_new_signing_key(name, roots) for name in SIGNING_ALGORITHMS if name not in present]
    new_mac = None if await stored.mac_keys(database) else _new_mac_key(roots)

    async def work(transaction: Transaction) -> None:
        for key in new_keys:
            await stored.add_signing_key(transaction, key)
        if new_mac is not None:
            await stored.add_mac_key(transaction, new_mac)

    await database.transaction(work)


async def load_keyring(database: Database, roots: Roots) -> Keyring:
    """Read and parse every key. Two statements.

    Raises:
        UndecipherableKey: a private part does not open under the secret key.
    """
    rows = await stored.signing_keys(database)
    keys = {row.kid: SigningKey(row.kid, _algorithm(row), _open(row, roots)) for row in rows}
    mac = {
        row.kid: roots.decrypt(row.secret, place=f"mac_key.secret.{row.kid}") for row in await stored.mac_keys(database)
    }
    public = [orjson.loads(row.public_jwk) for row in rows]
    return Keyring(
        signing={keys[row.kid].algorithm: keys[row.kid] for row in rows if row.state == ACTIVE},
        verifying=keys,
        mac=mac,
        current_mac=list(mac)[-1],
        jwks=orjson.dumps({"keys": public}),
    )


def _algorithm(row: StoredSigningKey) -> SigningAlgorithm:
    return next(name for name in SIGNING_ALGORITHMS if name == row.algorithm)


def _new_signing_key(algorithm: SigningAlgorithm, roots: Roots) -> StoredSigningKey:
    key: Key = RSAKey.generate_key(RSA_BITS) if algorithm == "RS256" else ECKey.generate_key("P-256")
    kid = key.thumbprint()  # RFC 7638
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": algorithm}
    private = orjson.dumps(key.as_dict(private=True))
    return StoredSigningKey(
        kid,
        algorithm,
        ACTIVE,
        orjson.dumps(public).decode(),
        roots.encrypt(private, place=f"signing_key.private_jwk.{kid}"),
    )


def _new_mac_key(roots: Roots) -> StoredMacKey:
    kid = secrets.token_hex(4)
    return StoredMacKey(kid, roots.encrypt(secrets.token_bytes(32), place=f"mac_key.secret.{kid}"))


def _open(row: StoredSigningKey, roots: Roots) -> Key:
    private = orjson.loads(roots.decrypt(row.private_jwk, place=f"signing_key.private_jwk.{row.kid}"))
    return RSAKey.import_key(private) if row.algorithm == "RS256" else ECKey.import_key(private)
