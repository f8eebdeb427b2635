"""Asking for a code: a new challenge, or a resend of the live one."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from watchword.accounts import Identifier
from watchword.clock import from_microseconds, to_microseconds
from watchword.database import Transaction
from watchword.delivery.message import Channel
from watchword.events import Caller, record
from watchword.events.catalogue import CodeRefused, CodeRequested
from watchword.login.challenge import (
    LONGEST_LIFE,
    Challenge,
    challenge_id,
    challenge_key,
    new_seed,
    read_challenge,
    write_challenge,
)
from watchword.outbox import enqueue
from watchword.protocol.client import Client
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


class Locked(ProtocolError):
    """Too many wrong codes; `retry_after` says when a new one may be asked for."""

    error = "otp_locked"
    status = 429

    def __init__(self, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__("Too many wrong codes. Wait before asking for another.")


async def lock(services: Services, challenge_id: str) -> None:
    """Note that a challenge's guesses are spent: no code for it until the count of them is forgotten."""
    until = to_microseconds(services.clock.now() + LONGEST_LIFE)
    await services.ephemeral.put(f"locked:{challenge_id}", str(until).encode(), LONGEST_LIFE)


async def lock_left(services: Services, challenge_id: str) -> timedelta | None:
    """Return how long a lock still holds; None when there is none."""
    until = await services.ephemeral.get(f"locked:{challenge_id}")
    if until is None:
        return None
    return max(from_microseconds(int(until)) - services.clock.now(), timedelta(seconds=1))


def guesses_key(challenge_id: str) -> str:
    """Return where the store counts the guesses of a challenge, over all its seeds."""
    return f"guesses:{challenge_id}"


async def request_code(services: Services, asked: CodeRequest) -> Challenge:
    """Send a code, or send the live one again. The same for known and unknown identifiers: none is looked up.

    Three steps of the ephemeral store; one transaction of two statements. The message leaves from the outbox.

    Raises:
        RateLimited: the last send was too recent.
        Locked: the guesses of this browser for this identifier are spent.
    """
    name = challenge_id(
        issuer=services.issuer,
        purpose=asked.purpose,
        client_id=asked.client.id,
        identifier=asked.identifier,
        binding=asked.binding,
    )
    await _check_not_locked(services, name, asked)
    before = await services.ephemeral.get(challenge_key(name))
    challenge = _begin(services, name, asked) if before is None else await _resent(services, before, asked)
    lifetime = challenge.expires_at - services.clock.now()
    if before is None:
        stored = await services.ephemeral.add(challenge.key, write_challenge(challenge), lifetime)
    else:
        stored = await services.ephemeral.swap(challenge.key, before, write_challenge(challenge), lifetime)
    if not stored:  # asked twice at the same moment: the other request sends it
        await refuse(services, "cool_down", asked.caller, client_id=asked.client.id, masked=asked.identifier.masked)
        raise RateLimited(timedelta(seconds=1))
    try:
        await _order(services, challenge, asked)
    except Exception:
        await _take_back(services, challenge, before)
        raise
    return challenge


async def find_challenge(services: Services, identifier: Identifier, client: Client, binding: str) -> Challenge | None:
    """Return the live challenge of an identifier in this browser. One step of the ephemeral store."""
    name = challenge_id(
        issuer=services.issuer, purpose="login", client_id=client.id, identifier=identifier, binding=binding
    )
    record_ = await services.ephemeral.get(challenge_key(name))
    return None if record_ is None else read_challenge(record_)


async def refuse(services: Services, reason: str, asked_by: Caller, *, client_id: str, masked: str = "") -> None:
    """Record that a code was not sent. One statement."""
    event = CodeRefused(client_id=client_id, reason=reason, identifier=masked)

    async def work(transaction: Transaction) -> None:
        await record(transaction, event, asked_by)

    await services.database.transaction(work)


async def _check_not_locked(services: Services, name: str, asked: CodeRequest) -> None:
    left = await lock_left(services, name)
    if left is not None:
        await refuse(services, "locked", asked.caller, client_id=asked.client.id, masked=asked.identifier.masked)
        raise Locked(left)


def _begin(services: Services, name: str, asked: CodeRequest) -> Challenge:
    now = services.clock.now()
    return Challenge(
        id=name,
        purpose=asked.purpose,
        identifier=asked.identifier,
        client_id=asked.client.id,
        client_name=asked.client.name,
        binding_hash=hashlib.sha256(asked.binding.encode()).digest(),
        seed=new_seed(),
        pepper_kid=services.roots.current.kid,
        length=services.settings.one_time_code_length,
        channel=channel_for(services, asked.identifier),
        locale=asked.locale,
        user_agent=asked.caller.user_agent[:256],
        created_at=now,
        sent_at=now,
        expires_at=now + services.settings.one_time_code_lifetime,
    )


async def _resent(services: Services, before: bytes, asked: CodeRequest) -> Challenge:
    live = read_challenge(before)
    now = services.clock.now()
    if services.settings.test_limits == "on" and (live.resend_at is None or now < live.resend_at):
        until = live.resend_at or live.expires_at
        await refuse(services, "cool_down", asked.caller, client_id=asked.client.id, masked=asked.identifier.masked)
        raise RateLimited(max(until - now, timedelta(seconds=1)))
    return live.sent_again(now, services.settings.one_time_code_lifetime)


def channel_for(services: Services, identifier: Identifier) -> Channel:
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
