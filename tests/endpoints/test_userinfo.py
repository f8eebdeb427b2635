"""/userinfo: who may ask, in which ways, and what is answered."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.endpoints.people import API, ASHA, FILES, authorized, some_tokens
from tests.support.jwt import claims_of
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty, register_itself
from watchword.protocol.vocabulary import SCOPE_CLAIMS

FORM = {"content-type": "application/x-www-form-urlencoded"}


def bearer(token: str, scheme: str = "Bearer") -> dict[str, str]:
    return {"authorization": f"{scheme} {token}"}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_the_header_is_read_by_get_and_post_in_any_case(
    http: httpx2.Client, party: RelyingParty, scheme: str
) -> None:
    token = (await some_tokens(party))["access_token"]
    for method in ("GET", "POST"):
        answer = http.request(method, "/userinfo", headers=bearer(token, scheme))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["email"] == ASHA


@pytest.mark.parametrize("content_type", [FORM["content-type"], "Application/X-WWW-Form-Urlencoded; charset=utf-8"])
async def test_a_post_may_carry_the_token_in_its_body(
    http: httpx2.Client, party: RelyingParty, content_type: str
) -> None:
    token = (await some_tokens(party))["access_token"]
    body = f"access_token={token}".encode()
    assert http.post("/userinfo", content=body, headers={"content-type": content_type}).status_code == 200


async def test_the_query_is_never_read(http: httpx2.Client, party: RelyingParty) -> None:
    token = (await some_tokens(party))["access_token"]
    answer = http.get("/userinfo", params={"access_token": token})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_token_sent_in_two_ways_is_refused(http: httpx2.Client, party: RelyingParty) -> None:
    token = (await some_tokens(party))["access_token"]
    both = http.post("/userinfo", data={"access_token": token}, headers=bearer(token))
    twice = http.get("/userinfo", headers=[("authorization", f"Bearer {token}")] * 2)
    repeated = http.post("/userinfo", content=f"access_token={token}&access_token={token}", headers=FORM)
    for answer in (both, twice, repeated):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("header", [None, "Basic Yzpz", "Bearer", "DPoP abc", "Token abc", ""])
def test_without_a_bearer_token_there_is_a_plain_challenge(http: httpx2.Client, header: str | None) -> None:
    answer = http.get("/userinfo", headers={} if header is None else {"authorization": header})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def check_invalid(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token", error_description="')


async def test_another_kind_of_token_is_invalid(http: httpx2.Client, party: RelyingParty) -> None:
    tokens = await some_tokens(party)
    access = tokens["access_token"]
    header, payload, signature = access.split(".")
    for other in (
        tokens["id_token"],
        tokens["refresh_token"],
        "abc",
        "a.b.c",
        f"{header}.{payload}.",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{access} {access}",
        access + "\u00e9",
        "x" * 10_000,
    ):
        check_invalid(http.get("/userinfo", headers={b"authorization": f"Bearer {other}".encode()}))


async def test_an_expired_token_is_invalid(provider: RunningProvider, http: httpx2.Client, party: RelyingParty) -> None:
    token = (await some_tokens(party))["access_token"]
    provider.advance(890)
    assert http.get("/userinfo", headers=bearer(token)).status_code == 200
    provider.advance(11)
    check_invalid(http.get("/userinfo", headers=bearer(token)))


async def test_a_token_is_dead_the_moment_its_person_signs_out(
    provider: RunningProvider, http: httpx2.Client, party: RelyingParty
) -> None:
    async with Person() as person:
        answer = await authorized(person, party.authorization_url())
        tokens = (await party.exchange(answer["code"])).json()
        assert http.get("/userinfo", headers=bearer(tokens["access_token"])).status_code == 200
        await person.http.get(f"{provider.issuer}/logout", params={"id_token_hint": tokens["id_token"]})
    check_invalid(http.get("/userinfo", headers=bearer(tokens["access_token"])))


async def test_a_token_without_openid_lacks_the_scope(http: httpx2.Client, party: RelyingParty) -> None:
    token = (await some_tokens(party, API, scope="notes:read"))["access_token"]
    answer = http.get("/userinfo", headers=bearer(token))
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    assert answer.headers["www-authenticate"].endswith(', scope="openid"')


async def test_any_audience_of_this_issuer_is_good(http: httpx2.Client, party: RelyingParty) -> None:
    token = (await some_tokens(party, API, FILES, scope="openid notes:read files:read"))["access_token"]
    assert claims_of(token)["aud"] == [API, FILES]
    assert http.get("/userinfo", headers=bearer(token)).status_code == 200


CLAIMS = {claim for claims in SCOPE_CLAIMS.values() for claim in claims}
FULL: dict[str, Any] = {
    "name": "Esha Iyer", "given_name": "Esha", "family_name": "Iyer", "middle_name": "K", "nickname": "esh",
    "preferred_username": "esha", "profile": "https://people.example/esha", "picture": "https://people.example/e.png",
    "website": "https://esha.example", "gender": "female", "birthdate": "1990-01-31", "zoneinfo": "Asia/Kolkata",
    "locale": "en-IN", "address": {
        "formatted": "1 Beach Road\nChennai 600013\nIndia", "street_address": "1 Beach Road", "locality": "Chennai",
        "region": "Tamil Nadu", "postal_code": "600013", "country": "IN",
    },
}  # fmt: skip
ESHA, ESHAS_PHONE = "esha@people.example", "+919812345679"


@pytest.fixture(scope="module")
def esha(provider: RunningProvider, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An account with every standard claim, made by the operator."""
    claims: Path = tmp_path_factory.mktemp("claims") / "claims.json"
    claims.write_text(json.dumps(FULL))
    added = provider.command("accounts", "add", "--email", ESHA, "--phone", ESHAS_PHONE, "--claims", str(claims))
    assert added.returncode == 0, added.stderr
    return ESHA


