"""Registration by initial access tokens (RFC 7591 section 3), and sectors that are fetched, on each pair of stores."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from tests.endpoints.refusal import check_refusal
from tests.endpoints.test_register import bearer, remembered
from tests.support.pairs import PAIRS
from tests.support.provider import RunningProvider, http_client, running_provider
from tests.support.secrecy import remember_secret
from watchword.client_registration import new_secret
from watchword.clock import Clock
from watchword.database import initial_access_tokens, open_database
from watchword.protocol.digests import fingerprint
from watchword.protocol.registration import parse_policy

A, B = "https://a.example/cb", "https://b.example/cb"
TIMES = 60


@pytest.fixture(scope="module", params=PAIRS)
def selective(request: pytest.FixtureRequest) -> Iterator[RunningProvider]:
    """Two workers that register whoever brings a token."""
    with running_provider(
        workers=2, pair=request.param, registration="token", test_limits="off", test_loopback_fetch="on"
    ) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Token:
    """An initial access token as the operator's command makes it, without a process of its own."""

    id: UUID
    text: str


def make_token(
    provider: RunningProvider, *scopes: str, uses: int = 1, lifetime: int = 86_400, hosts: tuple[str, ...] = ()
) -> Token:
    made = Token(uuid4(), remember_secret(new_secret()))

    async def add() -> None:
        database = open_database(provider.environment["WATCHWORD_DATABASE_URL"], Clock())
        await database.transaction(
            lambda transaction: initial_access_tokens.add(
                transaction,
                made.id,
                token_hash=fingerprint(made.text),
                policy=parse_policy(scopes, hosts),
                uses=uses,
                lifetime=timedelta(seconds=lifetime),
            )
        )
        await database.close()

    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, add()).result()
    return made


@pytest.fixture(scope="module")
def token(selective: RunningProvider) -> str:
    """A token for most tests: it is never used up."""
    return make_token(selective, uses=10_000).text


def register(provider: RunningProvider, token: str, **metadata: Any) -> httpx2.Response:
    document = {"redirect_uris": [A]} | metadata
    headers = {"authorization": f"Bearer {token}"}
    answer = httpx2.post(f"{provider.issuer}/register", json=document, headers=headers, timeout=30)
    if answer.status_code == 201:
        remembered(answer)
    return answer


def uses_left(provider: RunningProvider, made: Token) -> int:
    (row,) = provider.rows("SELECT uses_left FROM initial_access_token WHERE id = :id", id=str(made.id))
    return int(row["uses_left"])


def test_without_a_token_nobody_registers(selective: RunningProvider) -> None:
    """J-05."""
    url, document = f"{selective.issuer}/register", {"redirect_uris": [A]}
    for headers in ({}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}):
        answer = httpx2.post(url, json=document, headers=headers)
        check_refusal(answer, 401, "invalid_token")
        assert answer.headers["www-authenticate"] == "Bearer"
    answer = register(selective, "x" * 43)
    check_refusal(answer, 401, "invalid_token")
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    metadata = httpx2.get(f"{selective.issuer}/.well-known/openid-configuration").json()
    assert metadata["registration_endpoint"] == url


def test_a_token_registers_one_client_and_is_kept_hashed(selective: RunningProvider) -> None:
    made = make_token(selective)
    for refused in ({"redirect_uris": ["http://a.example/"]}, {"jwks": 1}, {"sector_identifier_uri": A}):
        assert register(selective, made.text, **refused).status_code == 400
    assert uses_left(selective, made) == 1  # what was refused spent nothing
    client = register(selective, made.text).json()
    check_refusal(register(selective, made.text), 401, "invalid_token")
    (row,) = selective.rows("SELECT * FROM client WHERE id = :id", id=client["client_id"])
    assert (row["registered_by"], bool(row["first_party"])) == ("token", False)
    rows = selective.rows("SELECT * FROM initial_access_token WHERE id = :id", id=str(made.id))
    assert made.text not in repr(rows)
    (event,) = selective.rows(
        "SELECT detail FROM audit_event WHERE name = 'client.created' AND client_id = :id", id=client["client_id"]
    )
    assert json.loads(event["detail"]) == {"registered_by": "token", "registration": str(made.id)}


@pytest.mark.races
@pytest.mark.parametrize("uses", [1, 3])
async def test_of_sixty_registrations_at_once_a_token_allows_its_uses(selective: RunningProvider, uses: int) -> None:
    """J-05; each over a connection of its own, to two workers."""
    made = make_token(selective, uses=uses)
    headers = {"authorization": f"Bearer {made.text}"}
    count = "SELECT COUNT(*) AS clients FROM client"
    before = selective.rows(count)[0]["clients"]
    crowd = [http_client(headers=headers) for _ in range(TIMES)]
    await asyncio.gather(*(http.get(f"{selective.issuer}/healthz") for http in crowd))
    answers = await asyncio.gather(
        *(http.post(f"{selective.issuer}/register", json={"redirect_uris": [A]}) for http in crowd)
    )
    for http in crowd:
        await http.aclose()
    assert Counter(answer.status_code for answer in answers) == {201: uses, 401: TIMES - uses}
    for answer in answers:
        remembered(answer)
    assert selective.rows(count)[0]["clients"] == before + uses
    assert uses_left(selective, made) == 0


