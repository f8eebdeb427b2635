"""Secrets of clients: random, shown once, stored hashed, and replaced while the one before it still works."""

import base64
import json
import re
from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.support.asserting_party import GRANT, HTTP, asserting_party
from tests.support.provider import RunningProvider
from tests.support.secrecy import remember_secret

DAY = 24 * 3600
FRESH = 6  # seconds after which every worker has looked at a client again


@pytest.fixture
def client(provider: RunningProvider) -> dict[str, Any]:
    metadata = {"grant_types": ["client_credentials"]}
    client: dict[str, Any] = HTTP.post(f"{provider.issuer}/register", json=metadata).json()
    remember_secret(client["client_secret"])
    return client


def rotate(provider: RunningProvider, client_id: str, *options: str) -> str:
    """Rotate and return the new secret, when the workers know of it."""
    done = provider.command("clients", "rotate-secret", client_id, *options, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer.keys() == {"client_id", "client_secret", "previous_expires_at"}
    provider.advance(FRESH)
    return remember_secret(answer["client_secret"])


def works(provider: RunningProvider, client_id: str, secret: str) -> bool:
    in_header = HTTP.post(f"{provider.issuer}/token", data=GRANT, auth=(client_id, secret))
    in_form = HTTP.post(f"{provider.issuer}/token", data=GRANT | {"client_id": client_id, "client_secret": secret})
    assert in_header.status_code == in_form.status_code
    if in_header.status_code != 200:
        assert in_header.status_code == 401
        assert in_header.json() == in_form.json()
        assert in_header.headers["www-authenticate"].startswith("Basic")
        assert "www-authenticate" not in in_form.headers
    return in_header.status_code == 200


def hashes(provider: RunningProvider, client_id: str) -> list[Any]:
    query = "SELECT hash, expires_at FROM client_secret WHERE client_id = :client_id"
    return provider.rows(query, client_id=client_id)


def test_the_old_secret_works_until_its_day_is_over(provider: RunningProvider, client: dict[str, Any]) -> None:
    client_id, old = client["client_id"], client["client_secret"]
    new = rotate(provider, client_id)
    assert works(provider, client_id, new)
    assert works(provider, client_id, old)
    provider.advance(DAY - 60)
    assert works(provider, client_id, old)
    provider.advance(60)
    assert not works(provider, client_id, old)
    assert works(provider, client_id, new)


def test_the_overlap_is_the_operators_to_choose(provider: RunningProvider, client: dict[str, Any]) -> None:
    client_id, old = client["client_id"], client["client_secret"]
    new = rotate(provider, client_id, "--overlap", "120")
    assert works(provider, client_id, old)
    provider.advance(120)
    assert not works(provider, client_id, old)
    (event,) = provider.rows(
        "SELECT detail FROM audit_event WHERE name = 'client.secret_rotated' AND client_id = :id", id=client_id
    )
    assert json.loads(event["detail"]) == {"overlap": 120}
    newest = rotate(provider, client_id, "--overlap", "0")
    assert not works(provider, client_id, new)
    assert works(provider, client_id, newest)


def test_two_secrets_live_at_most(provider: RunningProvider, client: dict[str, Any]) -> None:
    client_id = client["client_id"]
    first, second, third = client["client_secret"], rotate(provider, client_id), rotate(provider, client_id)
    assert [works(provider, client_id, secret) for secret in (first, second, third)] == [False, True, True]
    assert len(hashes(provider, client_id)) == 2


def test_a_secret_has_256_bits_in_plain_letters_and_only_its_hash_is_kept(
    provider: RunningProvider, client: dict[str, Any]
) -> None:
    new = rotate(provider, client["client_id"])
    for secret in (client["client_secret"], new):
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret)
        for row in hashes(provider, client["client_id"]):
            assert len(row["hash"]) == 16
        assert secret not in provider.log.read_text()
    shown = provider.command("clients", "show", client["client_id"], "--json").stdout
    assert new not in shown


def test_what_has_no_secret_is_refused_in_one_line(provider: RunningProvider) -> None:
    asserting = asserting_party(provider, ECKey.generate_key("P-256")).client_id
    for client_id, said in (("c_unknown", "no client"), (asserting, "private_key_jwt")):
        done = provider.command("clients", "rotate-secret", client_id)
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_secret_may_be_form_encoded_inside_http_basic(provider: RunningProvider, client: dict[str, Any]) -> None:
    """RFC 6749 section 2.3.1. Ours need no encoding, and a client may encode more than it needs to."""
    for pair in (
        ("client_id", "client_secret"),
        tuple("".join(f"%{ord(letter):02X}" for letter in client[name]) for name in ("client_id", "client_secret")),
    ):
        basic = ":".join(client.get(part, part) for part in pair).encode()
        headers = {"authorization": "Basic " + base64.b64encode(basic).decode()}
        assert HTTP.post(f"{provider.issuer}/token", data=GRANT, headers=headers).status_code == 200
