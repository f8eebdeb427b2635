"""The requests a worker is busy with: none for too long, and not too many slow ones of one address.

One look at all of them now and then costs less than a timer or a count for each, so a limit may be exceeded by a
second. A burst of quick requests is nobody's concern: what keeps a worker busy is what waits.
"""

import asyncio
from collections import Counter
from time import perf_counter
from typing import ClassVar

from watchword.protocol.errors import RequestTimeout, TemporarilyUnavailable, TooManyRequests
from watchword.web.endpoint import Handler
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer


class UnderWay:
    """Runs handlers. One look at the clock and one member of a set for each; an address is read only where it counts.

    `counted=False` refuses no address, however many slow requests it has.
    """

    most_slow_of_one_address: ClassVar[int] = 50
    slow_seconds: ClassVar[float] = 1
    body_seconds: ClassVar[float] = 20  # for a body to arrive in, however steadily it drips
    handler_seconds: ClassVar[float] = 30  # for an answer, the body included
    look_seconds: ClassVar[float] = 1

    def __init__(self, *, counted: bool = True) -> None:
        self._counted = counted
        self._runs: set[_Run] = set()
        self._crowding: frozenset[str] = frozenset()  # the addresses that wait for their slow requests first
        self._looking = False

    async def run(self, handler: Handler, exchange: Exchange, *, refusable: bool) -> Answer:
        """Let a handler answer. Probes are not `refusable`: a busy worker is no dead one.

        Raises:
            TooManyRequests: when last looked at, 50 requests of this address had waited for more than a second.
            RequestTimeout: the body did not arrive within 20 seconds.
            TemporarilyUnavailable: there was no answer within 30 seconds.
        """
        if self._crowding and refusable and exchange.address in self._crowding:
            raise TooManyRequests("Too many slow requests at the same time. Wait for their answers.", retry_after=1)
        run = _Run(exchange)
        self._runs.add(run)
        if not self._looking:
            self._look_later()
        try:
            return await handler(exchange)
        except asyncio.CancelledError:
            if not run.overdue:
                raise
            run.task.uncancel()
            raise _too_late(exchange) from None
        finally:
            self._runs.remove(run)

    def _look_later(self) -> None:
        self._looking = True
        asyncio.get_running_loop().call_later(self.look_seconds, self._look)

    def _look(self) -> None:
        """End what is overdue, see who waits for much; look again as long as there is anything to look at."""
        self._looking = False
        now, slow = perf_counter(), Counter[str]()
        for run in self._runs:
            waited = now - run.began
            if waited >= (self.body_seconds if run.exchange.reading else self.handler_seconds) and not run.overdue:
                run.overdue = True
                run.task.cancel()
            elif waited > self.slow_seconds:
                slow[run.exchange.address] += 1
        if self._counted:
            crowding = (address for address, count in slow.items() if count >= self.most_slow_of_one_address)
            self._crowding = frozenset(crowding)
        if self._runs:
            self._look_later()


class _Run:
    """One handler at work."""

    __slots__ = ("began", "exchange", "overdue", "task")

    def __init__(self, exchange: Exchange) -> None:
        task = asyncio.current_task()
        assert task is not None  # ASGI servers run each request as a task of its own
        self.task, self.exchange, self.began, self.overdue = task, exchange, perf_counter(), False


def _too_late(exchange: Exchange) -> RequestTimeout | TemporarilyUnavailable:
    if exchange.reading:
        return RequestTimeout("The body did not arrive in time. Send the request again.")
    return TemporarilyUnavailable(detail="the handler took too long")
