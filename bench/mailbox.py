"""Where the people of a benchmark read their codes: the development mailbox, in the ephemeral store itself.

Asking the provider for it would put the reading of mail on the bill of signing in.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from watchword.clock import Clock
from watchword.ephemeral import EphemeralStore, open_store

_PAUSE_SECONDS = 0.001


class Mailbox:
    """The messages of one store from now on; everybody gets each of theirs once."""

    def __init__(self, store: EphemeralStore, read: int) -> None:
        self._store, self._read = store, read
        self._unread: dict[str, str] = {}
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def one_time_code(self, to: str) -> tuple[str, float]:
        """Wait for a message; returns its code, and the seconds waited."""
        if to in self._unread:
            return self._unread.pop(to), 0.0
        started = time.perf_counter()
        waiting = self._waiting[to] = asyncio.get_running_loop().create_future()
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read_while_waiting(), name="mailbox")
        try:
            return await waiting, time.perf_counter() - started
        finally:
            self._waiting.pop(to, None)

    async def _read_while_waiting(self) -> None:
        while self._waiting:
            entry = await self._store.get(f"mailbox:{self._read + 1}")
            if entry is None:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self._read += 1
            self._hand_out(orjson.loads(entry))

    def _hand_out(self, message: dict[str, Any]) -> None:
        waiting = self._waiting.get(message["to"])
        if waiting is None or waiting.done():
            self._unread[message["to"]] = message["one_time_code"]
        else:
            waiting.set_result(message["one_time_code"])


@asynccontextmanager
async def open_mailbox(url: str) -> AsyncIterator[Mailbox]:
    """Open the mailbox of a running provider by the URL of its ephemeral store."""
    store = open_store(url, now=Clock().now)
    try:
        yield Mailbox(store, int(await store.get("mailbox:count") or 0))
    finally:
        await store.close()
