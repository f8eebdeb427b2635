"""Remembered devices: a browser that signed in keeps a secret that tells it from strangers, and signs nobody in.

It only decides whose failures count: strangers cannot lock such a browser out, nor spend its sends. The first factor is
asked for like everywhere else.
"""

import secrets
from uuid import UUID, uuid4

from watchword.accounts.proof import Identifier
from watchword.database import Reader, Transaction, devices
from watchword.events import Caller, record
from watchword.events.catalogue.people import DeviceRemembered, DevicesForgotten
from watchword.protocol.digests import fingerprint
from watchword.services import Services


async def find_device(reader: Reader, secret: str | None, identifier: Identifier) -> UUID | None:
    """Return the device that holds `secret`, if it belongs to the account that owns the identifier.

    One statement, none without a secret. Another account's, a disabled account's, an expired or a revoked one is None:
    a stranger.
    """
    if secret is None:
        return None
    return await devices.find(reader, token_hash=fingerprint(secret), kind=identifier.kind, value=identifier.value)


async def remember_device(
    services: Services, transaction: Transaction, account_id: UUID, *, known_as: str | None, caller: Caller
) -> str:
    """Return the new secret of a browser that just signed in; the one it came with is worth nothing afterwards.

    One statement for a browser that the account knew, three at most for a new one.
    """
    secret, lifetime = secrets.token_urlsafe(32), services.settings.device_lifetime
    token_hash, user_agent = fingerprint(secret), caller.user_agent
    if known_as is not None and await devices.rotate(
        transaction,
        account_id,
        before=fingerprint(known_as),
        token_hash=token_hash,
        lifetime=lifetime,
        user_agent=user_agent,
    ):
        return secret
    device_id = uuid4()
    await devices.add(
        transaction, device_id, account_id, token_hash=token_hash, lifetime=lifetime, user_agent=user_agent
    )
    await record(transaction, DeviceRemembered(account_id=account_id, device_id=str(device_id)), caller)
    return secret


async def forget_devices(transaction: Transaction, account_id: UUID, *, caller: Caller) -> int:
    """Make every browser of an account a stranger; returns how many there were. Two statements."""
    forgotten = await devices.revoke_all(transaction, account_id)
    await record(transaction, DevicesForgotten(account_id=account_id, devices=forgotten), caller)
    return forgotten
