"""Our provider as a contender: its clients, its people, a signed-in browser, limits in force."""

import contextlib
import json
import secrets
import sys
import urllib.request
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.browser import CodeLogin
from bench.contender import REDIRECT_URI, RESOURCE, Clients, Contender, Name
from bench.mailbox import open_mailbox
from bench.people import PEOPLE, People
from bench.population import fill
from bench.provider import provider_environment, register_client, run_command, running_provider
from bench.scenarios import INTROSPECTION, OF_OURS, OWN_OPAQUE
from bench.server import Failed, Server, free_port
from bench.walks import sign_in

# Development mode for its mailbox alone: whatever slows or refuses anything is as in production. The client stands
# for the proxy in front, which names each person's own address.
SETTINGS = {"ENV": "development", "TRUSTED_PROXIES": "127.0.0.1/32"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """Stores with clients and people in them, and the environment of a provider on them.

    `opaque` is what a request for an opaque token carries; empty when this version makes none.
    """

    environment: Mapping[str, str]
    clients: Clients
    people: int
    opaque: Mapping[str, str]


async def prepare(folder: Path, people: int = PEOPLE, **settings: str) -> Prepared:
    """Make the stores in `folder`, or where `settings` say, and register everything a scenario needs.

    Raises:
        Failed: the provider refuses the settings or cannot reach the stores, and says why.
    """
    port = free_port()
    chosen = {"ISSUER": f"http://localhost:{port}", "PORT": str(port), "SECRET_KEY": secrets.token_urlsafe(48)}
    environment = provider_environment(folder, **chosen, **SETTINGS, **settings)
    run_command(environment, "db", "upgrade")
    clients = register_clients(environment, folder)
    opaque = {"resource": RESOURCE, "scope": "read"} if _register_resource(environment, clients) else {}
    await fill(environment["WATCHWORD_DATABASE_URL"], people)
    return Prepared(environment, clients, people, opaque)


def register_clients(environment: Mapping[str, str], folder: Path) -> Clients:
    """Register the clients in the stores of an environment."""
    metadata = {
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "openid email read",
    }
    return Clients(
        register_client(environment, folder, client_name="Bench", **metadata),
        register_client(environment, folder, client_name="Bench", id_token_signed_response_alg="ES256", **metadata),
    )


@contextlib.asynccontextmanager
async def running_ours(name: Name, prepared: Prepared, log: Path) -> AsyncIterator[Contender]:
    """Run the provider on prepared stores."""
    with running_provider(prepared.environment, log) as server:
        async with open_mailbox(prepared.environment["WATCHWORD_EPHEMERAL_URL"]) as mailbox:
            walk = CodeLogin(f"localhost:{server.port}", People(prepared.people), mailbox)
            offers = _offers(server, prepared.opaque)
            contender = Contender(name, server, offers, prepared.clients, walk, opaque=prepared.opaque)
            signed_in, _ = await sign_in(contender, prepared.clients.rs256)
            yield replace(contender, session=signed_in.session)


def _register_resource(environment: Mapping[str, str], clients: Clients) -> bool:
    """Register the API whose tokens are opaque; False when this version knows no such tokens."""
    options = ("--audience", RESOURCE, "--scope", "read", "--opaque", "--client", clients.rs256.client_id)
    try:
        run_command(environment, "resources", "add", *options)
    except Failed as problem:
        print(f"skipped: {OWN_OPAQUE} ({problem})", file=sys.stderr)
        return False
    return True


def _offers(server: Server, opaque: Mapping[str, str]) -> frozenset[str]:
    """Return the scenarios this version can run."""
    if not opaque:
        return OF_OURS - {OWN_OPAQUE, INTROSPECTION}
    with urllib.request.urlopen(f"http://localhost:{server.port}/.well-known/openid-configuration") as answer:
        if "introspection_endpoint" in json.load(answer):
            return OF_OURS
    print(f"skipped: {INTROSPECTION} (discovery names no such endpoint)", file=sys.stderr)
    return OF_OURS - {INTROSPECTION}
