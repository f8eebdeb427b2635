"""The demo's apps as the provider knows them: registered once by the command line, remembered in a private file."""

import asyncio
import contextlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from demo_apps.addresses import Addresses
from demo_apps.processes import run_command

_API_SCOPES = ("notes:read", "notes:write")
_SCOPES = ("openid", "profile", "email", "phone", "offline_access", *_API_SCOPES)
_CLIENTS = "clients.json"
_DATABASE = "watchword.sqlite3"
_EPHEMERAL = "ephemeral.sqlite3"
_STATE = (_CLIENTS, f"{_DATABASE}*", f"{_EPHEMERAL}*", "watchword.secret", "logs/*.log")


@dataclass(frozen=True, slots=True)
class Registration:
    """What notes_web needs to know about itself."""

    client_id: str
    client_secret: str = field(repr=False)
    cookie_key: str = field(repr=False)


def provider_environment(addresses: Addresses, folder: Path) -> dict[str, str]:
    """Return what the provider and its command line run with, so that both find the same stores.

    Other settings of the caller's environment stay, so that a demo can be branded or send real messages.
    """
    # Everybody who tries a demo comes from this machine, often as the same person.
    return (
        {"WATCHWORD_SENDS_PER_NETWORK": "1000/10m", "WATCHWORD_SENDS_PER_IDENTIFIER": "1000/10m"}
        | os.environ
        | {
            "WATCHWORD_ENV": "development",
            "WATCHWORD_ISSUER": addresses.issuer,
            "WATCHWORD_PORT": str(addresses.port_base),
            "WATCHWORD_DATABASE_URL": f"sqlite:///{folder / _DATABASE}",
            "WATCHWORD_EPHEMERAL_URL": f"sqlite:///{folder / _EPHEMERAL}",
        }
    )


def forget_everything(folder: Path) -> None:
    """Remove the demo's state from its folder, and nothing else that may lie there."""
    for pattern in _STATE:
        for path in folder.glob(pattern):
            path.unlink()


def recall(addresses: Addresses, folder: Path) -> Registration | None:
    """Return the registration made for these ports, unless the provider's database has gone since."""
    if not (folder / _DATABASE).exists():
        return None
    found = _remembered(folder).get(str(addresses.port_base))
    with contextlib.suppress(TypeError):  # of another version
        return Registration(**found) if found else None
    return None


async def register(addresses: Addresses, folder: Path, environment: Mapping[str, str]) -> Registration:
    """Register the API as a protected resource and notes_web as a first-party client, and remember it.

    Raises:
        DemoFailed: the command line refused.
    """
    _, client = await asyncio.gather(
        run_command("watchword", *_resource(addresses), environment=environment),
        run_command("watchword", *_client(addresses), environment=environment),
    )
    told = json.loads(client)
    registration = Registration(told["client_id"], told["client_secret"], secrets.token_urlsafe(48))
    _remember(addresses, folder, registration)
    return registration


def _resource(addresses: Addresses) -> list[str]:
    return ["resources", "add", "--audience", addresses.notes_api, *_options("--scope", _API_SCOPES)]


def _client(addresses: Addresses) -> list[str]:
    redirects = ["--redirect-uri", f"{addresses.notes_web}/auth/callback"]
    returns = ["--post-logout-redirect-uri", f"{addresses.notes_web}/"]
    scopes = _options("--scope", _SCOPES)
    return ["clients", "add", "--name", "Notes", "--first-party", *redirects, *returns, *scopes, "--json"]


def _options(name: str, values: tuple[str, ...]) -> list[str]:
    return [argument for value in values for argument in (name, value)]


def _remembered(folder: Path) -> dict[str, Any]:
    """Return what the file holds; one that cannot be read is as good as none."""
    try:
        found = json.loads((folder / _CLIENTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _remember(addresses: Addresses, folder: Path, registration: Registration) -> None:
    everything = _remembered(folder) | {str(addresses.port_base): asdict(registration)}
    descriptor = os.open(folder / _CLIENTS, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(everything, file, indent=2)
