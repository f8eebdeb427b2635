"""What became of an attempt to send: `Sent`, or `DeliveryFailed` with the reason in words every gateway shares."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Sent:
    """A gateway took the message. That it arrived is known only where the gateway sends receipts.

    Attributes:
        gateway: the name of the gateway.
        gateway_message_id: what the gateway calls the message, for receipts and support; None where it has no name.
    """

    gateway: str
    gateway_message_id: str | None


class Failure(StrEnum):
    """Why a message was not sent, by what can be done about it.

    TRANSIENT: the same gateway may take it a little later.
    TIMEOUT: no answer in time. The message may have been sent all the same; repeating it carries the same code.
    RATE_LIMITED: the gateway wants us to slow down.
    REFUSED_RECIPIENT: the recipient does not exist or wants nothing from us; no other gateway of the channel helps.
    REFUSED_CONTENT: the gateway will not carry this message; another one may.
    CONFIGURATION: the operator has to act: credentials, certificates, sender, balance. Another gateway may help.
    """

    TRANSIENT = "transient"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    REFUSED_RECIPIENT = "refused_recipient"
    REFUSED_CONTENT = "refused_content"
    CONFIGURATION = "configuration"


_WORTH_REPEATING = frozenset({Failure.TRANSIENT, Failure.TIMEOUT, Failure.RATE_LIMITED})


class DeliveryFailed(Exception):
    """A gateway did not take the message.

    Attributes:
        failure: the reason.
        detail: for logs. Gateways build it from codes, never from what the other side wrote, which repeats addresses.
        retry_after: how long the gateway asked us to wait; None where it did not say.
    """

    def __init__(self, failure: Failure, detail: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(f"{failure}: {detail}")
        self.failure = failure
        self.detail = detail
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """Whether the same gateway may take the same message later."""
        return self.failure in _WORTH_REPEATING
