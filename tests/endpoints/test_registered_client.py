"""Clients that manage their own registration (RFC 7592)."""

import asyncio
from collections import Counter
from typing import Any

import httpx2
import pytest

from tests.endpoints.people import ASHA, some_tokens
from tests.endpoints.refusal import check_refusal
from tests.endpoints.test_register import CALLBACK, PRIVILEGES, RSA_PRIVATE, SUITE, bearer, remembered
from tests.support.person import Person
from tests.support.provider import RunningProvider, http_client
from tests.support.relying_party import REDIRECT_URI, RelyingParty

Document = dict[str, Any]
CREDENTIALS = {
    "client_id_issued_at", "client_secret", "client_secret_expires_at", "registration_access_token",
    "registration_client_uri",
}  # fmt: skip


def registered(http: httpx2.Client, **metadata: object) -> Document:
    answer = http.post("/register", json={"redirect_uris": [REDIRECT_URI]} | metadata)
    assert answer.status_code == 201, answer.text
    return remembered(answer)


def read(http: httpx2.Client, client: Document) -> httpx2.Response:
    return http.get(client["registration_client_uri"], headers=bearer(client))


def put(http: httpx2.Client, client: Document, **metadata: object) -> httpx2.Response:
    document = {"client_id": client["client_id"], "redirect_uris": [REDIRECT_URI]} | metadata
    answer = http.put(client["registration_client_uri"], json=document, headers=bearer(client))
    if answer.status_code == 200:
        remembered(answer)
    return answer


def test_a_client_reads_what_stands_registered_but_its_secret(http: httpx2.Client) -> None:
    """RFC 7592 sections 2.1 and 3."""
    client = registered(http, client_name="Bücher", policy_uri="https://rp.example/policy")
    answer = read(http, client)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    shown = answer.json()
    assert abs(shown.pop("client_id_issued_at") - client["client_id_issued_at"]) <= 5
    hidden = {"client_secret", "client_secret_expires_at", "client_id_issued_at"}
    assert shown == {name: value for name, value in client.items() if name not in hidden}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_without_its_token_a_registration_is_closed(http: httpx2.Client, party: RelyingParty, method: str) -> None:
    client, other = registered(http), registered(http)
    own = client["registration_client_uri"]
    nobody, operators = own.replace(client["client_id"], "c_nobody"), own.replace(client["client_id"], party.client_id)
    document = {"client_id": client["client_id"], "redirect_uris": [CALLBACK]}
    refusals = []
    for address, token in [
        (own, other["registration_access_token"]), (own, client["client_secret"]), (own, "x"),
        (nobody, client["registration_access_token"]), (operators, client["registration_access_token"]),
        (own + "/", client["registration_access_token"]), (own.replace("/c_", "/%00c_"), "x"), (own + "x" * 200, "x"),
    ]:  # fmt: skip
        answer = http.request(method, address, headers={"authorization": f"Bearer {token}"}, json=document)
        check_refusal(answer, 401, "invalid_token")
        assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
        refusals.append(answer.text)
    assert len(set(refusals)) == 1  # nobody learns whether there is such a client
    for headers in ({}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}):
        answer = http.request(method, own, headers=headers, json=document)
        check_refusal(answer, 401, "invalid_token")
        assert answer.headers["www-authenticate"] == "Bearer"
    twice = [("authorization", f"Bearer {client['registration_access_token']}")] * 2
    check_refusal(http.request(method, own, headers=twice, json=document), 400, "invalid_request")
    assert read(http, client).json()["redirect_uris"] == [REDIRECT_URI]


def test_other_methods_are_not_allowed(http: httpx2.Client) -> None:
    client = registered(http)
    for method in ("POST", "PATCH"):
        answer = http.request(method, client["registration_client_uri"], headers=bearer(client), json={})
        assert answer.status_code == 405
        assert answer.headers["allow"] == "DELETE, GET, HEAD, PUT"


def test_an_update_replaces_everything(http: httpx2.Client) -> None:
    """RFC 7592 section 2.2: what is left out is gone."""
    both = [REDIRECT_URI, CALLBACK]
    logo = "https://rp.example/logo.png"
    client = registered(http, client_name="Before", redirect_uris=both, logo_uri=logo, default_max_age=60)
    answer = put(http, client, client_name="After", redirect_uris=[CALLBACK], id_token_signed_response_alg="ES256")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    stands = answer.json()
    assert (stands["client_name"], stands["redirect_uris"]) == ("After", [CALLBACK])
    assert stands["id_token_signed_response_alg"] == "ES256"
    assert not stands.keys() & {"logo_uri", "default_max_age", "client_secret", "client_secret_expires_at"}
    assert stands["registration_access_token"] == client["registration_access_token"]
    assert read(http, client).json() == stands


