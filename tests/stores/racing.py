"""Processes that race: spawned like a server's workers, with nothing inherited, and started by one barrier."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any

PROCESSES = 4
_barrier: Barrier


def _remember(barrier: Barrier) -> None:
    global _barrier  # noqa: PLW0603 - a barrier reaches a spawned process only through its initialiser
    _barrier = barrier


def wait_for_the_others() -> None:
    """Hold a racing process until all of them are ready."""
    _barrier.wait(timeout=60)


def racing_processes() -> AbstractContextManager[Executor]:
    """Return a pool of racing processes."""
    context = get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    return ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_remember, initargs=(barrier,))


def in_every_process(pool: Executor, run: Callable[..., list[Any]], *arguments: Any) -> list[Any]:
    """Call `run(*arguments, number)` in each process at once and return all answers in one list."""
    runs: list[Future[list[Any]]] = [pool.submit(run, *arguments, process) for process in range(PROCESSES)]
    return [answer for each in runs for answer in each.result(timeout=60)]
