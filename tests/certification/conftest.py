"""A provider on https with one person who has every standard claim, and the relying party's site."""

import asyncio
import json
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
import trustme
from joserfc.jwk import KeySet

from tests.certification.site import Site, running_site
from tests.certification.suite import CODE, IDENTIFIER, Browser, Client, Suite
from tests.support.event_matrix import note_events
from tests.support.provider import COMMAND, RunningProvider, free_port, provider_environment, stop
from tests.support.secrecy import log_file

PHONE = "+919812345671"
CLAIMS = {
    "name": "Asha Devi Rao",
    "given_name": "Asha",
    "family_name": "Rao",
    "middle_name": "Devi",
    "nickname": "ash",
    "preferred_username": "asha.rao",
    "profile": "https://people.example/asha",
    "picture": "https://people.example/asha.jpg",
    "website": "https://asha.example",
    "gender": "female",
    "birthdate": "1990-02-28",
    "zoneinfo": "Asia/Kolkata",
    "locale": "en-IN",
    "address": {
        "formatted": "12 MG Road\nBengaluru 560001\nIndia",
        "street_address": "12 MG Road",
        "locality": "Bengaluru",
        "region": "Karnataka",
        "postal_code": "560001",
        "country": "India",
    },
}


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """What trusts the authority, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="session")
def site(authority: trustme.CA) -> Iterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with running_site(context) as running:
        yield running


@pytest.fixture(scope="session")
def certified(
    authority: trustme.CA, tls: ssl.SSLContext, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Suite]:
    """The provider, as an operator would start it for a certification run."""
    folder = tmp_path_factory.mktemp("certified")
    own, port = authority.issue_cert("localhost"), free_port()
    certificate, key, trusted = folder / "own.crt", folder / "own.key", folder / "ca.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in own.cert_chain_pems))
    own.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(trusted)
    environment = provider_environment(
        folder,
        port,
        issuer=f"https://localhost:{port}",
        test_limits="off",
        test_identifiers=f"{IDENTIFIER}:{CODE}",
        test_loopback_fetch="on",
        extra_ca=str(trusted),
    )
    _make_person(folder, environment)
    written = log_file(f"provider-{port}")
    with written.open("wb") as log:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)],
            env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    provider = RunningProvider(f"https://localhost:{port}", environment, process, folder, written)
    try:
        metadata = _discover(provider, tls)
        keys = KeySet.import_key_set(httpx2.get(metadata["jwks_uri"], verify=tls).json())
        yield Suite(provider, tls, site, metadata, keys)
    finally:
        stop(process)
        note_events(provider.rows)


def _make_person(folder: Path, environment: dict[str, str]) -> None:
    file = folder / "claims.json"
    file.write_text(json.dumps(CLAIMS))
    command = [*COMMAND, "accounts", "add", "--email", IDENTIFIER, "--phone", PHONE, "--claims", str(file)]
    subprocess.run(command, env=environment, check=True, timeout=60)


def _discover(provider: RunningProvider, tls: ssl.SSLContext) -> dict[str, str]:
    """Wait for discovery, by which everything else is found."""
    address, deadline = f"{provider.issuer}/.well-known/openid-configuration", time.monotonic() + 30
    while True:
        try:
            answer = httpx2.get(address, verify=tls)
        except httpx2.TransportError:
            assert time.monotonic() < deadline, provider.log.read_text()[-3000:]
            time.sleep(0.05)
        else:
            assert answer.headers["content-type"] == "application/json"
            found: dict[str, str] = answer.json()
            return found


@pytest.fixture(scope="session", params=["query", "form_post"])
def suite(request: pytest.FixtureRequest, certified: Suite) -> Suite:
    """The Basic profile by `query`, the Form Post profile by `form_post`: the same cases."""
    return Suite(
        certified.provider, certified.tls, certified.site, certified.metadata, certified.keys, mode=request.param
    )


@pytest.fixture(scope="session")
def client(certified: Suite) -> Client:
    """A confidential client of client_secret_basic, registered as the cases do: no PKCE, no scope."""
    return asyncio.run(
        certified.register(
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="client_secret_basic",
        )
    )


@pytest.fixture(scope="session")
def other(certified: Suite) -> Client:
    """A second client."""
    return asyncio.run(certified.register(grant_types=["authorization_code", "refresh_token"]))


@pytest.fixture
async def browser(tls: ssl.SSLContext) -> AsyncIterator[Browser]:
    """A browser nobody is signed in with."""
    async with Browser(tls) as fresh:
        yield fresh
