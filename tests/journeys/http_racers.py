"""Four processes that send requests at one moment, each request over a connection of its own.

Run as a module this file is one of them. It reads a line with its requests, opens a connection for each, says `ready`,
sends them all when it reads `go`, and answers with one line of what came back. The other half, `Racers`, starts four of
them and hands out a start signal that none gets before all are ready.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

PROCESSES = 4


@dataclass(frozen=True, slots=True)
class Request:
    """One request to send."""

    url: str
    method: str = "POST"
    data: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.text)
        return content


class Racers:
    """The four processes, kept for several races."""

    def __init__(self, processes: Sequence["subprocess.Popen[str]"]) -> None:
        self._processes = processes

    def race(self, requests: Sequence[Request]) -> list[Answer]:
        """Send all requests at once, spread over the processes."""
        for number, process in enumerate(self._processes):
            _say(process, json.dumps([asdict(request) for request in requests[number::PROCESSES]]))
        for process in self._processes:
            assert _hear(process) == "ready"
        for process in self._processes:
            _say(process, "go")
        return [Answer(**answer) for process in self._processes for answer in json.loads(_hear(process))]


@contextmanager
def running_racers() -> Iterator[Racers]:
    """Start the processes and end them afterwards."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.http_racers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    try:
        yield Racers(processes)
    finally:
        for process in processes:
            process.communicate(timeout=20)  # closing its input ends it


def _say(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _hear(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


async def _run_one_race(line: str) -> None:
    requests = [Request(**request) for request in json.loads(line)]
    # Each from an address of its own, unless the request names one: a worker serves 50 of one address at a time.
    addresses = [f"198.51.100.{number}" for number in range(len(requests))]
    clients = [
        httpx2.AsyncClient(timeout=60, verify=False, headers={"x-forwarded-for": address}) for address in addresses
    ]
    await asyncio.gather(*map(_connect, clients, requests))
    _answer("ready")
    assert sys.stdin.readline() == "go\n"
    answers = await asyncio.gather(*map(_send, clients, requests))
    _answer(json.dumps([asdict(answer) for answer in answers]))
    for client in clients:
        await client.aclose()


def _answer(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _connect(client: httpx2.AsyncClient, request: Request) -> None:
    parts = urlsplit(request.url)
    await client.get(f"{parts.scheme}://{parts.netloc}/healthz")


async def _send(client: httpx2.AsyncClient, request: Request) -> Answer:
    answer = await client.request(request.method, request.url, data=request.data or None, headers=request.headers)
    return Answer(answer.status_code, dict(answer.headers), answer.text)


if __name__ == "__main__":
    for received in sys.stdin:
        asyncio.run(_run_one_race(received))
