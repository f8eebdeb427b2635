"""A provider with limits on, whose clock these tests move; each of them brings people and identifiers of its own."""

from collections.abc import Iterator

import pytest

from tests.support.provider import RunningProvider, free_port, running_provider
from tests.support.relying_party import RelyingParty, register


@pytest.fixture(scope="package")
def limited() -> Iterator[RunningProvider]:
    with running_provider() as running:
        yield running


@pytest.fixture(scope="package")
def party(limited: RunningProvider) -> RelyingParty:
    """A first-party client of the provider with limits."""
    return register(limited)


@pytest.fixture(scope="package")
def smtp_port() -> int:
    """Where the mail of `posting` goes, whether somebody listens there or not."""
    return free_port()


@pytest.fixture(scope="package")
def posting(smtp_port: int) -> Iterator[RunningProvider]:
    """A provider that sends mail by real SMTP and keeps no mailbox for it."""
    url = f"smtp://127.0.0.1:{smtp_port}?starttls=off"
    with running_provider(smtp_url=url, smtp_from="Watchword <login@id.example.com>") as running:
        yield running


@pytest.fixture(scope="package")
def posting_party(posting: RunningProvider) -> RelyingParty:
    """A first-party client of the provider that sends mail."""
    return register(posting)
