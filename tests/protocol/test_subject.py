"""Pairwise subjects: one for each sector, for ever the same, and nobody's identifier."""

from uuid import UUID, uuid4

import pytest

from tests.protocol.builders import ACCOUNT, a_client
from watchword.protocol.client import Client
from watchword.protocol.subject import pairwise_subject

SECRET = bytes(range(32))
LONGEST = 255  # OpenID Connect Core section 2


def subject(client: Client, account_id: UUID = ACCOUNT, secret: bytes = SECRET) -> str:
    return pairwise_subject(secret, client, account_id)


def at(*redirect_uris: str, sector: str | None = None, client_id: str = "c_rp") -> Client:
    return a_client(id=client_id, redirect_uris=redirect_uris, sector_identifier_uri=sector, subject_type="pairwise")


def test_a_pairwise_subject_never_changes() -> None:
    """The value itself: relying parties keep it for years."""
    assert subject(at("https://rp.example/cb")) == "p_qA5sHu91xrLFZMnEFCwFPBtQRiSBg55U99Ocod7VzyI"


def test_clients_of_one_sector_know_a_person_by_the_same_subject() -> None:
    expected = subject(at("https://rp.example/cb"))
    for client in (
        at("https://rp.example/cb", client_id="c_other"),
        at("https://rp.example/other", "https://rp.example/cb"),
        at("https://RP.example:8443/cb"),
        at("http://rp.example/cb"),
        at("https://elsewhere.example/cb", "https://third.example/", sector="https://rp.example/uris.json"),
    ):
        assert subject(client) == expected


def test_another_sector_account_or_key_gives_another_subject() -> None:
    client = at("https://rp.example/cb")
    subjects = {
        subject(client),
        subject(at("https://other.example/cb")),
        subject(at("https://rp.example.other.example/cb")),
        subject(at("https://rp.example/cb", sector="https://other2.example/uris.json")),
        subject(client, UUID(int=1)),
        subject(client, secret=bytes(32)),
    }
    assert len(subjects) == 6


@pytest.mark.parametrize(
    "redirect_uris",
    [
        ("com.example.app:/cb",),
        ("http://127.0.0.1/cb",),
        ("http://[::1]:8999/cb",),
        ("http://localhost:8999/cb",),
        ("https://one.example/", "https://two.example/"),
        (),
    ],
)
def test_a_client_without_a_host_of_its_own_is_a_sector_of_its_own(redirect_uris: tuple[str, ...]) -> None:
    assert subject(at(*redirect_uris)) == subject(at(*redirect_uris))
    assert subject(at(*redirect_uris)) != subject(at(*redirect_uris, client_id="c_other"))
    assert subject(at(*redirect_uris, client_id="c.example")) != subject(at("https://c.example/"))


def test_no_subject_is_a_client_id_or_an_account_id_and_all_are_short_and_printable() -> None:
    client = at("https://rp.example/cb")
    for account_id in (uuid4() for _ in range(200)):
        found = subject(client, account_id)
        assert found.startswith("p_")
        assert len(found) < LONGEST
        assert found.isascii()
        assert found.isprintable()
        assert str(account_id) not in found
