"""Dynamic client registration over HTTP, open to anybody; by tokens see test_registration_tokens."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from tests.endpoints.people import ASHA, CODE
from tests.endpoints.refusal import check_refusal
from tests.support.person import Person
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import REDIRECT_URI, RelyingParty
from tests.support.secrecy import remember_secret
from tests.vectors import vectors
from watchword.settings import Settings

CALLBACK = "https://rp.example/cb"
RSA_PRIVATE = RSAKey.generate_key(2048).as_dict(private=True)
REFUSED_URIS: list[tuple[str, str]] = vectors("redirect_uris")["not_registrable"]


def remembered(answer: httpx2.Response) -> dict[str, Any]:
    """What a registration answered; its secrets are looked for in the logs at the end."""
    client: dict[str, Any] = answer.json()
    for name in {"client_secret", "registration_access_token"} & client.keys():
        remember_secret(client[name])
    return client


def bearer(client: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {client['registration_access_token']}"}


def newest_row(provider: RunningProvider) -> dict[str, Any]:
    (row,) = provider.rows("SELECT * FROM client WHERE registered_by = 'itself' ORDER BY created_at DESC LIMIT 1")
    return row


def test_a_client_registers_itself_and_learns_what_stands(http: httpx2.Client, provider: RunningProvider) -> None:
    """RFC 7591 section 3.2.1, RFC 7592 section 3; J-06."""
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
    client = remembered(answer)
    assert client["client_id"].startswith("c_")
    assert len(client["client_secret"]) == 43  # 256 bits, in letters that no encoding changes
    assert client["client_secret_expires_at"] == 0
    assert abs(client["client_id_issued_at"] - newest_row(provider)["created_at"] / 10**6) < 5
    assert {name: client[name] for name in metadata} == metadata
    assert client["token_endpoint_auth_method"] == "client_secret_basic"
    assert client["registration_client_uri"] == f"{provider.issuer}/register/{client['client_id']}"
    assert len(client["registration_access_token"]) == 43
    assert not client.keys() & {"pkce_required", "first_party", "default_resource"}
    assert None not in client.values()


def test_secrets_are_kept_hashed(http: httpx2.Client, provider: RunningProvider) -> None:
    """J-06."""
    client = remembered(http.post("/register", json={"redirect_uris": [CALLBACK]}))
    of_client = {"id": client["client_id"]}
    rows = provider.rows("SELECT * FROM client WHERE id = :id", **of_client)
    rows += provider.rows("SELECT * FROM client_secret WHERE client_id = :id", **of_client)
    assert len(rows) == 2
    for name in ("client_secret", "registration_access_token"):
        assert client[name] not in repr(rows)
    assert rows[0]["management_hash"] == hashlib.sha256(client["registration_access_token"].encode()).digest()[:16]


def test_a_client_that_names_no_scope_may_ask_for_all_of_openid(http: httpx2.Client) -> None:
    client = remembered(http.post("/register", json={"redirect_uris": [CALLBACK]}))
    assert set(client["scope"].split()) == {"openid", "profile", "email", "phone", "address", "offline_access"}


RSA_WITHOUT_KID = {"alg": "RS256", **RSAKey.generate_key(2048).as_dict(private=False)}
SUITE = {  # as certification registers, oidcc-server with private_key_jwt
    "client_name": "Certification",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "redirect_uris": ["https://suite.example/test/a/x/callback"],
    "jwks": {"keys": [{name: value for name, value in RSA_WITHOUT_KID.items() if name != "kid"}]},
    "token_endpoint_auth_method": "private_key_jwt",
    "contacts": ["certification@oidf.example"],
}


def test_a_client_registers_keys_in_place_of_a_secret(http: httpx2.Client) -> None:
    answer = http.post("/register", json=SUITE)
    assert answer.status_code == 201, answer.text
    client = remembered(answer)
    assert {name: client[name] for name in SUITE} == SUITE
    assert not client.keys() & {"client_secret", "client_secret_expires_at"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id_token_signed_response_alg", "RS256"),
        ("userinfo_signed_response_alg", "RS256"),
        ("redirect_uris", ["https://suite.example/callback?bar=foo"]),
        ("redirect_uris", ["https://suite.example/a", "https://suite.example/b"]),
        ("logo_uri", "https://suite.example/logo.png"),
        ("policy_uri", "https://suite.example/policy"),
        ("tos_uri", "https://suite.example/tos"),
        ("client_uri", "https://suite.example/"),
        ("post_logout_redirect_uris", ["https://suite.example/post_logout_redirect"]),
        ("backchannel_logout_uri", "https://suite.example/backchannel_logout"),
        ("backchannel_logout_session_required", True),
        ("frontchannel_logout_uri", "https://suite.example/frontchannel_logout"),
        ("subject_type", "pairwise"),
        ("default_max_age", 3600),
        ("require_auth_time", True),
        ("default_acr_values", ["urn:watchword:otp:email"]),
    ],
)
def test_what_certification_registers_is_taken_and_stands(http: httpx2.Client, name: str, value: object) -> None:
    client = remembered(http.post("/register", json=SUITE | {name: value}))
    assert client[name] == value
    shown = http.get(client["registration_client_uri"], headers=bearer(client))
    assert shown.json()[name] == value


def test_a_client_tells_where_a_third_party_may_start_a_sign_in(http: httpx2.Client) -> None:
    """OpenID Connect Core section 4: the address stands in the registration and in what the client reads of it."""
    uri = "https://suite.example/initiate_login"
    client = remembered(http.post("/register", json=SUITE | {"initiate_login_uri": uri}))
    assert client["initiate_login_uri"] == uri
    assert http.get(client["registration_client_uri"], headers=bearer(client)).json()["initiate_login_uri"] == uri


def test_a_third_party_starts_no_sign_in_over_plain_http(http: httpx2.Client) -> None:
    for uri in ("http://suite.example/initiate_login", "http://127.0.0.1:7000/initiate_login"):
        check_refusal(http.post("/register", json=SUITE | {"initiate_login_uri": uri}), 400, "invalid_client_metadata")


def test_every_registration_is_another_client(http: httpx2.Client) -> None:
    clients = [remembered(http.post("/register", json={"redirect_uris": [CALLBACK]})) for _ in range(3)]
    for name in ("client_id", "client_secret", "registration_access_token"):
        assert len({client[name] for client in clients}) == 3


def test_a_public_client_gets_no_secret(http: httpx2.Client) -> None:
    metadata = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    client = remembered(http.post("/register", json=metadata))
    assert not client.keys() & {"client_secret", "client_secret_expires_at"}


PRIVILEGES: dict[str, Any] = {
    "first_party": True,
    "trusted": True,
    "skip_consent": True,
    "self_registered": False,
    "registered_by": "operator",
    "policy": {"scopes": ["admin"]},
    "pkce_required": False,
    "default_resource": "https://notes.example",
    "scope": "openid notes:write admin",
    "id": "c_mine",
    "client_id": "c_mine",
    "client_secret": "mine",
    "registration_access_token": "mine",
    "status": "active",
    "profile": "fapi2",
}


def test_privileges_are_not_there_for_the_asking(http: httpx2.Client, provider: RunningProvider) -> None:
    """J-05."""
    metadata = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    client = remembered(http.post("/register", json=metadata | PRIVILEGES))
    assert client["scope"] == "openid"
    assert client["client_id"] != "c_mine"
    assert client["registration_access_token"] != "mine"
    asked = PRIVILEGES.keys() - {"scope", "client_id", "registration_access_token"}
    assert not client.keys() & asked
    row = newest_row(provider)
    assert (row["id"], row["registered_by"], row["policy"]) == (client["client_id"], "itself", None)
    assert not row["first_party"]
    document = json.loads(row["document"])
    assert document["pkce_required"] is True
    assert not document.keys() & (asked - {"pkce_required"})


async def test_whoever_registered_itself_is_asked_about_and_must_keep_to_pkce_when_public(
    http: httpx2.Client, provider: RunningProvider
) -> None:
    """J-05: consent always."""
    metadata = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    client = remembered(http.post("/register", json=metadata | PRIVILEGES))
    party = RelyingParty(provider, client["client_id"])
    async with Person() as person:
        await person.open(party.authorization_url(scope="openid", code_challenge=None, code_challenge_method=None))
        assert person.answer()["error"] == "invalid_request"
        await person.open(party.authorization_url(scope="openid"))
        await person.type_identifier(ASHA)
        await person.type_code(CODE)
        assert person.page is not None
        assert any(
            "decision" in button.get("name", "") for form in person.page.forms for button in form.buttons.values()
        )


@pytest.mark.parametrize("redirect_uri", ["http://127.0.0.1/cb", "http://[::1]/cb"])
async def test_a_native_application_is_answered_on_any_port_of_loopback(
    http: httpx2.Client, provider: RunningProvider, redirect_uri: str
) -> None:
    """RFC 8252 section 7.3; G-01."""
    metadata = {
        "application_type": "native", "redirect_uris": [redirect_uri], "token_endpoint_auth_method": "none",
    }  # fmt: skip
    client = remembered(http.post("/register", json=metadata))
    listening = redirect_uri.replace("/cb", ":51004/cb")
    party = RelyingParty(provider, client["client_id"], redirect_uri=listening)
    async with Person() as person:
        await person.open(party.authorization_url(scope="openid", prompt="none"))
        assert person.answer()["error"] == "login_required"
        assert person.landed is not None
        assert person.landed.startswith(listening)


def test_a_native_application_registers_its_own_scheme_and_claimed_addresses(http: httpx2.Client) -> None:
    """RFC 8252 sections 7.1 and 7.2."""
    uris = ["com.example.app:/oauth2redirect", "https://app.example.com/oauth2redirect"]
    metadata = {"redirect_uris": uris, "token_endpoint_auth_method": "none"}
    client = remembered(http.post("/register", json=metadata))
    assert client["redirect_uris"] == uris
    assert client["application_type"] == "native"


@pytest.mark.parametrize("uri", [uri for _, uri in REFUSED_URIS], ids=[why for why, _ in REFUSED_URIS])
def test_a_redirect_uri_that_could_leak_a_code_is_not_registered(http: httpx2.Client, uri: str) -> None:
    """G-02. With a NUL the document is no JSON for us, whatever else it holds."""
    error = "invalid_request" if "\0" in uri else "invalid_redirect_uri"
    check_refusal(http.post("/register", json={"redirect_uris": [CALLBACK, uri]}), 400, error)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no redirect_uris", {}, "invalid_redirect_uri"),
    ("oidcc-redirect-uri-regfrag", {"redirect_uris": [CALLBACK + "#f"]}, "invalid_redirect_uri"),
    ("plain http", {"redirect_uris": ["http://rp.example/cb"]}, "invalid_redirect_uri"),
    ("a script", {"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
    ("an open bracket", {"redirect_uris": ["https://[x/cb"]}, "invalid_redirect_uri"),
    ("text behind an address", {"redirect_uris": ["http://[::1]evil/cb"]}, "invalid_redirect_uri"),
    ("a grant type we lack", {"grant_types": ["implicit"]}, "invalid_client_metadata"),
    ("a grant type with half a character", {"grant_types": ["\ud800"]}, "invalid_request"),
    ("a response type we lack", {"response_types": ["token"]}, "invalid_client_metadata"),
    ("a method we lack", {"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"),
    ("an assertion without keys", {"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    ("a private key", {"jwks": {"keys": [RSA_PRIVATE]}}, "invalid_client_metadata"),
    ("keys that we would never fetch", {"jwks_uri": "https://rp.example:22/"}, "invalid_client_metadata"),
    ("a logout that we would never tell of", {"backchannel_logout_uri": "http://127.0.0.1:7/"},
     "invalid_client_metadata"),
    ("a sector on the inside", {"sector_identifier_uri": "https://127.0.0.1/sector"}, "invalid_client_metadata"),
    ("pairwise subjects of two hosts",
     {"redirect_uris": [CALLBACK, "https://b.example/"], "subject_type": "pairwise"}, "invalid_client_metadata"),
    ("unsigned UserInfo", {"userinfo_signed_response_alg": "none"}, "invalid_client_metadata"),
    ("a front-channel elsewhere", {"frontchannel_logout_uri": "https://evil.example/"}, "invalid_client_metadata"),
    ("encrypted UserInfo", {"userinfo_encrypted_response_alg": "RSA-OAEP"}, "invalid_client_metadata"),
    ("unsigned ID tokens", {"id_token_signed_response_alg": "none"}, "invalid_client_metadata"),
    ("a logo with an open bracket", {"logo_uri": "https://[x"}, "invalid_client_metadata"),
    ("a name with a NUL", {"client_name": "a\u0000"}, "invalid_request"),
]  # fmt: skip


@pytest.mark.parametrize(("metadata", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_metadata_that_does_not_hold_is_refused(http: httpx2.Client, metadata: dict[str, Any], error: str) -> None:
    document = ({"redirect_uris": [CALLBACK]} if "redirect_uris" not in str(metadata) else {}) | metadata
    answer = http.post("/register", content=json.dumps(document if metadata else {}), headers=JSON)
    check_refusal(answer, 400, error)


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
def closed(provider: RunningProvider) -> Iterator[RunningProvider]:
    """Another provider on the same stores, whose operator closed registration."""
    stores = {name: provider.environment[f"WATCHWORD_{name.upper()}"] for name in ("database_url", "ephemeral_url")}
    with running_provider(registration="off", stores=stores) as running:
        yield running


def test_registration_is_off_unless_the_operator_opens_it(closed: RunningProvider) -> None:
    """J-05."""
    assert (
        Settings(issuer="https://id.example", secret_key=SecretStr("c0Rk2mJvZ5hYq8LxTgWnE4sUaBpD7fKi")).registration
        == "off"
    )
    for headers in ({}, {"authorization": "Bearer x"}):
        answer = httpx2.post(f"{closed.issuer}/register", json={"redirect_uris": [CALLBACK]}, headers=headers)
        check_refusal(answer, 403, "access_denied")
    document = httpx2.get(f"{closed.issuer}/.well-known/openid-configuration").json()
    assert "registration_endpoint" not in document


def test_where_registration_was_closed_a_client_still_reads_and_ends_its_own(
    http: httpx2.Client, closed: RunningProvider
) -> None:
    client = remembered(http.post("/register", json={"redirect_uris": [CALLBACK]}))
    address = f"{closed.issuer}/register/{client['client_id']}"
    assert httpx2.get(address, headers=bearer(client)).status_code == 200
    document = {"client_id": client["client_id"], "redirect_uris": [CALLBACK]}
    check_refusal(httpx2.put(address, json=document, headers=bearer(client)), 403, "access_denied")
    assert httpx2.delete(address, headers=bearer(client)).status_code == 204


@pytest.fixture(scope="module")
def limited() -> Iterator[RunningProvider]:
    with running_provider(registrations_per_network="4/1h") as running:
        yield running


def register_from(provider: RunningProvider, address: str, **metadata: object) -> httpx2.Response:
    document = {"redirect_uris": [CALLBACK]} | metadata
    return httpx2.post(f"{provider.issuer}/register", json=document, headers={"x-forwarded-for": address})


def test_a_network_registers_so_many_clients_an_hour(limited: RunningProvider) -> None:
    """J-05; half of what an hour allows at once, the other half spread over it."""
    first = "198.51.100.7"
    for _ in range(3):  # what is refused for another reason is not counted
        check_refusal(register_from(limited, first, jwks=1), 400, "invalid_client_metadata")
    assert [register_from(limited, first).status_code for _ in range(2)] == [201, 201]
    refused = register_from(limited, first)
    check_refusal(refused, 429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"]) <= 1800
    assert register_from(limited, "198.51.100.8").status_code == 201
    limited.advance(int(refused.headers["retry-after"]))
    assert register_from(limited, first).status_code == 201


def test_updates_that_have_us_call_an_address_count_like_registrations(limited: RunningProvider) -> None:
    """One registration would let its holder send us to somebody's server for ever."""
    source = "198.51.100.9"
    client = remembered(register_from(limited, source))
    document = {"client_id": client["client_id"], "redirect_uris": [CALLBACK]}
    calling = document | {"sector_identifier_uri": "https://sector.invalid/uris"}

    def put(body: object) -> httpx2.Response:
        headers = bearer(client) | {"x-forwarded-for": source}
        return httpx2.put(client["registration_client_uri"], json=body, headers=headers, timeout=30)

    check_refusal(put(calling), 400, "invalid_client_metadata")
    refused = put(calling)
    check_refusal(refused, 429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"]) <= 1800
    assert [put(document).status_code for _ in range(3)] == [200] * 3


def test_updates_to_another_address_of_keys_count_like_registrations(limited: RunningProvider) -> None:
    source = "198.51.100.10"
    headers = {"x-forwarded-for": source}
    by_key = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://keys.example/0"}
    client = remembered(register_from(limited, source, **by_key))
    document = {"client_id": client["client_id"], "redirect_uris": [CALLBACK], **by_key}

    def put(jwks_uri: str) -> int:
        body = document | {"jwks_uri": jwks_uri}
        return httpx2.put(client["registration_client_uri"], json=body, headers=bearer(client) | headers).status_code

    assert [put("https://keys.example/0") for _ in range(3)] == [200] * 3  # nothing new to fetch
    assert [put(f"https://keys.example/{number}") for number in (1, 2)] == [200, 429]


def test_addresses_of_one_subscriber_are_one_network(limited: RunningProvider) -> None:
    answers = [register_from(limited, f"2001:db8:0:7::{number}").status_code for number in range(3)]
    assert answers == [201, 201, 429]
    assert register_from(limited, "2001:db8:0:8::1").status_code == 201


def test_refused_registrations_are_events_without_what_was_sent(http: httpx2.Client, provider: RunningProvider) -> None:
    name = "a name that nobody else would ever choose"
    check_refusal(
        http.post("/register", json={"client_name": name, "redirect_uris": ["x"]}), 400, "invalid_redirect_uri"
    )
    events = provider.rows("SELECT detail FROM audit_event WHERE name = 'client.registration_refused'")
    assert json.dumps({"reason": "invalid_redirect_uri"}, separators=(",", ":")) in [
        event["detail"] for event in events
    ]
    assert name not in repr(events)
