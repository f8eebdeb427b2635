"""`python -m demo_apps`, which `make demo` runs: the provider and the demo apps, until Ctrl-C."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from demo_apps.addresses import Addresses
from demo_apps.processes import Children, DemoFailed
from demo_apps.registration import Registration, forget_everything, provider_environment, recall, register

_ROOT = Path(__file__).resolve().parent.parent
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run the demo. Returns 0 when it was asked to stop, 1 when it could not start or go on."""
    options = _parse_options()
    addresses = Addresses(options.port_base)
    taken = addresses.find_taken_port()
    if taken is not None:
        other = options.port_base + 10_000 if options.port_base < 50_000 else 9000
        _complain(f"port {taken} is taken. Free it, or move the demo: make demo PORT_BASE={other}")
        return 1
    folder: Path = options.folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if options.reset:
        forget_everything(folder)
    try:
        asyncio.run(_run_until_asked(addresses, folder))
    except DemoFailed as failed:
        _complain(str(failed))
        return 1
    return 0


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo_apps", description="A first login on this machine.")
    parser.add_argument("--port-base", type=_port_base, default=9000, help="the first of the ports (default: 9000)")
    parser.add_argument("--folder", type=Path, default=Path(".demo"), help="where the state is kept (default: .demo)")
    parser.add_argument("--reset", action="store_true", help="forget accounts, clients and messages first")
    return parser.parse_args()


def _port_base(text: str) -> int:
    """Read a base that leaves room for every demo app and needs no privilege."""
    if not text.isdecimal() or not 1024 <= int(text) <= 65528:
        raise argparse.ArgumentTypeError("PORT_BASE must be a number from 1024 to 65528")
    return int(text)


async def _run_until_asked(addresses: Addresses, folder: Path) -> None:
    """Run everything until a signal comes. Raises DemoFailed when a part fails before that."""
    asked = asyncio.Event()
    for number in _STOP_SIGNALS:  # more of them, while the first one is obeyed, change nothing
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    async with Children(folder / "logs") as children:
        work = asyncio.create_task(_start_and_watch(children, addresses, folder))
        stop = asyncio.create_task(asked.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        _say("\nStopping ...")
        work.cancel()
        stop.cancel()
        outcome, _ = await asyncio.gather(work, stop, return_exceptions=True)
        if isinstance(outcome, Exception) and not asked.is_set():
            raise outcome


async def _start_and_watch(children: Children, addresses: Addresses, folder: Path) -> None:
    _say("Starting ...")
    registration = recall(addresses, folder)
    environment = provider_environment(addresses, folder)
    await _start_provider(children, addresses, folder, environment)
    await _start_app(children, "notes_api", addresses, addresses.notes_api, {"AUDIENCE": addresses.notes_api})
    if registration is None:
        await children.wait_until_ready()
        registration = await register(addresses, folder, environment)
    told = _notes_web_settings(addresses, registration)
    await _start_app(children, "notes_web", addresses, addresses.notes_web, told)
    await children.wait_until_ready()
    _say(_welcome(addresses, folder))
    await children.watch()


async def _start_provider(
    children: Children, addresses: Addresses, folder: Path, environment: Mapping[str, str]
) -> None:
    command = ("watchword", "demo", "--port", str(addresses.port_base), "--folder", str(folder))
    await children.start("provider", *command, environment=environment, ready=f"{addresses.issuer}/readyz")


def _notes_web_settings(addresses: Addresses, registration: Registration) -> dict[str, str]:
    return {
        "CLIENT_ID": registration.client_id,
        "CLIENT_SECRET": registration.client_secret,
        "COOKIE_KEY": registration.cookie_key,
        "BASE_URL": addresses.notes_web,
        "API_URL": addresses.notes_api,
        "MAILBOX_URL": addresses.mailbox,
    }


async def _start_app(
    children: Children, name: str, addresses: Addresses, address: str, settings: Mapping[str, str]
) -> None:
    """Start an app, which never sees the provider's settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    environment = clean | {"ISSUER": addresses.issuer} | dict(settings)
    # No access log: the address of a callback holds an authorization code.
    flags = ("--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "5")
    where = ("--host", "127.0.0.1", "--port", str(urlsplit(address).port), "--app-dir", str(_ROOT))
    target = f"demo_apps.{name}.app:create_app"
    await children.start(name, "uvicorn", "--factory", target, *where, *flags, environment=environment, ready=address)


def _welcome(addresses: Addresses, folder: Path) -> str:
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    return f"""
  {bold}Watchword is running. Sign in to the Notes app:{plain}

    Notes      {bold}{addresses.notes_web}{plain}
    Mailbox    {bold}{addresses.mailbox}{plain}   your code arrives here

    Notes API  {addresses.notes_api}
    Provider   {addresses.issuer}/.well-known/openid-configuration

  Any email address will do, or a phone number such as +91 98123 45678.
  State and logs are in {folder}. Ctrl-C stops everything.
"""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"demo: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
