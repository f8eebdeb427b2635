"""Events: a closed catalogue, and the recorder that writes them into the audit trail."""

from watchword.events.masking import mask_identifier
from watchword.events.recorder import Caller, record

__all__ = ["Caller", "mask_identifier", "record"]
