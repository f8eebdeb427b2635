"""The demo's processes: started together, and never one left behind."""

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx2

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0  # longer than the provider gives its open requests
_LAST_LINES = 15


class DemoFailed(Exception):
    """The demo cannot go on; the text is for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process, where its output goes, and the URL that answers once it is ready."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    ready: str

    def check_alive(self) -> None:
        """Raise DemoFailed with the end of its log when the process is over."""
        if self.process.returncode is not None:
            last = "\n".join(self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
            raise DemoFailed(f"{self.name} stopped with status {self.process.returncode}; {self.log} ends:\n{last}")


class Children:
    """Every process of the demo. Leaving the `async with` block stops them all, however it is left."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []

    async def __aenter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, name: str, *arguments: str, environment: Mapping[str, str], ready: str) -> None:
        """Start `python -m ...`, which is ready once the URL `ready` answers."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *arguments, env=environment, stdout=output, stderr=asyncio.subprocess.STDOUT
            )
        self._children.append(Child(name, process, log, ready))

    async def wait_until_ready(self) -> None:
        """Wait until every process that was started answers.

        Raises:
            DemoFailed: one of them stopped, or did not answer in a minute.
        """
        for child in self._children:
            try:
                async with asyncio.timeout(_START_SECONDS):
                    await _wait_for(child)
            except TimeoutError:
                raise DemoFailed(f"{child.name} does not answer at {child.ready}; see {child.log}") from None

    async def watch(self) -> None:
        """Wait until one of them stops by itself, and raise DemoFailed that names it."""
        ends = [asyncio.create_task(child.process.wait()) for child in self._children]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        for child in self._children:
            child.check_alive()

    async def stop(self) -> None:
        """End every process: politely first, then not."""
        running = [child.process for child in self._children if child.process.returncode is None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await asyncio.gather(*(process.wait() for process in running))
        for process in running:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


async def _wait_for(child: Child) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        while True:
            child.check_alive()
            with contextlib.suppress(httpx2.TransportError):
                if (await http.get(child.ready)).is_success:
                    return
            await asyncio.sleep(0.05)


async def run_command(*arguments: str, environment: Mapping[str, str]) -> str:
    """Run `python -m ...` to its end and return what it printed.

    Raises:
        DemoFailed: it failed; with what it said about that.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, env=environment, stdout=pipe, stderr=pipe
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise DemoFailed(f"`{' '.join(arguments[:3])}` failed:\n{errors.decode(errors='replace').strip()}")
    return output.decode()
