"""Signing keys and symmetric keys, their secret parts encrypted by the caller."""

from dataclasses import dataclass, field

from watchword.database.connection import Reader, Transaction
from watchword.database.statement import Statement


@dataclass(frozen=True, slots=True)
class StoredSigningKey:
    """A row of `signing_key`; `private_jwk` is ciphertext."""

    kid: str
    algorithm: str
    state: str
    public_jwk: str
    private_jwk: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredMacKey:
    """A row of `mac_key`; `secret` is ciphertext. `purpose`: what the key is for, and for nothing else."""

    kid: str
    purpose: str
    secret: bytes = field(repr=False)


_SIGNING = Statement(
    """SELECT kid, algorithm, state, public_jwk, private_jwk FROM signing_key
    WHERE state <> 'gone' ORDER BY created_at, kid"""
)
_MAC = Statement("SELECT kid, purpose, secret FROM mac_key ORDER BY created_at, kid")
_INSERT_SIGNING = Statement(
    """INSERT INTO signing_key (kid, algorithm, state, public_jwk, private_jwk, created_at)
    VALUES (:kid, :algorithm, :state, :public_jwk, :private_jwk, :now)"""
)
_INSERT_MAC = Statement("INSERT INTO mac_key (kid, purpose, secret, created_at) VALUES (:kid, :purpose, :secret, :now)")
_RESEAL_SIGNING = Statement("UPDATE signing_key SET private_jwk = :private_jwk WHERE kid = :kid")
_RESEAL_MAC = Statement("UPDATE mac_key SET secret = :secret WHERE kid = :kid")


async def signing_keys(reader: Reader) -> list[StoredSigningKey]:
    """Return every key that is published or about to be, oldest first. One statement."""
    return [StoredSigningKey(**row) for row in map(dict, await reader.all(_SIGNING))]


async def mac_keys(reader: Reader) -> list[StoredMacKey]:
    """Return every MAC key, oldest first. One statement."""
    return [StoredMacKey(**row) for row in map(dict, await reader.all(_MAC))]


async def add_signing_key(transaction: Transaction, key: StoredSigningKey) -> None:
    """Keep a signing key. One statement."""
    await transaction.insert(
        _INSERT_SIGNING,
        kid=key.kid,
        algorithm=key.algorithm,
        state=key.state,
        public_jwk=key.public_jwk,
        private_jwk=key.private_jwk,
    )


async def add_mac_key(transaction: Transaction, key: StoredMacKey) -> None:
    """Keep a MAC key. One statement."""
    await transaction.insert(_INSERT_MAC, kid=key.kid, purpose=key.purpose, secret=key.secret)


async def reseal_signing_key(transaction: Transaction, kid: str, private_jwk: bytes) -> None:
    """Replace the ciphertext of a signing key. One statement."""
    await transaction.execute(_RESEAL_SIGNING, kid=kid, private_jwk=private_jwk)


async def reseal_mac_key(transaction: Transaction, kid: str, secret: bytes) -> None:
    """Replace the ciphertext of a MAC key. One statement."""
    await transaction.execute(_RESEAL_MAC, kid=kid, secret=secret)
