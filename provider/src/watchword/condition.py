"""What a worker knows of the whole provider: whether codes may be sent and checked, and whether guessing is going on.

Read from the stores every five seconds, so that no request pays for it.
"""

from typing import ClassVar

from watchword.database import Database, store
from watchword.ephemeral import EphemeralStore
from watchword.protocol.errors import TemporarilyUnavailable

POLL_SECONDS = 5.0
_OTHER_STORE = "the ephemeral store is another one than the one that goes with the database"
_OUTBOX_FULL = "too many messages wait to be sent"


class DeliveryUnavailable(TemporarilyUnavailable):
    """Too many messages wait to be sent; one more would wait longer than a code lives."""

    error: ClassVar[str] = "delivery_unavailable"


class Condition:
    """What was last read. `guarded`: many accounts are being guessed at, so new codes are longer."""

    __slots__ = ("guarded", "outbox_full", "paired")

    def __init__(self) -> None:
        self.guarded, self.paired, self.outbox_full = False, True, False

    def check_codes_allowed(self) -> None:
        """Refuse what sends or compares a one-time code while that cannot be done safely. No statement.

        Raises:
            TemporarilyUnavailable: this worker sees another ephemeral store, where single use means nothing.
            DeliveryUnavailable: too many messages wait.
        """
        self.check_single_use()
        if self.outbox_full:
            raise DeliveryUnavailable(
                "Messages cannot be sent just now. Try again in a minute.", retry_after=60, detail=_OUTBOX_FULL
            )

    def check_single_use(self) -> None:
        """Refuse what counts once, and is remembered nowhere but in the ephemeral store. No statement.

        Raises:
            TemporarilyUnavailable: this worker sees another ephemeral store, where single use means nothing.
        """
        if not self.paired:
            raise TemporarilyUnavailable(retry_after=int(POLL_SECONDS), detail=_OTHER_STORE)

    async def refresh(self, database: Database, ephemeral: EphemeralStore, *, most_undelivered: int) -> str:
        """Read it anew; returns the id of the ephemeral store. One statement, one step of the ephemeral store.

        Raises:
            StoreUnavailable: what is known stays what it was.
        """
        identity = await ephemeral.identity()
        row = await store.condition(database, most_undelivered=most_undelivered)
        self.guarded, self.outbox_full = row.guarded, row.outbox_full
        self.paired = row.ephemeral_id == identity
        return identity
