"""One running call per key, however many wait for it."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs a call as a task of its own, so that a waiter who goes away does not take the others' answer along.

    Each event loop has its own tasks; nothing is kept once a task is done, so a failure is never served twice.
    """

    def __init__(self) -> None:
        self._running: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, asyncio.Task[T]]]
        self._running = WeakKeyDictionary()

    def is_running(self, key: Hashable) -> bool:
        """Whether a call for the key is on its way in this event loop."""
        return key in self._running.get(asyncio.get_running_loop(), {})

    def start(self, key: Hashable, call: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Start the call, or join the one that runs."""
        loop = asyncio.get_running_loop()
        tasks = self._running.setdefault(loop, {})
        task = tasks.get(key)
        if task is None:
            # An empty context: the first caller's context variables are no business of the others.
            task = loop.create_task(call(), context=contextvars.Context())
            tasks[key] = task

            def forget(done: asyncio.Task[T]) -> None:
                tasks.pop(key, None)
                if not done.cancelled():
                    done.exception()  # seen here, for there may be no waiter left to see it

            task.add_done_callback(forget)
        return task

    async def run(self, key: Hashable, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Start or join the call and wait for its answer."""
        return await asyncio.shield(self.start(key, call))
