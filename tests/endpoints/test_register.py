"""Dynamic client registration over HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.support.provider import RunningProvider, running_provider

CALLBACK = "https://rp.example/cb"


def test_a_client_registers_itself_and_learns_what_stands(http: httpx2.Client) -> None:
    metadata = {
        "client_name": "Bücher",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "contacts": ["a@rp.example"],
    }
    answer = http.post("/register", json=metadata)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    client = answer.json()
    assert client["client_id"].startswith("c_")
    assert len(client["client_secret"]) == 43
    assert client["client_secret_expires_at"] == 0
    assert client["client_id_issued_at"] > 0
    for name in ("client_name", "redirect_uris", "grant_types", "response_types"):
        assert client[name] == metadata[name]
    assert client["token_endpoint_auth_method"] == "client_secret_basic"
    assert "openid" in client["scope"].split()
    assert not client.keys() & {"contacts", "pkce_required", "first_party", "registration_access_token"}
    assert None not in client.values()


def test_every_registration_is_another_client(http: httpx2.Client) -> None:
    clients = [http.post("/register", json={"redirect_uris": [CALLBACK]}).json() for _ in range(3)]
    assert len({client["client_id"] for client in clients}) == 3
    assert len({client["client_secret"] for client in clients}) == 3


def test_a_public_client_gets_no_secret(http: httpx2.Client) -> None:
    metadata = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    client = http.post("/register", json=metadata).json()
    assert not client.keys() & {"client_secret", "client_secret_expires_at"}


def test_privileges_are_not_there_for_the_asking(http: httpx2.Client) -> None:
    metadata = {
        "redirect_uris": [CALLBACK],
        "scope": "openid notes:write admin",
        "first_party": True,
        "default_resource": "https://notes.example",
        "client_id": "c_mine",
        "client_secret": "mine",
        "status": "active",
        "profile": "fapi2",
    }
    client = http.post("/register", json=metadata).json()
    assert client["scope"] == "openid"
    assert client["client_id"] != "c_mine"
    assert client["client_secret"] != "mine"
    assert not client.keys() & {"first_party", "default_resource", "status", "profile"}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no redirect_uris", {}, "invalid_redirect_uri"),
    ("a fragment", {"redirect_uris": [CALLBACK + "#f"]}, "invalid_redirect_uri"),
    ("plain http", {"redirect_uris": ["http://rp.example/cb"]}, "invalid_redirect_uri"),
    ("a script", {"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
    ("an open bracket", {"redirect_uris": ["https://[x/cb"]}, "invalid_redirect_uri"),
    ("text behind an address", {"redirect_uris": ["http://[::1]evil/cb"]}, "invalid_redirect_uri"),
    ("a grant type we lack", {"grant_types": ["implicit"]}, "invalid_client_metadata"),
    ("a grant type with half a character", {"grant_types": ["\ud800"]}, "invalid_client_metadata"),
    ("a response type we lack", {"response_types": ["token"]}, "invalid_client_metadata"),
    ("a method we lack", {"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    ("unsigned ID tokens", {"id_token_signed_response_alg": "none"}, "invalid_client_metadata"),
    ("a logo with an open bracket", {"logo_uri": "https://[x"}, "invalid_client_metadata"),
    ("a name with a NUL", {"client_name": "a\u0000"}, "invalid_client_metadata"),
]


@pytest.mark.parametrize(("metadata", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_metadata_that_does_not_hold_is_refused(http: httpx2.Client, metadata: dict[str, Any], error: str) -> None:
    document = ({"redirect_uris": [CALLBACK]} if "redirect_uris" not in str(metadata) else {}) | metadata
    answer = http.post("/register", content=json.dumps(document if metadata else {}), headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["cache-control"] == "no-store"


JSON = {"content-type": "application/json"}

HOSTILE: list[tuple[str, bytes, int]] = [
    ("empty", b"", 400),
    ("no JSON", b"{", 400),
    ("a list", b"[]", 400),
    ("text", b'"x"', 400),
    ("null", b"null", 400),
    ("a member twice", b'{"redirect_uris":["https://a.example/"],"redirect_uris":["https://b.example/"]}', 400),
    ("a member twice further inside", b'{"jwks":{"keys":1,"keys":2}}', 400),
    ("NaN", b'{"default_max_age":NaN}', 400),
    ("a number beyond any float", b'{"default_max_age":1e999}', 400),
    ("a number of 20 digits", b'{"default_max_age":' + b"1" * 20 + b"}", 400),
    ("not UTF-8", b'{"client_name":"\xff"}', 400),
    ("a byte order mark", b"\xef\xbb\xbf{}", 400),
    ("UTF-16", "{}".encode("utf-16"), 400),
    ("text behind", b"{}x", 400),
    ("nine levels", b'{"a":' + b"[" * 9 + b"]" * 9 + b"}", 400),
    ("600 levels", b'{"a":' + b"[" * 600 + b"]" * 600 + b"}", 400),
    ("beyond the decoder", b'{"a":' + b"[" * 8000, 400),
    ("one byte too many", b'{"a":"' + b"x" * (16 * 1024 - 7) + b'"}', 413),
]


@pytest.mark.parametrize(("body", "status"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_hostile_json_is_refused(http: httpx2.Client, body: bytes, status: int) -> None:
    answer = http.post("/register", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (status, "invalid_request")


def test_sixteen_kilobytes_are_read(http: httpx2.Client) -> None:
    start = f'{{"redirect_uris":["{CALLBACK}"],"x":"'.encode()
    body = start + b"x" * (16 * 1024 - len(start) - 2) + b'"}'
    assert len(body) == 16 * 1024
    assert http.post("/register", content=body, headers=JSON).status_code == 201


def test_another_content_type_is_refused(http: httpx2.Client) -> None:
    for content_type in ("application/x-www-form-urlencoded", "text/json", "application/jwt", ""):
        answer = http.post("/register", content=b"{}", headers={"content-type": content_type})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.fixture(scope="module")
def closed() -> Iterator[RunningProvider]:
    with running_provider(registration="off") as running:
        yield running


def test_registration_is_off_unless_the_operator_opens_it(closed: RunningProvider) -> None:
    answer = httpx2.post(f"{closed.issuer}/register", json={"redirect_uris": [CALLBACK]})
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    document = httpx2.get(f"{closed.issuer}/.well-known/openid-configuration").json()
    assert "registration_endpoint" not in document
