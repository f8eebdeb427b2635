"""Sending one message through the gateway of its channel, inside an outbox job."""

from watchword.delivery.message import Message
from watchword.delivery.outcome import DeliveryFailed, Sent
from watchword.events import Caller, record_alone
from watchword.events.catalogue import CodeNotSent, CodeSent
from watchword.outbox import Abandon, Lease, Retry
from watchword.services import Services
from watchword.telemetry import get_logger

log = get_logger(__name__)


async def send(services: Services, message: Message, lease: Lease, *, masked: str, client_id: str) -> None:
    """Send a message and record what became of it. One statement to hold the lease, one for the event.

    Raises:
        Retry: the gateway may take it later.
        Abandon: it never will, or no gateway serves the channel.
    """
    gateway = services.gateways.get(message.channel)
    if gateway is None:
        await _record_failure(services, message, "no_gateway", lease, client_id, final=True)
        raise Abandon(f"no gateway for {message.channel}")
    if not await lease.renew():
        return  # another worker holds the job by now and sends it
    try:
        sent = await gateway.send(message)
    except DeliveryFailed as failed:
        final = lease.last_attempt or not failed.retryable
        log.warning("a message was not sent", gateway=gateway.name, failure=failed.failure, detail=failed.detail)
        await _record_failure(services, message, failed.failure, lease, client_id, final=final)
        if failed.retryable:
            raise Retry(f"{gateway.name}: {failed.failure}", after=failed.retry_after) from None
        raise Abandon(f"{gateway.name}: {failed.failure}") from None
    await _record_success(services, message, sent, masked, client_id)


async def _record_success(services: Services, message: Message, sent: Sent, masked: str, client_id: str) -> None:
    event = CodeSent(
        client_id=client_id, channel=message.channel, gateway=sent.gateway, identifier=masked, delivery=message.id
    )

    await record_alone(services.database, event, Caller())


async def _record_failure(
    services: Services, message: Message, failure: str, lease: Lease, client_id: str, *, final: bool
) -> None:
    event = CodeNotSent(
        client_id=client_id,
        channel=message.channel,
        failure=failure,
        attempt=lease.job.attempts,
        final=final,
    )

    await record_alone(services.database, event, Caller())
