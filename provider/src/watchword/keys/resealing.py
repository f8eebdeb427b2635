"""Sealing stored keys anew: under a new secret key, and to the places that are named as they are now."""

from watchword.database import Database, Transaction
from watchword.database import keys as stored
from watchword.database.keys import StoredMacKey
from watchword.keys.keyring import mac_place, signing_place
from watchword.keys.roots import Roots, UndecipherableKey


async def reseal_keys(database: Database, roots: Roots) -> None:
    """Put what was sealed under the previous secret key under the current one, so that the previous can be dropped.

    All of it or nothing: a process that dies in the middle leaves every secret as it was.

    Raises:
        UndecipherableKey: a secret does not open under either.
    """

    async def work(transaction: Transaction) -> None:
        for key in await stored.signing_keys(transaction):
            if key.private_jwk is None:
                continue
            private_jwk = roots.reseal(key.private_jwk, place=signing_place(key.kid))
            if private_jwk != key.private_jwk:
                await stored.reseal_signing_key(transaction, key.kid, private_jwk)
        for mac in await stored.mac_keys(transaction):
            secret = _reseal_mac_key(mac, roots)
            if secret != mac.secret:
                await stored.reseal_mac_key(transaction, mac.kid, secret)

    await database.transaction(work)


def _reseal_mac_key(mac: StoredMacKey, roots: Roots) -> bytes:
    """Seal a symmetric key to its purpose. An older place did not name that; what is sealed to it opens only here."""
    place = mac_place(mac.purpose, mac.kid)
    try:
        return roots.reseal(mac.secret, place=place)
    except UndecipherableKey:
        return roots.encrypt(roots.decrypt(mac.secret, place=f"mac_key.secret.{mac.kid}"), place=place)
