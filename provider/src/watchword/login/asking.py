"""Asking for a code: a new challenge, or a resend of the live one."""

from dataclasses import dataclass, field
from datetime import timedelta

from watchword.accounts import Identifier
from watchword.database import Transaction
from watchword.delivery.message import Channel
from watchword.events import Caller, record, record_alone
from watchword.events.catalogue import CodeRefused, CodeRequested
from watchword.login.challenge import (
    Challenge,
    challenge_id,
    challenge_key,
    new_seed,
    read_challenge,
    write_challenge,
)
from watchword.login.locks import Locked, lock_left
from watchword.outbox import enqueue
from watchword.protocol.client import Client
from watchword.protocol.digests import fingerprint
from watchword.protocol.errors import ProtocolError
from watchword.services import Services

JOB = "one_time_code"


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """Who asks for a code, for what, and in which browser (`binding` is that browser's secret)."""

    identifier: Identifier
    client: Client
    binding: str = field(repr=False)
    locale: str
    caller: Caller
    purpose: str = "login"


class RateLimited(ProtocolError):
    """Asked again too soon."""

    error = "rate_limited"
    status = 429

    def __init__(self, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__("A code was sent a moment ago. Wait before asking for another.")


async def request_code(services: Services, asked: CodeRequest) -> Challenge:
    """Send a code, or send the live one again. The same for known and unknown identifiers: none is looked up.

    Three steps of the ephemeral store; one transaction of two statements. The message leaves from the outbox.

    Raises:
        RateLimited: the last send was too recent.
        Locked: the guesses of this browser for this identifier are spent.
    """
    name = challenge_name(services, asked.identifier, asked.client, asked.binding, purpose=asked.purpose)
    await _check_not_locked(services, name, asked)
    before = await services.ephemeral.get(challenge_key(name))
    challenge = _begin(services, name, asked) if before is None else await _resent(services, before, asked)
    if not await _store(services, challenge, before):  # asked twice at the same moment: the other request sends it
        await _record_refusal(services, "cool_down", asked)
        raise RateLimited(timedelta(seconds=1))
    try:
        await _order(services, challenge, asked)
    except Exception:
        await _take_back(services, challenge, before)
        raise
    return challenge


def challenge_name(
    services: Services, identifier: Identifier, client: Client, binding: str, *, purpose: str = "login"
) -> str:
    """Return the id of the challenge of an identifier, a client and a browser, whether there is one or not."""
    return challenge_id(
        issuer=services.issuer, purpose=purpose, client_id=client.id, identifier=identifier, binding=binding
    )


async def find_challenge(services: Services, identifier: Identifier, client: Client, binding: str) -> Challenge | None:
    """Return the live challenge of an identifier in this browser. One step of the ephemeral store."""
    found = await services.ephemeral.get(challenge_key(challenge_name(services, identifier, client, binding)))
    return None if found is None else read_challenge(found)


async def record_refusal(services: Services, reason: str, *, client_id: str, caller: Caller, masked: str = "") -> None:
    """Record that a code was asked for and not sent. One statement."""
    event = CodeRefused(client_id=client_id, reason=reason, identifier=masked)
    await record_alone(services.database, event, caller)


async def _record_refusal(services: Services, reason: str, asked: CodeRequest) -> None:
    masked = asked.identifier.masked
    await record_refusal(services, reason, client_id=asked.client.id, caller=asked.caller, masked=masked)


async def _check_not_locked(services: Services, name: str, asked: CodeRequest) -> None:
    left = await lock_left(services, name)
    if left is not None:
        await _record_refusal(services, "locked", asked)
        raise Locked(left)


async def _store(services: Services, challenge: Challenge, before: bytes | None) -> bool:
    """Keep a challenge in place of what was there; False when another request was faster."""
    record, lifetime = write_challenge(challenge), challenge.expires_at - services.clock.now()
    if before is None:
        return await services.ephemeral.add(challenge.key, record, lifetime)
    return await services.ephemeral.swap(challenge.key, before, record, lifetime)


def _begin(services: Services, name: str, asked: CodeRequest) -> Challenge:
    now = services.clock.now()
    return Challenge(
        id=name,
        purpose=asked.purpose,
        identifier=asked.identifier,
        client_id=asked.client.id,
        client_name=asked.client.name,
        binding_hash=fingerprint(asked.binding),
        seed=new_seed(),
        pepper_kid=services.roots.current.kid,
        length=services.settings.one_time_code_length,
        channel=_channel_for(services, asked.identifier),
        locale=asked.locale,
        created_at=now,
        sent_at=now,
        expires_at=now + services.settings.one_time_code_lifetime,
    )


async def _resent(services: Services, before: bytes, asked: CodeRequest) -> Challenge:
    live = read_challenge(before)
    now = services.clock.now()
    if services.settings.test_limits == "on" and (live.resend_at is None or now < live.resend_at):
        until = live.resend_at or live.expires_at
        await _record_refusal(services, "cool_down", asked)
        raise RateLimited(max(until - now, timedelta(seconds=1)))
    return live.sent_again(now, services.settings.one_time_code_lifetime)


def _channel_for(services: Services, identifier: Identifier) -> Channel:
    """Return the channel a code to this identifier travels by."""
    if identifier.kind == "email":
        return Channel.EMAIL
    return Channel.SMS if Channel.SMS in services.gateways else Channel.WHATSAPP


async def _take_back(services: Services, challenge: Challenge, before: bytes | None) -> None:
    """Undo what was stored: no message was ordered, so nobody shall be told to wait for one."""
    if before is None:
        await services.ephemeral.delete(challenge.key)
        return
    lifetime = read_challenge(before).expires_at - services.clock.now()
    await services.ephemeral.swap(challenge.key, write_challenge(challenge), before, lifetime)


async def _order(services: Services, challenge: Challenge, asked: CodeRequest) -> None:
    """Order the message. The job holds neither identifier nor code: both are found through the live challenge."""
    payload = {"challenge": challenge.id, "seed": challenge.origin.hex(), "send": challenge.sends}
    event = CodeRequested(
        client_id=challenge.client_id,
        channel=challenge.channel.value,
        identifier=challenge.identifier.masked,
        send=challenge.sends,
    )

    async def work(transaction: Transaction) -> None:
        await enqueue(transaction, JOB, payload)
        await record(transaction, event, asked.caller)

    await services.database.transaction(work)
    services.outbox.wake()
