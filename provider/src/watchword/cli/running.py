"""What commands share: the prepared stores, and one way to answer and to fail."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer

from watchword.app import close_services, open_services
from watchword.database import Transaction
from watchword.events import Caller
from watchword.prepare import prepare_store, upgrade_schema
from watchword.protocol.strict_json import parse_json_object
from watchword.services import Services
from watchword.settings import load_settings
from watchword.telemetry import configure_logging

T = TypeVar("T")
OPERATOR = Caller(user_agent="watchword command")


def with_services(work: Callable[[Services], Awaitable[T]]) -> T:
    """Prepare the stores, open the services, do the work, close them."""
    settings = load_settings()
    configure_logging("error")  # to standard error: what a command prints is its answer
    upgrade_schema(settings, on_request=False)

    async def run() -> T:
        await prepare_store(settings)
        services = await open_services(settings)
        try:
            return await work(services)
        finally:
            await close_services(services)

    return asyncio.run(run())


def with_transaction(work: Callable[[Transaction], Awaitable[T]]) -> T:
    """Prepare the stores and do the work in one transaction."""
    return with_services(lambda services: services.database.transaction(work))


def answer(content: dict[str, Any] | list[Any], *, as_json: bool) -> None:
    """Print an answer: JSON for programs, lines for people."""
    if as_json:
        print(json.dumps(content, indent=2))
        return
    for entry in content if isinstance(content, list) else [content]:
        for name, value in entry.items():
            print(f"{name}: {_line(value)}".rstrip())
        if isinstance(content, list):
            print()


def _line(value: Any) -> str:
    """Write a value on one line: words as they are, everything else as JSON does."""
    if isinstance(value, list):
        return " ".join(map(_line, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_json_file(path: Path) -> dict[str, Any]:
    """Read the JSON object in a file; one that holds none is refused in one line that names it."""
    try:
        return parse_json_object(path.read_bytes())
    except OSError as problem:
        fail(f"cannot read {path}: {problem.strerror}")
    except ValueError as problem:
        fail(f"{path} holds no valid JSON object: {problem}")


def fail(text: str) -> NoReturn:
    """Say what is wrong in one line and stop with exit status 1."""
    typer.echo(f"watchword: {text}", err=True)
    raise typer.Exit(1)
