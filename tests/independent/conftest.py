"""A provider that serves HTTPS, as relying parties expect of an issuer, and what their own programs need."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.independent.flows import ADDRESS
from tests.independent.node import Workshop, install_packages
from tests.support.browser import chromium
from tests.support.certificates import Certificate, loopback_certificate
from tests.support.provider import RunningProvider, running_provider

__all__ = ["chromium"]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """What the provider of this folder shows, and whom its relying parties trust."""
    return loopback_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def provider(certificate: Certificate) -> Iterator[RunningProvider]:
    """Shared by this folder. Its clock stays: relying parties live by the clock of the machine."""
    authority = os.fspath(certificate.authority)
    with running_provider(
        certificate=certificate, test_limits="off", test_loopback_fetch="on", extra_ca=authority
    ) as running:
        yield running


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Workshop:
    """Where relying parties in JavaScript run, with their packages. Needs Node; skipped or failed without."""
    return Workshop(tmp_path_factory.mktemp("workshop"), install_packages(), certificate.authority)


@pytest.fixture(scope="session")
def dara(provider: RunningProvider, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A person of whom the provider knows more than an address."""
    claims = tmp_path_factory.mktemp("claims") / "dara.json"
    claims.write_text(json.dumps({"name": "Dara Okafor"}))
    done = provider.command("accounts", "add", "--email", ADDRESS, "--claims", os.fspath(claims))
    assert done.returncode == 0, done.stderr


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch, certificate: Certificate) -> Path:
    """Let libraries in this process trust the provider, as an operator would: by the environment."""
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(certificate.authority))
    return certificate.authority
