"""A provider whose clock moves, with people whose one-time code is fixed: quick to sign in, and nobody's mailbox."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.endpoints.people import API, CODE, FILES, PEOPLE
from tests.support.browser import chromium
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty, register
from tests.support.secrecy import remember_secret

__all__ = ["chromium"]

BYE = "http://127.0.0.1:8999/bye"
# The operator's own pages, as discovery names them.
DOCUMENTS: dict[str, Any] = {
    name: f"https://docs.example/{name}" for name in ("service_documentation", "op_policy_uri", "op_tos_uri")
}


@pytest.fixture(scope="session")
def provider() -> Iterator[RunningProvider]:
    """Shared by this folder. Any test may move its clock forward, so each signs in anew."""
    people = ",".join(f"{identifier}:{CODE}" for identifier in PEOPLE)
    with running_provider(test_limits="off", test_identifiers=people, **DOCUMENTS) as running:
        yield running


@pytest.fixture(scope="session")
def parties(provider: RunningProvider) -> dict[str, RelyingParty]:
    """What the operator registered: both resources, and a client of each kind. The commands run side by side."""
    scopes = ["openid", "profile", "email", "phone", "offline_access", "notes:read", "notes:write", "files:read"]
    every = [argument for scope in scopes for argument in ("--scope", scope)]
    machine = ["--grant", "client_credentials", "--scope", "notes:read"]
    with ThreadPoolExecutor() as pool:
        resources = [
            pool.submit(provider.add_resource, API, "notes:read", "notes:write"),
            pool.submit(provider.add_resource, FILES, "files:read"),
        ]
        clients = {
            "party": pool.submit(register, provider, "--post-logout-redirect-uri", BYE, *every),
            "public": pool.submit(register, provider, "--post-logout-redirect-uri", BYE, "--public"),
            "machine": pool.submit(register, provider, *machine, first_party=False),
        }
        for resource in resources:
            resource.result()
        return {name: client.result() for name, client in clients.items()}


@pytest.fixture(scope="session")
def party(parties: dict[str, RelyingParty]) -> RelyingParty:
    """A confidential client of ours that may use both resources."""
    return parties["party"]


@pytest.fixture(scope="session")
def public(parties: dict[str, RelyingParty]) -> RelyingParty:
    """A public client of ours."""
    return parties["public"]


@pytest.fixture(scope="session")
def machine(parties: dict[str, RelyingParty]) -> RelyingParty:
    """A client that acts for itself."""
    return parties["machine"]


@pytest.fixture(scope="session")
def stranger(provider: RunningProvider) -> RelyingParty:
    """A confidential client that registered itself: people are asked for consent."""
    metadata = {"client_name": "Stranger", "redirect_uris": ["http://127.0.0.1:8999/callback"]}
    client = httpx2.post(f"{provider.issuer}/register", json=metadata).json()
    return RelyingParty(provider, client["client_id"], remember_secret(client["client_secret"]))


@pytest.fixture(scope="session")
def connection(provider: RunningProvider) -> Iterator[httpx2.Client]:
    """One connection to the provider for all plain requests."""
    with httpx2.Client(base_url=provider.issuer, timeout=30) as client:
        yield client


@pytest.fixture
def http(connection: httpx2.Client) -> httpx2.Client:
    """Plain HTTP without cookies from before; no redirect is followed."""
    connection.cookies.clear()
    return connection
