"""Signing keys and symmetric keys: made at first start, loaded once, parsed once, published, used."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

from watchword.database import Database, Reader, Transaction, store
from watchword.database import keys as stored
from watchword.database.keys import StoredMacKey, StoredSigningKey
from watchword.keys.roots import Roots
from watchword.protocol.jwt import Key, SigningKey
from watchword.protocol.key_strength import check_strength
from watchword.protocol.vocabulary import SIGNING_ALGORITHMS, SigningAlgorithm

RSA_BITS = 3072
ACTIVE = "active"
# What symmetric keys are for: tags of refresh tokens, opaque access tokens, the audit trail, identifiers as digests.
PURPOSES = ("refresh", "opaque", "audit", "identifier")


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """The symmetric keys of one purpose, 32 bytes each. New things are made with `current`, old ones name their kid."""

    current: str
    by_kid: Mapping[str, bytes] = field(repr=False)

    @property
    def secret(self) -> bytes:
        """The current key."""
        return self.by_kid[self.current]


@dataclass(frozen=True, slots=True)
class Keyring:
    """Every key in memory, private parts parsed. `jwks` is the published document, ready to send."""

    signing: Mapping[SigningAlgorithm, SigningKey]
    verifying: Mapping[str, SigningKey]
    refresh: SecretKeys
    opaque: SecretKeys
    audit: SecretKeys
    identifier: SecretKeys
    jwks: bytes


class WeakKey(Exception):
    """A stored signing key is too weak, or of a kind that is not used here. `str()` names it and says why."""


async def make_first_keys(database: Database, roots: Roots, *, rsa_bits: int = RSA_BITS) -> None:
    """Make one key per algorithm and one symmetric key per purpose where none is, before workers fork.

    `rsa_bits` is the size of a new RSA key; one that is there stays as it is.

    Keys are made before the transaction, for that takes long, and kept only if they are still missing inside it: of
    several processes that start at once, one gives the keys.
    """
    missing = await _missing_algorithms(database)
    new_keys = [_new_signing_key(name, roots, rsa_bits) for name in missing]
    new_secrets = [_new_secret_key(purpose, roots) for purpose in PURPOSES]

    async def work(transaction: Transaction) -> None:
        await store.prepare(transaction)  # one at a time
        still_missing = await _missing_algorithms(transaction)
        for key in new_keys:
            if key.algorithm in still_missing:
                await stored.add_signing_key(transaction, key)
        present = {key.purpose for key in await stored.mac_keys(transaction)}
        for secret in new_secrets:
            if secret.purpose not in present:
                await stored.add_mac_key(transaction, secret)

    await database.transaction(work)


async def reseal_keys(database: Database, roots: Roots) -> None:
    """Put what was sealed under the previous secret key under the current one, so that the previous can be dropped.

    Raises:
        UndecipherableKey: a secret does not open under either.
    """

    async def work(transaction: Transaction) -> None:
        for key in await stored.signing_keys(transaction):
            private_jwk = roots.reseal(key.private_jwk, place=_signing_place(key.kid))
            if private_jwk != key.private_jwk:
                await stored.reseal_signing_key(transaction, key.kid, private_jwk)
        for mac in await stored.mac_keys(transaction):
            secret = roots.reseal(mac.secret, place=_mac_place(mac.kid))
            if secret != mac.secret:
                await stored.reseal_mac_key(transaction, mac.kid, secret)

    await database.transaction(work)


async def load_keyring(database: Database, roots: Roots) -> Keyring:
    """Read and parse every key. Two statements.

    Raises:
        UndecipherableKey: a private part does not open under the secret key.
        WeakKey: a signing key is too weak to be used.
    """
    rows = await stored.signing_keys(database)
    keys = {row.kid: SigningKey(row.kid, _algorithm(row), _open(row, roots)) for row in rows}
    secret = _secret_keys(await stored.mac_keys(database), roots)
    public = [orjson.loads(row.public_jwk) for row in rows]
    return Keyring(
        signing={keys[row.kid].algorithm: keys[row.kid] for row in rows if row.state == ACTIVE},
        verifying=keys,
        refresh=secret["refresh"],
        opaque=secret["opaque"],
        audit=secret["audit"],
        identifier=secret["identifier"],
        jwks=orjson.dumps({"keys": public}),
    )


def _secret_keys(rows: Iterable[StoredMacKey], roots: Roots) -> Mapping[str, SecretKeys]:
    """Open the symmetric keys, oldest first: the newest of a purpose is its current one."""
    by_purpose: dict[str, dict[str, bytes]] = {}
    for row in rows:
        by_purpose.setdefault(row.purpose, {})[row.kid] = roots.decrypt(row.secret, place=_mac_place(row.kid))
    return {purpose: SecretKeys(list(keys)[-1], keys) for purpose, keys in by_purpose.items()}


async def _missing_algorithms(reader: Reader) -> list[SigningAlgorithm]:
    present = {key.algorithm for key in await stored.signing_keys(reader) if key.state == ACTIVE}
    return [name for name in SIGNING_ALGORITHMS if name not in present]


def _signing_place(kid: str) -> str:
    return f"signing_key.private_jwk.{kid}"


def _mac_place(kid: str) -> str:
    return f"mac_key.secret.{kid}"


def _algorithm(row: StoredSigningKey) -> SigningAlgorithm:
    return next(name for name in SIGNING_ALGORITHMS if name == row.algorithm)


def _new_signing_key(algorithm: SigningAlgorithm, roots: Roots, rsa_bits: int) -> StoredSigningKey:
    key: Key = RSAKey.generate_key(rsa_bits) if algorithm == "RS256" else ECKey.generate_key("P-256")
    kid = key.thumbprint()  # RFC 7638
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": algorithm}
    private = orjson.dumps(key.as_dict(private=True))
    return StoredSigningKey(
        kid,
        algorithm,
        ACTIVE,
        orjson.dumps(public).decode(),
        roots.encrypt(private, place=_signing_place(kid)),
    )


def _new_secret_key(purpose: str, roots: Roots) -> StoredMacKey:
    kid = secrets.token_hex(4)
    return StoredMacKey(kid, purpose, roots.encrypt(secrets.token_bytes(32), place=_mac_place(kid)))


def _open(row: StoredSigningKey, roots: Roots) -> Key:
    private = orjson.loads(roots.decrypt(row.private_jwk, place=_signing_place(row.kid)))
    key: Key = _parse_rsa(private) if row.algorithm == "RS256" else ECKey.import_key(private)
    try:
        check_strength(key)
    except ValueError as problem:
        raise WeakKey(f"holds the signing key {row.kid}: {problem}") from None
    return key


def _parse_rsa(private: Mapping[str, str]) -> RSAKey:
    """Parse a key of our own making, which only the secret key could have sealed.

    So its primes are not proved anew: that takes 60 ms and more, at the start of every process.
    """
    parts = {name: base64_to_int(private[name]) for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")}
    numbers = RSAPrivateNumbers(
        p=parts["p"],
        q=parts["q"],
        d=parts["d"],
        dmp1=parts["dp"],
        dmq1=parts["dq"],
        iqmp=parts["qi"],
        public_numbers=RSAPublicNumbers(parts["e"], parts["n"]),
    )
    return RSAKey.import_key(numbers.private_key(unsafe_skip_rsa_key_validation=True))
