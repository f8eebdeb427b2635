"""Signed answers of /userinfo: for the clients that registered it, and good for nothing else."""

from typing import Any

import httpx2
import pytest

from tests.endpoints.people import ASHA, some_tokens
from tests.support.jwt import claims_of, header_of, verified
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty, register_itself
from watchword.protocol.vocabulary import SIGNING_ALGORITHMS


@pytest.fixture(scope="module")
def signing(provider: RunningProvider) -> RelyingParty:
    return register_itself(
        provider, userinfo_signed_response_alg="RS256", grant_types=["authorization_code", "refresh_token"]
    )


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def an_answer(http: httpx2.Client, party: RelyingParty) -> tuple[dict[str, Any], httpx2.Response]:
    tokens = await some_tokens(party)
    answer = http.get("/userinfo", headers=bearer(tokens["access_token"]))
    assert answer.status_code == 200
    return tokens, answer


@pytest.mark.parametrize("algorithm", SIGNING_ALGORITHMS)
async def test_a_client_gets_its_answer_signed_as_it_register_itself(
    provider: RunningProvider, http: httpx2.Client, algorithm: str
) -> None:
    party = register_itself(provider, userinfo_signed_response_alg=algorithm)
    tokens, answer = await an_answer(http, party)
    assert answer.headers["content-type"] == "application/jwt"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert header_of(answer.text)["alg"] == algorithm
    claims = verified(http, answer.text, algorithm)
    assert claims == {
        "iss": provider.issuer,
        "aud": party.client_id,
        "sub": claims_of(tokens["id_token"])["sub"],
        "email": ASHA,
        "email_verified": True,
    }


async def test_what_a_request_accepts_changes_nothing(
    http: httpx2.Client, signing: RelyingParty, party: RelyingParty
) -> None:
    for client, media_type in ((signing, "application/jwt"), (party, "application/json")):
        token = (await some_tokens(client))["access_token"]
        for accept in ("application/json", "text/html", "*/*", "application/jwt"):
            answer = http.get("/userinfo", headers=bearer(token) | {"accept": accept})
            assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)


async def test_a_refusal_is_json_for_everybody(http: httpx2.Client, signing: RelyingParty) -> None:
    tokens = await some_tokens(signing, scope="email")
    answer = http.get("/userinfo", headers=bearer(tokens["access_token"]))
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/json")


async def test_a_name_that_looks_like_the_setting_has_nothing_signed(
    provider: RunningProvider, http: httpx2.Client
) -> None:
    party = register_itself(provider, client_name='"userinfo_signed_response_alg"')
    _, answer = await an_answer(http, party)
    assert answer.json()["email"] == ASHA


async def test_a_signed_answer_passes_for_no_token(
    provider: RunningProvider, http: httpx2.Client, signing: RelyingParty
) -> None:
    _, answer = await an_answer(http, signing)
    text = answer.text
    assert header_of(text)["typ"] == "userinfo+jwt"
    assert not claims_of(text).keys() & {"exp", "iat", "nonce", "jti", "client_id", "scope"}
    refused = http.get("/userinfo", headers=bearer(text))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert (await signing.refresh(text)).json()["error"] == "invalid_grant"
    hinted = http.get(signing.authorization_url(prompt="none", id_token_hint=text))
    assert "error=invalid_request" in hinted.headers["location"]
    page = http.get("/logout", params={"id_token_hint": text}, headers={"accept": "text/html"})
    assert page.status_code == 400
