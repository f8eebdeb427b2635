"""Asking for a code: a new challenge, or a resend of the live one."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn

from watchword.accounts import Identifier
from watchword.accounts.devices import find_device
from watchword.database import Transaction
from watchword.database.outbox import Job
from watchword.delivery.message import Channel
from watchword.events import Caller, record, record_alone
from watchword.events.catalogue.codes import CodeRefused, CodeRequested
from watchword.login.budget import terms_for
from watchword.login.challenge import (
    Challenge,
    challenge_id,
    challenge_key,
    new_seed,
    read_challenge,
    write_challenge,
)
from watchword.login.limits import Counted, RateLimited, Scope, charge, refund, sending
from watchword.login.locks import Locked, lock_key, read_lock
from watchword.outbox import enqueue
from watchword.protocol.client import Client
from watchword.protocol.digests import fingerprint
from watchword.services import Services

JOB = "one_time_code"
# A button pressed twice asks once: what comes this soon after a send gets the answer of that send.
_REPEAT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """Who asks for a code, for what, and in which browser (`binding` is that browser's secret).

    `device` is what the browser was given when it signed in before.
    """

    identifier: Identifier
    client: Client
    binding: str = field(repr=False)
    locale: str
    caller: Caller
    purpose: str = "login"
    device: str | None = field(default=None, repr=False)


async def request_code(services: Services, asked: CodeRequest) -> Challenge:
    """Send a code, or send the live one again. The same for known and unknown identifiers: none is looked up.

    Three steps of the ephemeral store (read, keep, count); for a new challenge one statement of the durable store, two
    in a browser that signed in before; one transaction of two. The message leaves from the outbox. A refusal takes one
    step to undo what was kept, counts nothing and sends nothing. Of requests at one moment in one browser one sends.

    Raises:
        RateLimited: a limit refuses, and is named.
        Locked: the guesses of this browser for this identifier are spent.
        TemporarilyUnavailable: codes are not sent at the moment.
    """
    services.condition.check_codes_allowed()
    name = challenge_name(services, asked.identifier, asked.client, asked.binding, purpose=asked.purpose)
    before, locked = await services.ephemeral.get_all([challenge_key(name), lock_key(name)])
    try:
        if locked is not None:
            raise read_lock(services, locked)
        if before is None:
            return await _send(services, asked, await _begin(services, name, asked), None)
        live = read_challenge(before)
        if services.clock.now() - live.sent_at < _REPEAT:
            return live
        return await _send(services, asked, _again(services, live), before)
    except RateLimited as refused:
        await _refuse(services, asked, refused.limit, refused)
    except Locked as refused:
        await _refuse(services, asked, "locked", refused)


async def _send(services: Services, asked: CodeRequest, challenge: Challenge, before: bytes | None) -> Challenge:
    """Keep a challenge, count its send and order its message; or leave everything as it was."""
    if not await _keep(services, challenge, before):  # another request of this browser was faster, and sends it
        found = await services.ephemeral.get(challenge.key)
        return challenge if found is None else read_challenge(found)
    counted = sending(
        services,
        asked.identifier,
        challenge.channel,
        device=challenge.device,
        address=asked.caller.address,
        begins=before is None,
    )
    try:
        await charge(services, counted)
        await _order(services, challenge, asked, counted)
    except BaseException:  # a request that is broken off leaves nothing behind either
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


async def _refuse(services: Services, asked: CodeRequest, reason: str, refused: RateLimited | Locked) -> NoReturn:
    await record_refusal(
        services, reason, client_id=asked.client.id, caller=asked.caller, masked=asked.identifier.masked
    )
    raise refused


async def _keep(services: Services, challenge: Challenge, before: bytes | None) -> bool:
    """Keep a challenge in place of what was there; False when another request was faster."""
    written, lifetime = write_challenge(challenge), challenge.expires_at - services.clock.now()
    if before is None:
        return await services.ephemeral.add(challenge.key, written, lifetime)
    return await services.ephemeral.swap(challenge.key, before, written, lifetime)


async def _begin(services: Services, name: str, asked: CodeRequest) -> Challenge:
    device = await find_device(services.database, asked.device, asked.identifier)
    terms = await terms_for(services, asked.identifier, device)
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
        length=terms.length,
        channel=_channel_for(services, asked.identifier),
        locale=asked.locale,
        created_at=now,
        sent_at=now,
        expires_at=now + services.settings.one_time_code_lifetime,
        alphabet=terms.alphabet,
        scope=terms.scope,
    )


def _again(services: Services, live: Challenge) -> Challenge:
    """Return a challenge with one more send, when it is time for one."""
    settings, now = services.settings, services.clock.now()
    if settings.test_limits == "on":
        resend_at = live.resend_at(settings.cool_downs, settings.sends_per_challenge)
        if resend_at is None:
            raise RateLimited("sends_per_challenge", Scope.BROWSER, live.expires_at - now)
        if now < resend_at:
            raise RateLimited("cool_down", Scope.BROWSER, resend_at - now)
    return live.sent_again(now, settings.one_time_code_lifetime)


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


async def _order(services: Services, challenge: Challenge, asked: CodeRequest, counted: tuple[Counted, ...]) -> None:
    """Order the message. The job holds neither identifier nor code: both are found through the live challenge."""
    payload = {"challenge": challenge.id, "seed": challenge.origin.hex(), "send": challenge.sends}
    event = CodeRequested(
        client_id=challenge.client_id,
        channel=challenge.channel.value,
        identifier=challenge.identifier.masked,
        send=challenge.sends,
    )

    hold = services.outbox.hold()

    async def work(transaction: Transaction) -> Job | None:
        await record(transaction, event, asked.caller)
        return await enqueue(transaction, JOB, payload, hold)

    try:
        job = await services.database.transaction(work, one_statement=True)
    except BaseException:
        await refund(services, counted)
        raise
    services.outbox.run(job, hold)