def test_a_token_is_over_when_it_expires(selective: RunningProvider) -> None:
    made = make_token(selective, lifetime=3600)
    selective.advance(3601)
    check_refusal(register(selective, made.text), 401, "invalid_token")
    assert uses_left(selective, made) == 1


def test_a_policy_bounds_a_client_for_good(selective: RunningProvider) -> None:
    made = make_token(selective, "openid", "notes:read", hosts=("a.example",), uses=2)
    spent = made.text
    check_refusal(register(selective, spent, redirect_uris=[A, B]), 400, "invalid_redirect_uri")
    check_refusal(register(selective, spent, post_logout_redirect_uris=[B]), 400, "invalid_redirect_uri")
    assert uses_left(selective, made) == 2
    asked = {"scope": "openid email notes:read notes:write", "first_party": True, "pkce_required": False}
    client = register(selective, spent, **asked, token_endpoint_auth_method="none").json()
    assert client["scope"] == "notes:read openid"
    assert register(selective, spent).json()["scope"] == "notes:read openid"
    document = {"client_id": client["client_id"], "redirect_uris": [B]}
    address = client["registration_client_uri"]
    check_refusal(httpx2.put(address, json=document, headers=bearer(client)), 400, "invalid_redirect_uri")
    stands = httpx2.put(address, json=document | asked | {"redirect_uris": [A]}, headers=bearer(client)).json()
    assert stands["scope"] == "notes:read openid"
    assert "first_party" not in stands


def test_where_anybody_may_register_a_token_still_counts(provider: RunningProvider) -> None:
    check_refusal(register(provider, "x"), 401, "invalid_token")
    made = make_token(provider, "notes:read", lifetime=10 * 365 * 86_400)  # others moved this provider's clock
    assert register(provider, made.text).json()["scope"] == "notes:read"
    check_refusal(register(provider, made.text), 401, "invalid_token")


# --- sectors of pairwise subjects (OpenID Connect Core section 8.1, Registration section 5)

DOCUMENTS: dict[str, tuple[int, str, bytes]] = {
    "/both": (200, "application/json", json.dumps([B, A, "https://c.example/cb"]).encode()),
    "/one": (200, "application/json", json.dumps([A]).encode()),
    "/object": (200, "application/json", json.dumps({A: B}).encode()),
    "/numbers": (200, "application/json", json.dumps([A, B, 1]).encode()),
    "/twice": (200, "application/json", b'[{"a":1,"a":2}]'),
    "/text": (200, "text/plain", json.dumps([A, B]).encode()),
    "/broken": (200, "application/json", b"["),
    "/large": (200, "application/json", json.dumps([A, B, "x" * 70_000]).encode()),
    "/gone": (404, "application/json", json.dumps([A, B]).encode()),
    "/elsewhere": (302, "application/json", b""),
}


class _Sector(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, media_type, body = DOCUMENTS[self.path]
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        if status == 302:
            self.send_header("location", "/both")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def sector() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Sector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


PAIRWISE = {"subject_type": "pairwise", "redirect_uris": [A, B]}


def test_a_sector_that_names_every_redirect_uri_vouches_for_the_client(
    selective: RunningProvider, token: str, sector: str
) -> None:
    """oidcc-registration-sector-uri."""
    for path, uris in [("/both", [A, B]), ("/one", [A])]:
        client = register(
            selective, token, **PAIRWISE | {"redirect_uris": uris}, sector_identifier_uri=sector + path
        ).json()
        assert (client["subject_type"], client["sector_identifier_uri"]) == ("pairwise", sector + path)
    without = register(selective, token, subject_type="pairwise")
    assert without.status_code == 201  # one host needs no other word


@pytest.mark.parametrize("path", sorted(DOCUMENTS.keys() - {"/both"}))
def test_a_sector_that_does_not_vouch_is_refused(
    selective: RunningProvider, token: str, sector: str, path: str
) -> None:
    """oidcc-registration-sector-bad."""
    refused = register(selective, token, **PAIRWISE, sector_identifier_uri=sector + path)
    check_refusal(refused, 400, "invalid_client_metadata")


def test_a_sector_must_vouch_for_public_subjects_too(selective: RunningProvider, token: str, sector: str) -> None:
    refused = register(selective, token, redirect_uris=[A, B], sector_identifier_uri=f"{sector}/one")
    check_refusal(refused, 400, "invalid_client_metadata")


def test_a_sector_that_does_not_answer_is_refused(selective: RunningProvider, token: str) -> None:
    for uri in ("http://127.0.0.1:1/", "https://nowhere.invalid/", "https://10.0.0.1/", "https://[fe80::1]/"):
        answer = register(selective, token, **PAIRWISE, sector_identifier_uri=uri)
        check_refusal(answer, 400, "invalid_client_metadata")


def test_a_client_cannot_leave_its_sector_by_an_update(selective: RunningProvider, token: str, sector: str) -> None:
    client = register(selective, token, subject_type="pairwise", sector_identifier_uri=f"{sector}/one").json()
    for change in ({"redirect_uris": [A, B], "sector_identifier_uri": f"{sector}/one"}, {"redirect_uris": [A, B]}):
        document = {"client_id": client["client_id"], "subject_type": "pairwise"} | change
        answer = httpx2.put(client["registration_client_uri"], json=document, headers=bearer(client), timeout=30)
        check_refusal(answer, 400, "invalid_client_metadata")
