"""What commands share: the prepared stores, and one way to answer and to fail."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

import typer

from watchword.app import close_services, open_services
from watchword.database import Transaction
from watchword.events import Caller
from watchword.prepare import prepare_store, upgrade_schema
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
            shown = " ".join(map(str, value)) if isinstance(value, list) else value
            print(f"{name}: {shown}")
        if isinstance(content, list):
            print()


def fail(text: str) -> NoReturn:
    """Say what is wrong in one line and stop with exit status 1."""
    typer.echo(f"watchword: {text}", err=True)
    raise typer.Exit(1)
