"""The state that every scenario starts from: registered clients, people with fixed codes, a signed-in browser."""

import contextlib
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from bench.load import connect
from bench.server import (
    Registration,
    Server,
    free_port,
    provider_environment,
    register_client,
    running_bare,
    running_provider,
)
from bench.walks import IDENTIFIERS, ONE_TIME_CODE, REDIRECT_URI, sign_in

TEST_MODE = {
    "ENV": "test",
    "TEST_LIMITS": "off",
    "TEST_IDENTIFIERS": ",".join(f"{identifier}:{ONE_TIME_CODE}" for identifier in IDENTIFIERS),
}


@dataclass(frozen=True, slots=True)
class Clients:
    """The registered clients: they differ in how their ID tokens are signed."""

    rs256: Registration
    es256: Registration


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What scenarios run against: `provider` in production mode, `logins` the same in test mode, with fixed codes."""

    bare: Server
    provider: Server
    logins: Server
    clients: Clients
    session: str


@contextlib.asynccontextmanager
async def surroundings(folder: Path) -> AsyncIterator[Surroundings]:
    """Prepare one state, then run two providers on copies of it.

    Fixed codes exist in test mode alone, and test mode reads the test clock's row in every request; so only complete
    logins are measured there, and everything else on a provider in production mode.
    """
    port = free_port()
    kept, copied = folder / "provider", folder / "logins"
    fixed = {"ISSUER": f"http://localhost:{port}", "SECRET_KEY": secrets.token_urlsafe(48)}
    production = provider_environment(kept, **fixed, PORT=str(port))
    clients = register_clients(production, kept)
    first_environment = provider_environment(kept, **fixed, **TEST_MODE, PORT=str(port))
    with running_provider(first_environment, folder / "first.log") as first:
        session = await _first_session(first, clients)
    shutil.copytree(kept, copied)
    logins_environment = provider_environment(copied, **fixed, **TEST_MODE, PORT=str(free_port()))
    with (
        running_provider(production, folder / "provider.log") as provider,
        running_provider(logins_environment, folder / "logins.log") as logins,
        running_bare(folder) as bare,
    ):
        yield Surroundings(bare, provider, logins, clients, session)


def register_clients(environment: dict[str, str], folder: Path) -> Clients:
    """Register the clients in the stores of an environment."""
    metadata = {
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    }
    return Clients(
        register_client(environment, folder, client_name="Bench", **metadata),
        register_client(environment, folder, client_name="Bench", id_token_signed_response_alg="ES256", **metadata),
    )


async def _first_session(server: Server, clients: Clients) -> str:
    connection = await connect(server)
    try:
        session, _ = await sign_in(connection, clients.rs256)
        return session
    finally:
        connection.close()
