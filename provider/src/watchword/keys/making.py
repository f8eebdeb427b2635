"""Making keys: those a provider needs before it can sign at all, and those that follow them."""

import asyncio
import secrets
from collections.abc import Iterable, Sequence

import orjson
from joserfc.jwk import ECKey, OKPKey, RSAKey

from watchword.database import Database, Reader, Transaction, store
from watchword.database import keys as stored
from watchword.database.keys import StoredMacKey, StoredSigningKey
from watchword.keys.keyring import ACTIVE, KEY_ALGORITHMS, NEXT, PURPOSES, RSA_BITS, mac_place, signing_place
from watchword.keys.roots import Roots
from watchword.protocol.jwt import Key
from watchword.protocol.vocabulary import SigningAlgorithm


async def make_first_keys(database: Database, roots: Roots, *, rsa_bits: int = RSA_BITS) -> Sequence[StoredSigningKey]:
    """Make what must sign at once where it is missing, before workers fork; returns the signing keys that were made.

    That is one key per algorithm with the one that will follow it, so that a key set was never published without, and
    one symmetric key per purpose. `rsa_bits` is the size of a new RSA key; one that is there stays as it is.

    Keys are made before the transaction, for that takes long, and kept only if they are still missing inside it: of
    several processes that start at once, one gives the keys. Two statements where nothing is missing.
    """
    missing, purposes = await _missing_algorithms(database), await _missing_purposes(database)
    if not missing and not purposes:
        return ()
    new_keys = [  # next keys first: one that is as old as the key before it may follow that at any time
        *await new_signing_keys(missing, roots, rsa_bits=rsa_bits),
        *await new_signing_keys(missing, roots, rsa_bits=rsa_bits, state=ACTIVE),
    ]
    new_secrets = [_new_secret_key(purpose, roots) for purpose in purposes]

    async def work(transaction: Transaction) -> list[StoredSigningKey]:
        await store.prepare(transaction)
        await stored.take_turn(transaction)
        added = [key for key in new_keys if await stored.add_signing_key(transaction, key)]
        still_missing = await _missing_purposes(transaction)
        for secret in new_secrets:
            if secret.purpose in still_missing:
                await stored.add_mac_key(transaction, secret)
        return added

    return await database.transaction(work)


async def new_signing_keys(
    algorithms: Iterable[SigningAlgorithm], roots: Roots, *, rsa_bits: int, state: str = NEXT
) -> list[StoredSigningKey]:
    """Make a key for each algorithm, side by side, in threads where that takes long. Nothing is stored."""
    names = list(algorithms)
    return [
        seal_key(name, key, roots, state=state)
        for name, key in zip(names, await asyncio.gather(*(_generate(name, rsa_bits) for name in names)), strict=True)
    ]


def seal_key(
    algorithm: SigningAlgorithm, key: Key, roots: Roots, *, state: str, kid: str | None = None
) -> StoredSigningKey:
    """Write a key as it is stored: its public part as it will be published, its private part sealed if it has one.

    Its name is the thumbprint of RFC 7638 unless it has one already.
    """
    kid = kid or key.thumbprint()
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": algorithm}
    if isinstance(key, OKPKey):
        del public["alg"]  # it has two names, and readers that know one would refuse the other
    private = orjson.dumps(key.as_dict(private=True)) if key.is_private else None
    return StoredSigningKey(
        kid,
        algorithm,
        state,
        orjson.dumps(public).decode(),
        roots.encrypt(private, place=signing_place(kid)) if private else None,
    )


async def _generate(algorithm: SigningAlgorithm, rsa_bits: int) -> Key:
    if algorithm in {"RS256", "PS256"}:
        # Takes up to a second, in which OpenSSL lets the loop and the other threads go on.
        return await asyncio.to_thread(RSAKey.generate_key, rsa_bits)
    return ECKey.generate_key("P-256") if algorithm == "ES256" else OKPKey.generate_key("Ed25519")


async def _missing_algorithms(reader: Reader) -> list[SigningAlgorithm]:
    present = {key.algorithm for key in await stored.ages(reader) if key.state == ACTIVE}
    return [name for name in KEY_ALGORITHMS if name not in present]


async def _missing_purposes(reader: Reader) -> list[str]:
    present = {key.purpose for key in await stored.mac_keys(reader)}
    return [purpose for purpose in PURPOSES if purpose not in present]


def _new_secret_key(purpose: str, roots: Roots) -> StoredMacKey:
    kid = secrets.token_hex(4)
    return StoredMacKey(kid, purpose, roots.encrypt(secrets.token_bytes(32), place=mac_place(purpose, kid)))
