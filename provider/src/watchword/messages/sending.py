"""Sending one message through the gateway of its channel, inside an outbox job."""

from watchword.delivery.message import Message
from watchword.delivery.outcome import DeliveryFailed, Sent
from watchword.events import Caller, record
from watchword.events.catalogue.codes import CodeNotSent, CodeSent
from watchword.outbox import Abandon, Lease, Retry
from watchword.services import Services
from watchword.telemetry import get_logger

log = get_logger(__name__)


async def send(services: Services, message: Message, lease: Lease, *, masked: str, client_id: str) -> None:
    """Send a message and record what became of it, in the transaction that ends the job. One statement more there.

    Raises:
        Retry: the gateway may take it later.
        Abandon: it never will, or no gateway serves the channel.
    """
    gateway = services.gateways.get(message.channel)
    if gateway is None:
        _note_failure(lease, message, "", "no_gateway", client_id, final=True)
        raise Abandon(f"no gateway for {message.channel}")
    if not await lease.renew():
        return  # another worker holds the job by now and sends it
    try:
        sent = await gateway.send(message)
    except DeliveryFailed as failed:
        final = lease.last_attempt or not failed.retryable
        log.warning("a message was not sent", gateway=gateway.name, failure=failed.failure, detail=failed.detail)
        _note_failure(lease, message, gateway.name, failed.failure, client_id, final=final)
        if failed.retryable:
            raise Retry(f"{gateway.name}: {failed.failure}", after=failed.retry_after) from None
        raise Abandon(f"{gateway.name}: {failed.failure}") from None
    _note_success(lease, message, sent, masked, client_id)


def _note_success(lease: Lease, message: Message, sent: Sent, masked: str, client_id: str) -> None:
    event = CodeSent(
        client_id=client_id, channel=message.channel, gateway=sent.gateway, identifier=masked, delivery=message.id
    )
    lease.note(lambda transaction: record(transaction, event, Caller()))


def _note_failure(lease: Lease, message: Message, gateway: str, failure: str, client_id: str, *, final: bool) -> None:
    event = CodeNotSent(
        client_id=client_id,
        channel=message.channel,
        gateway=gateway,
        failure=failure,
        attempt=lease.job.attempts,
        final=final,
    )
    lease.note(lambda transaction: record(transaction, event, Caller()))