def test_an_update_counts_at_once(http: httpx2.Client, provider: RunningProvider) -> None:
    client = registered(http, redirect_uris=[REDIRECT_URI, CALLBACK])
    party = RelyingParty(provider, client["client_id"], client["client_secret"])
    assert http.get(party.authorization_url(prompt="none")).status_code == 303
    put(http, client, redirect_uris=[CALLBACK])
    assert http.get(party.authorization_url(prompt="none")).status_code == 400
    answer = http.get(party.authorization_url(prompt="none", redirect_uri=CALLBACK))
    assert answer.headers["location"].startswith(f"{CALLBACK}?")


async def test_the_secret_goes_on_after_an_update(http: httpx2.Client, provider: RunningProvider) -> None:
    client = registered(http)
    party = RelyingParty(provider, client["client_id"], client["client_secret"])
    assert put(http, client, client_secret=client["client_secret"]).status_code == 200
    assert put(http, client, token_endpoint_auth_method="client_secret_post").status_code == 200
    assert (await party.token(grant_type="authorization_code", code="x")).json()["error"] != "invalid_client"


REFUSED: list[tuple[str, Document, str]] = [
    ("no client_id", {"client_id": None}, "invalid_request"),
    ("another client_id", {"client_id": "c_other"}, "invalid_request"),
    ("a client_id that is a number", {"client_id": 7}, "invalid_request"),
    ("a secret of its choice", {"client_secret": "mine"}, "invalid_request"),
    ("a secret that is a list", {"client_secret": []}, "invalid_request"),
    ("its token", {"registration_access_token": "x"}, "invalid_request"),
    ("its address", {"registration_client_uri": "https://id.example/"}, "invalid_request"),
    ("when it was registered", {"client_id_issued_at": 1}, "invalid_request"),
    ("when its secret expires", {"client_secret_expires_at": 0}, "invalid_request"),
    ("a redirect URI with a fragment", {"redirect_uris": [CALLBACK + "#x"]}, "invalid_redirect_uri"),
    ("no redirect URI", {"redirect_uris": []}, "invalid_redirect_uri"),
    ("a private key", {"jwks": {"keys": [RSA_PRIVATE]}}, "invalid_client_metadata"),
    ("an http initiate_login_uri", {"initiate_login_uri": "http://rp.example/"}, "invalid_client_metadata"),
    ("a sector on the inside", {"sector_identifier_uri": "https://127.0.0.1/"}, "invalid_client_metadata"),
]


def test_an_update_that_does_not_hold_changes_nothing(http: httpx2.Client) -> None:
    client = registered(http)
    before = read(http, client).json()
    for why, change, error in REFUSED:
        answer = put(http, client, **change)
        assert answer.json()["error"] == error, why
        check_refusal(answer, 400, error)
    for body in (b"", b"[]", b"{"):
        headers = bearer(client) | {"content-type": "application/json"}
        check_refusal(
            http.put(client["registration_client_uri"], content=body, headers=headers), 400, "invalid_request"
        )
    whole = b'{"a":"' + b"x" * (16 * 1024) + b'"}'
    headers = bearer(client) | {"content-type": "application/json"}
    check_refusal(http.put(client["registration_client_uri"], content=whole, headers=headers), 413, "invalid_request")
    assert read(http, client).json() == before


def test_an_update_gives_no_privilege(http: httpx2.Client, provider: RunningProvider) -> None:
    """J-05."""
    client = registered(http, token_endpoint_auth_method="none")
    asked = {
        n: v for n, v in PRIVILEGES.items() if n not in {"client_id", "client_secret", "registration_access_token"}
    }
    stands = put(http, client, token_endpoint_auth_method="none", **asked).json()
    assert stands["scope"] == "openid"
    assert not stands.keys() & (asked.keys() - {"scope"})
    (row,) = provider.rows("SELECT * FROM client WHERE id = :id", id=client["client_id"])
    assert (bool(row["first_party"]), row["registered_by"], row["policy"]) == (False, "itself", None)


async def test_a_client_that_stops_using_a_secret_has_none_any_more(
    http: httpx2.Client, provider: RunningProvider
) -> None:
    client = registered(http)
    party = RelyingParty(provider, client["client_id"], client["client_secret"])
    stands = put(http, client, token_endpoint_auth_method="none").json()
    assert stands["token_endpoint_auth_method"] == "none"
    assert provider.rows("SELECT * FROM client_secret WHERE client_id = :id", id=client["client_id"]) == []
    assert (await party.token(grant_type="authorization_code", code="x")).json()["error"] == "invalid_client"
    again = put(http, client, token_endpoint_auth_method="client_secret_basic").json()
    assert again["client_secret"] != client["client_secret"]
    assert again["client_secret_expires_at"] == 0
    party.secret = again["client_secret"]
    assert (await party.token(grant_type="authorization_code", code="x")).json()["error"] == "invalid_grant"
    # What a public client must do it must go on doing: the operator never lifted it.
    async with Person() as person:
        await person.open(party.authorization_url(prompt="none", code_challenge=None, code_challenge_method=None))
        assert person.answer()["error"] == "invalid_request"


