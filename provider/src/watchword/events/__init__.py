"""Events: a closed catalogue, and the recorder that writes them into the audit trail."""

from watchword.events.recorder import Caller, record, record_alone

__all__ = ["Caller", "record", "record_alone"]
