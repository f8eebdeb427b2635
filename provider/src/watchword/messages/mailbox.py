"""The development mailbox: what its gateway wrote, kept for an hour where every worker can read it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson

from watchword.ephemeral import EphemeralStore

_COUNT = "mailbox:count"
_KEPT = timedelta(hours=1)
_MOST = 200


class Mailbox:
    """A journal of messages in the ephemeral store."""

    def __init__(self, ephemeral: EphemeralStore) -> None:
        self._ephemeral = ephemeral

    async def append(self, entry: bytes) -> None:
        """Keep one message. Two steps of the store."""
        number = await self._ephemeral.increment(_COUNT, 1, timedelta(days=1))
        await self._ephemeral.put(f"mailbox:{number}", entry, _KEPT)

    async def messages(self, to: str | None = None) -> Sequence[dict[str, Any]]:
        """Return the newest 200 messages, newest first; only those to one recipient when named.

        Case, spaces and the plus of a number, which queries turn into a space, do not count.
        """
        newest = int(await self._ephemeral.get(_COUNT) or 0)
        found, wanted = [], _plain(to)
        for number in range(newest, max(newest - _MOST, 0), -1):
            entry = await self._ephemeral.get(f"mailbox:{number}")
            if entry is not None:
                message: dict[str, Any] = orjson.loads(entry)
                if wanted in {"", _plain(message["to"])}:
                    found.append(message)
        return found


def _plain(to: str | None) -> str:
    return "".join((to or "").split()).removeprefix("+").casefold()