@pytest.fixture(scope="module")
def whole(provider: RunningProvider) -> RelyingParty:
    """A client that may ask for everything OpenID knows."""
    return register_itself(provider, scope=" ".join(SCOPE_CLAIMS))


PROFILE = (FULL.keys() - {"address"}) | {"updated_at"}
EMAIL, TELEPHONE = {"email", "email_verified"}, {"phone_number", "phone_number_verified"}


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", set()),
        ("openid profile", PROFILE),
        ("openid email", EMAIL),
        ("openid phone", TELEPHONE),
        ("openid address", {"address"}),
        ("phone email profile openid", PROFILE | EMAIL | TELEPHONE),
        ("offline_access address phone email profile openid", PROFILE | EMAIL | TELEPHONE | {"address"}),
    ],
)
async def test_scopes_show_exactly_their_claims(whole: RelyingParty, esha: str, scope: str, names: set[str]) -> None:
    async with Person() as person:
        answer = await person.sign_in(whole.provider, whole.authorization_url(scope=scope), esha)
    tokens = (await whole.exchange(answer["code"])).json()
    claims = (await whole.userinfo(tokens["access_token"])).json()
    assert claims.keys() == {"sub"} | names
    assert claims["sub"] == claims_of(tokens["id_token"])["sub"]
    for name, value in claims.items():
        assert value == FULL.get(name, value)
        assert value not in (None, "", {})
        assert name in CLAIMS
        assert (value is True) == name.endswith("_verified")
    if "updated_at" in claims:
        assert type(claims["updated_at"]) is int
        assert claims["updated_at"] < 10**10, "seconds, not microseconds"


def test_all_twenty_standard_claims_are_known_here() -> None:
    """OpenID Connect Core section 5.1."""
    assert len(CLAIMS) == 20
    assert {"sub"} | PROFILE | EMAIL | TELEPHONE | {"address"} == CLAIMS


async def test_what_is_unknown_is_absent_and_never_null(party: RelyingParty) -> None:
    tokens = await some_tokens(party, scope="openid profile email phone")
    claims = (await party.userinfo(tokens["access_token"])).json()
    assert claims.keys() == {"sub", "updated_at", "email", "email_verified"}
