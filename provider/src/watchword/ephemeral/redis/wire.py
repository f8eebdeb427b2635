"""One connection that many callers share: commands leave in one write per turn of the loop, answers come in order.

A pool would give each caller a connection, and each verb a write and a read of its own. Here 60 verbs of one turn are
one round trip, which makes a verb several times cheaper (`docs/decisions/0012-one-wire-to-redis.md`).
"""

import asyncio
from collections import deque
from typing import Any, cast

from hiredis import ProtocolError, Reader, ReplyError, pack_command

from watchword.embedded import StoreUnavailable

PATIENCE_SECONDS = 0.25
"""How long any command waits for its answer before the connection is given up."""
_SECOND_LOOK_SECONDS = 0.05
_NOTHING_YET = object()


Argument = str | bytes | int


def pack(*command: Argument) -> bytes:
    """Return a command as it is sent."""
    packed: bytes = pack_command(command)  # type: ignore[arg-type]  # its stub knows commands of one word
    return packed


class Wire(asyncio.Protocol):
    """An open connection to one server; belongs to the loop that opened it. Once lost it stays lost."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.lost = False
        self.answered = 0
        """How many commands were answered."""
        self._reader = Reader(notEnoughData=_NOTHING_YET)
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._watch: asyncio.TimerHandle | None = None

    def ask(self, command: bytes) -> "asyncio.Future[Any]":
        """Send a packed command with the others of this turn, and return what will be its answer.

        The answer raises `ReplyError` where the server refuses, and `StoreUnavailable` where none comes for 250 ms or
        the connection is lost: then nobody knows whether the command was run. A caller who gives up loses nothing but
        the answer.
        """
        answer: asyncio.Future[Any] = self.loop.create_future()
        if self.lost:
            answer.set_exception(StoreUnavailable("the connection to Redis was lost"))
            return answer
        self._waiting.append((answer, self.loop.time() + PATIENCE_SECONDS))
        self._unsent.append(command)
        if len(self._unsent) == 1:
            self.loop.call_soon(self._send)
        if self._watch is None:
            self._watch = self.loop.call_later(PATIENCE_SECONDS, self._look)
        return answer

    def lose(self, reason: str) -> None:
        """Close the connection at once; whoever waits for an answer gets `StoreUnavailable` with the reason."""
        if self.lost:
            return
        self.lost = True
        if self.loop.is_closed():
            return  # and with it went whoever waited
        if self._transport is not None:
            self._transport.abort()
        if self._watch is not None:
            self._watch.cancel()
        for answer, _ in self._waiting:
            if not answer.done():
                answer.set_exception(StoreUnavailable(reason))

    async def finish(self) -> None:
        """Wait for the answers under way, which takes no longer than their callers wait; then close."""
        if self._waiting and not self.lost and self.loop is asyncio.get_running_loop():
            await asyncio.wait([answer for answer, _ in self._waiting])
        self.lose("the ephemeral store is closed")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to send: called by the loop."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by type

    def data_received(self, data: bytes) -> None:
        """Give each caller its answer, in the order of the questions: called by the loop."""
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _NOTHING_YET:
                answer, _ = self._waiting.popleft()
                self.answered += 1
                if not answer.done():
                    _give(answer, reply)
        except (IndexError, ProtocolError):
            self.lose("Redis sent what nobody asked for")

    def connection_lost(self, _error: Exception | None) -> None:
        """Refuse whoever still waits: called by the loop."""
        self.lose("the connection to Redis was lost")

    def _send(self) -> None:
        if self._transport is not None and not self.lost:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _look(self, *, again: bool = False) -> None:
        """See whether the oldest command waits too long.

        Looks a second time before it says so: after a long pause of our own loop the answer may be there, unread.
        """
        self._watch = None
        if not self._waiting:
            return
        left = self._waiting[0][1] - self.loop.time()
        if left > 0:
            self._watch = self.loop.call_later(left, self._look)
        elif again:
            self.lose("Redis did not answer in time")
        else:
            self._watch = self.loop.call_later(_SECOND_LOOK_SECONDS, lambda: self._look(again=True))


def _give(answer: "asyncio.Future[Any]", reply: object) -> None:
    if isinstance(reply, ReplyError):
        answer.set_exception(reply)
    else:
        answer.set_result(reply)
