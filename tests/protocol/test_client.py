"""A registered client: its redirect URIs and its secrets."""

from datetime import timedelta

import pytest

from tests.protocol.builders import NOW, a_client
from tests.vectors import vectors
from watchword.protocol.client import Client, ClientSecret
from watchword.protocol.digests import fingerprint

URIS = vectors("redirect_uris")


@pytest.fixture(scope="module")
def client() -> Client:
    return a_client(redirect_uris=tuple(URIS["registered"]))


@pytest.mark.parametrize("uri", [uri for _, uri in URIS["own"]], ids=[why for why, _ in URIS["own"]])
def test_a_redirect_uri_of_its_own_is_known(client: Client, uri: str) -> None:
    assert client.owns_redirect_uri(uri)


@pytest.mark.parametrize("uri", [uri for _, uri in URIS["foreign"]], ids=[why for why, _ in URIS["foreign"]])
def test_a_redirect_uri_that_differs_in_anything_is_foreign(client: Client, uri: str) -> None:
    assert not client.owns_redirect_uri(uri)


def test_a_client_without_redirect_uris_owns_none() -> None:
    assert not a_client(redirect_uris=()).owns_redirect_uri("http://127.0.0.1:1/")


def test_any_live_secret_is_its_own_and_no_other() -> None:
    old = ClientSecret(fingerprint("old"), NOW)
    new = ClientSecret(fingerprint("new"))
    client = a_client(secrets=(old, new))
    assert client.owns_secret("new", NOW)
    assert client.owns_secret("old", NOW - timedelta(seconds=1))
    assert not client.owns_secret("old", NOW)
    assert not client.owns_secret("", NOW)
    assert not client.owns_secret("New", NOW)


def test_a_client_without_secrets_owns_none() -> None:
    assert not a_client().owns_secret("", NOW)