def test_a_client_changes_from_a_secret_to_keys(http: httpx2.Client, provider: RunningProvider) -> None:
    client = registered(http)
    keys = {name: SUITE[name] for name in ("jwks", "token_endpoint_auth_method")}
    stands = put(http, client, **keys).json()
    assert {name: stands[name] for name in keys} == keys
    assert "client_secret" not in stands
    assert provider.rows("SELECT * FROM client_secret WHERE client_id = :id", id=client["client_id"]) == []


async def test_a_client_that_ends_its_registration_is_gone_with_its_tokens(
    http: httpx2.Client, provider: RunningProvider
) -> None:
    """RFC 7592 section 2.3."""
    client = registered(http, grant_types=["authorization_code", "refresh_token"])
    party = RelyingParty(provider, client["client_id"], client["client_secret"])
    tokens = await some_tokens(party, identifier=ASHA, scope="openid offline_access")
    assert (await party.userinfo(tokens["access_token"])).status_code == 200
    answer = http.delete(client["registration_client_uri"], headers=bearer(client))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert (await party.userinfo(tokens["access_token"])).status_code == 401
    refreshed = await party.refresh(tokens["refresh_token"])
    assert (refreshed.status_code, refreshed.json()["error"]) == (401, "invalid_client")
    assert http.get(party.authorization_url()).status_code == 400
    for method in ("GET", "DELETE"):
        answer = http.request(method, client["registration_client_uri"], headers=bearer(client))
        check_refusal(answer, 401, "invalid_token")
    check_refusal(put(http, client), 401, "invalid_token")
    events = provider.rows("SELECT name, detail FROM audit_event WHERE client_id = :id", id=client["client_id"])
    (removed,) = [event["detail"] for event in events if event["name"] == "client.removed"]
    assert removed == '{"removed_by":"itself"}'


async def test_of_sixty_ends_of_one_registration_one_ends_it(http: httpx2.Client) -> None:
    client = registered(http)
    async with http_client(limits=httpx2.Limits(max_connections=60)) as crowd:
        ends = (crowd.delete(client["registration_client_uri"], headers=bearer(client)) for _ in range(60))
        assert Counter(answer.status_code for answer in await asyncio.gather(*ends)) == {204: 1, 401: 59}


ELSEWHERE = [
    ("another host", [REDIRECT_URI], ["https://elsewhere.example/cb"]),
    ("one host more", [REDIRECT_URI], [REDIRECT_URI, "https://elsewhere.example/cb"]),
    ("a part of its host", ["https://a.rp.example/cb"], ["https://rp.example/cb"]),
    ("a scheme of its own", ["com.rp.app:/cb"], ["com.rp:/cb"]),
    ("from an app to the web", ["com.rp.app:/cb"], ["https://com.rp.app/cb"]),
]


@pytest.mark.parametrize(("before", "after"), [row[1:] for row in ELSEWHERE], ids=[row[0] for row in ELSEWHERE])
def test_a_client_that_nobody_vouches_for_stays_where_people_allowed_it(
    http: httpx2.Client, before: list[str], after: list[str]
) -> None:
    kind = {"application_type": "native"} if before[0].startswith("com.") else {}
    client = registered(http, redirect_uris=before, **kind)
    check_refusal(put(http, client, redirect_uris=after), 400, "invalid_redirect_uri")
    assert read(http, client).json()["redirect_uris"] == before


def test_a_client_cannot_move_by_leading_nowhere_for_a_while(http: httpx2.Client) -> None:
    client = registered(http)
    machine = {"redirect_uris": [], "grant_types": ["client_credentials"], "response_types": []}
    assert put(http, client, **machine).status_code == 200
    check_refusal(put(http, client, redirect_uris=["https://elsewhere.example/cb"]), 400, "invalid_redirect_uri")


def test_a_client_may_lead_elsewhere_on_its_own_hosts(http: httpx2.Client) -> None:
    client = registered(http, redirect_uris=["https://rp.example/cb", "http://127.0.0.1:8999/cb"])
    moved = ["https://rp.example:8443/other?x=1", "http://127.0.0.1:7000/cb"]
    assert put(http, client, redirect_uris=moved).json()["redirect_uris"] == moved
