"""The provider's services without its server, over stores of a test's own."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.event_matrix import NAMES, note_names
from tests.support.provider import provider_environment
from watchword.app import close_services, open_services
from watchword.database import Statement
from watchword.ephemeral import EphemeralStore
from watchword.prepare import prepare_store, upgrade_schema
from watchword.services import Services
from watchword.settings import Settings


@asynccontextmanager
async def opened_services(folder: Path, **settings: str) -> AsyncIterator[Services]:
    """Prepare the stores, open the services and close them afterwards."""
    environment = provider_environment(folder, 9000, **settings)
    names = {"env", "issuer", "database_url", "ephemeral_url", *settings}
    chosen: dict[str, Any] = {name: environment[f"WATCHWORD_{name.upper()}"] for name in names}
    whole = Settings(**chosen)
    await asyncio.to_thread(upgrade_schema, whole, on_request=False)  # it runs a loop of its own
    await prepare_store(whole)
    services = await open_services(whole)
    try:
        yield services
        note_names(row["name"] for row in await services.database.all(Statement(NAMES)))
    finally:
        await close_services(services)


class CountedStore:
    """An ephemeral store that counts what it is asked for."""

    def __init__(self, store: EphemeralStore) -> None:
        self._store, self.verbs = store, Counter[str]()

    def __getattr__(self, name: str) -> Any:
        self.verbs[name] += 1
        return getattr(self._store, name)
