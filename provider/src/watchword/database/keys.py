"""Signing keys and symmetric keys, their secret parts encrypted by the caller.

A signing key is `next`, `active`, `retiring`, `retired` or `revoked`; the schema has room for one of the first two for
each algorithm. Whatever changes signing keys begins with `take_turn`.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from watchword.clock import from_microseconds
from watchword.database.connection import Reader, Row, Transaction
from watchword.database.statement import Statement


@dataclass(frozen=True, slots=True)
class StoredSigningKey:
    """A row of `signing_key`; `private_jwk` is ciphertext, and gone once the key signs no more."""

    kid: str
    algorithm: str
    state: str
    public_jwk: str
    private_jwk: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyAge:
    """How long a published key has been in its state, by the store's clock.

    `wanted`: it is next, and to sign as soon as everybody knows it.
    """

    kid: str
    algorithm: str
    state: str
    age: timedelta
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class StoredMacKey:
    """A row of `mac_key`; `secret` is ciphertext. `purpose`: what the key is for, and for nothing else."""

    kid: str
    purpose: str
    secret: bytes = field(repr=False)


_TAKE_TURN = Statement("UPDATE store SET keys_revision = keys_revision + 1 WHERE id = 1")
_REVISION = Statement("SELECT keys_revision FROM store WHERE id = 1")
_SIGNING = Statement(
    """SELECT kid, algorithm, state, public_jwk, private_jwk FROM signing_key
    WHERE state IN ('next', 'active', 'retiring') ORDER BY created_at, kid"""
)
_RETIRED = Statement("SELECT kid, algorithm, state, public_jwk, private_jwk FROM signing_key WHERE state = 'retired'")
_AGES = Statement(
    """SELECT kid, algorithm, state, :now - since AS age, wanted FROM signing_key
    WHERE state IN ('next', 'active', 'retiring') ORDER BY created_at, kid"""
)
_LIST = Statement("SELECT kid, algorithm, state, since FROM signing_key ORDER BY created_at, kid")
_FIND = Statement("SELECT kid, algorithm, state, :now - since AS age, wanted FROM signing_key WHERE kid = :kid")
_MAC = Statement("SELECT kid, purpose, secret FROM mac_key ORDER BY created_at, kid")
# A key that is there already, or another one in its place, stays what it is.
_INSERT_SIGNING = Statement(
    """INSERT INTO signing_key (kid, algorithm, state, public_jwk, private_jwk, created_at, since)
    VALUES (:kid, :algorithm, :state, :public_jwk, :private_jwk, :now, :now) ON CONFLICT DO NOTHING"""
)
_INSERT_MAC = Statement("INSERT INTO mac_key (kid, purpose, secret, created_at) VALUES (:kid, :purpose, :secret, :now)")
_RESEAL_SIGNING = Statement(
    "UPDATE signing_key SET private_jwk = :private_jwk WHERE kid = :kid AND private_jwk IS NOT NULL"
)
_RESEAL_MAC = Statement("UPDATE mac_key SET secret = :secret WHERE kid = :kid")
# Nobody needs the private part any more, so it is destroyed here and not by something that might be forgotten. Whoever
# knows the active key knows a successor that is as old: there never was a key set with the one and without the other.
_RETIRE = Statement(
    """UPDATE signing_key SET state = 'retiring', private_jwk = NULL, since = :now
    WHERE kid = :kid AND state = 'active' AND since <= :now - :used AND EXISTS
        (SELECT 1 FROM signing_key AS successor WHERE successor.algorithm = signing_key.algorithm
            AND successor.state = 'next'
            AND (successor.since <= :now - :published OR successor.since <= signing_key.created_at))"""
)
_PROMOTE = Statement(
    """UPDATE signing_key SET state = 'active', since = :now, wanted = FALSE
    WHERE algorithm = :algorithm AND state = 'next' AND NOT EXISTS
        (SELECT 1 FROM signing_key AS other WHERE other.algorithm = :algorithm AND other.state = 'active')
    RETURNING kid"""
)
_WANT = Statement(
    """UPDATE signing_key SET wanted = TRUE
    WHERE algorithm = :algorithm AND state = 'next' AND EXISTS
        (SELECT 1 FROM signing_key AS other WHERE other.kid = :active AND other.state = 'active')
    RETURNING kid, algorithm, state, :now - since AS age, wanted"""
)
_WITHDRAW = Statement(
    """UPDATE signing_key SET state = 'retired', since = :now
    WHERE state = 'retiring' AND since <= :now - :kept RETURNING kid, algorithm"""
)
_REVOKE = Statement(
    """UPDATE signing_key SET state = 'revoked', private_jwk = NULL, since = :now
    WHERE kid = :kid AND state <> 'revoked' RETURNING algorithm"""
)
_REMOVE_NEXT = Statement("DELETE FROM signing_key WHERE algorithm = :algorithm AND state = 'next'")
_FORGET = Statement("DELETE FROM signing_key WHERE state IN ('retired', 'revoked') AND since <= :now - :kept")


async def take_turn(transaction: Transaction) -> None:
    """Begin a change of signing keys: of transactions that do, one runs at a time, and workers notice. One statement.

    Nobody notices a transaction that is undone.
    """
    await transaction.execute(_TAKE_TURN)


async def revision(reader: Reader) -> int:
    """Return the number that rises with each change of signing keys. One statement."""
    row = await reader.one(_REVISION)
    assert row is not None
    return int(row["keys_revision"])


async def signing_keys(reader: Reader) -> list[StoredSigningKey]:
    """Return every published key, oldest first. One statement."""
    return [StoredSigningKey(**row) for row in map(dict, await reader.all(_SIGNING))]


async def retired_keys(reader: Reader) -> list[StoredSigningKey]:
    """Return every key that is published no more and was not revoked. One statement."""
    return [StoredSigningKey(**row) for row in map(dict, await reader.all(_RETIRED))]


async def ages(reader: Reader) -> list[KeyAge]:
    """Return the published keys without their parts, oldest first. One statement."""
    return [_age(row) for row in await reader.all(_AGES)]


async def find(reader: Reader, kid: str) -> KeyAge | None:
    """Return a key of any state. One statement."""
    row = await reader.one(_FIND, kid=kid)
    return None if row is None else _age(row)


async def listing(reader: Reader) -> list[dict[str, str]]:
    """Return every key of any state, oldest first, as an operator reads it. One statement."""
    return [
        {
            "kid": row["kid"],
            "algorithm": row["algorithm"],
            "state": row["state"],
            "since": from_microseconds(row["since"]).isoformat(timespec="seconds"),
        }
        for row in await reader.all(_LIST)
    ]


async def mac_keys(reader: Reader) -> list[StoredMacKey]:
    """Return every MAC key, oldest first. One statement."""
    return [StoredMacKey(**row) for row in map(dict, await reader.all(_MAC))]


async def add_signing_key(transaction: Transaction, key: StoredSigningKey) -> bool:
    """Keep a signing key; False where its name or its place in turn is taken. One statement."""
    added = await transaction.execute(
        _INSERT_SIGNING,
        kid=key.kid,
        algorithm=key.algorithm,
        state=key.state,
        public_jwk=key.public_jwk,
        private_jwk=key.private_jwk,
    )
    return added == 1


async def add_mac_key(transaction: Transaction, key: StoredMacKey) -> None:
    """Keep a MAC key. One statement."""
    await transaction.insert(_INSERT_MAC, kid=key.kid, purpose=key.purpose, secret=key.secret)


async def retire(transaction: Transaction, kid: str, *, used: timedelta, published: timedelta) -> bool:
    """Let an active key sign no more, and destroy its private part. One statement.

    False unless it is active, has been for `used`, and its successor was published at least `published` ago, or as
    early as this key itself.
    """
    return await transaction.execute(_RETIRE, kid=kid, used=used, published=published) == 1


async def promote(transaction: Transaction, algorithm: str) -> str | None:
    """Let the next key of an algorithm sign, if none does; returns its kid. One statement."""
    row = await transaction.one(_PROMOTE, algorithm=algorithm)
    return None if row is None else str(row["kid"])


async def want(transaction: Transaction, algorithm: str, *, active: str) -> KeyAge | None:
    """Let the next key follow as soon as everybody knows it; None when `active` signs no more. One statement."""
    row = await transaction.one(_WANT, algorithm=algorithm, active=active)
    return None if row is None else _age(row)


async def withdraw(transaction: Transaction, *, kept: timedelta) -> list[tuple[str, str]]:
    """Publish keys no more that signed nothing for `kept`; returns kids and algorithms. One statement."""
    return [(row["kid"], row["algorithm"]) for row in await transaction.all(_WITHDRAW, kept=kept)]


async def revoke(transaction: Transaction, kid: str) -> str | None:
    """Let a key of any state verify nothing any more; returns its algorithm. One statement.

    None when there is no such key, or it is revoked already.
    """
    row = await transaction.one(_REVOKE, kid=kid)
    return None if row is None else str(row["algorithm"])


async def remove_next(transaction: Transaction, algorithm: str) -> None:
    """Remove the key that would sign next, which has signed nothing. One statement."""
    await transaction.execute(_REMOVE_NEXT, algorithm=algorithm)


async def forget(transaction: Transaction, *, kept: timedelta) -> int:
    """Delete keys that were retired or revoked longer than `kept` ago; returns how many. One statement."""
    return await transaction.execute(_FORGET, kept=kept)


async def reseal_signing_key(transaction: Transaction, kid: str, private_jwk: bytes) -> None:
    """Replace the ciphertext of a signing key, unless it was destroyed meanwhile. One statement."""
    await transaction.execute(_RESEAL_SIGNING, kid=kid, private_jwk=private_jwk)


async def reseal_mac_key(transaction: Transaction, kid: str, secret: bytes) -> None:
    """Replace the ciphertext of a MAC key. One statement."""
    await transaction.execute(_RESEAL_MAC, kid=kid, secret=secret)


def _age(row: Row) -> KeyAge:
    return KeyAge(row["kid"], row["algorithm"], row["state"], timedelta(microseconds=row["age"]), bool(row["wanted"]))
