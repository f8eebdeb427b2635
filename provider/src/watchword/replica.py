"""A worker as one of several: it joins, says every few seconds that it is alive and what it sees, and leaves."""

import contextlib
import secrets

from watchword.database import StoreUnavailable, Transaction, replicas, store
from watchword.events import Caller, record
from watchword.events.catalogue.operation import WorkerStarted, WorkerStopped
from watchword.services import Services
from watchword.telemetry import get_logger

log = get_logger(__name__)


class Replica:
    """This worker. Its id is drawn anew with every start."""

    def __init__(self, services: Services) -> None:
        self.id = secrets.token_hex(8)
        self._services = services
        self._ephemeral_id = ""  # not seen yet
        self._entered = False

    async def join(self) -> None:
        """Enter among the workers, and pair the stores unless a live worker uses another ephemeral store.

        A worker that finds the database locked serves meanwhile and enters later. One that may not pair, or whose
        ephemeral store is away, serves all but codes until that heals.
        """
        with contextlib.suppress(StoreUnavailable):
            self._ephemeral_id = await self._services.ephemeral.identity()
        condition = self._services.condition
        try:
            condition.paired = await self._enter()
        except StoreUnavailable as problem:
            log.warning("a starting worker enters later", problem=str(problem))
            row = await store.find(self._services.database)
            condition.paired = row is not None and row.ephemeral_id == self._ephemeral_id
        if not condition.paired:
            log.error("no code is sent or checked here: other live workers use another ephemeral store")

    async def _enter(self) -> bool:
        """Say that this worker is there; False when its ephemeral store is not the one that goes with the database."""

        async def work(transaction: Transaction) -> bool:
            await record(transaction, WorkerStarted(replica=self.id), Caller())
            return await replicas.join(transaction, self.id, self._ephemeral_id) if self._ephemeral_id else False

        agreed = await self._services.database.transaction(work)
        self._entered = True
        return agreed

    async def follow(self) -> None:
        """Look how the whole provider is, and say what this worker sees. Two statements, one ephemeral step."""
        services = self._services
        try:
            self._ephemeral_id = await services.condition.refresh(
                services.database, services.ephemeral, most_undelivered=services.settings.undelivered_messages
            )
        finally:
            if not self._entered:
                await self._enter()
            elif self._ephemeral_id:
                await services.database.transaction(
                    lambda transaction: replicas.beat(transaction, self.id, self._ephemeral_id)
                )

    async def leave(self) -> None:
        """Be gone for the others at once. Where the database is away, they notice by themselves."""

        async def work(transaction: Transaction) -> None:
            await replicas.leave(transaction, self.id)
            await record(transaction, WorkerStopped(replica=self.id), Caller())

        with contextlib.suppress(StoreUnavailable):
            await self._services.database.transaction(work)
