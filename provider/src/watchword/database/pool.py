"""The connections of one process to a database server: at most so many, the one used last taken first.

asyncpg's own pool wraps every connection anew each time it is taken, which costs more than a statement by key.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = asyncpg.Connection


class Pool:
    """Connections made when they are first needed and kept until they break. Belongs to one event loop.

    Args:
        connect: makes one.
        size: the most that are open at a time.
        patience: seconds to wait for one while all are in use.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], *, size: int, patience: float) -> None:
        self._connect, self._patience = connect, patience
        self._places = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._closed = False

    async def take(self) -> Connection:
        """Return a connection that nobody else uses; give it back afterwards.

        Raises:
            TimeoutError: all stayed in use for too long.
            StoreUnavailable: a new one cannot be made.
        """
        if self._places.locked():
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        else:
            await self._places.acquire()  # at once
        try:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
            return await self._connect()
        except BaseException:
            self._places.release()
            raise

    def give_back(self, connection: Connection, *, sound: bool) -> None:
        """Return a connection. One that is not `sound`, because a question was broken off, is thrown away."""
        if not sound or self._closed or connection.is_in_transaction():
            connection.terminate()
        else:
            self._idle.append(connection)
        self._places.release()

    async def close(self) -> None:
        """Close what is idle now, and the rest when it is given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close(timeout=1)
