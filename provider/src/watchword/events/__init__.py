"""Events: a closed catalogue, the recorder that writes them into the audit trail, and the chain that proves it."""

from watchword.events.recorder import Caller, record, record_alone, record_suppressed

__all__ = ["Caller", "record", "record_alone", "record_suppressed"]
