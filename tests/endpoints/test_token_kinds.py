"""Each kind of token opens its own door and no other (RFC 8725 section 3.11)."""

from dataclasses import dataclass

import pytest

from tests.endpoints.people import API, a_code, some_tokens
from tests.support.person import Person
from tests.support.provider import http_client
from tests.support.relying_party import RelyingParty, register_itself
from tests.support.secrecy import remember_secret

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Tokens:
    """One of each kind that a client is given."""

    party: RelyingParty
    by_kind: dict[str, str]


@pytest.fixture
async def tokens(party: RelyingParty) -> Tokens:
    signing = register_itself(party.provider, userinfo_signed_response_alg="RS256")
    given = await some_tokens(party, API, scope="openid email notes:read")
    userinfo = await signing.userinfo((await some_tokens(signing))["access_token"])
    return Tokens(
        party,
        {
            "access_token": given["access_token"],
            "id_token": given["id_token"],
            "refresh_token": given["refresh_token"],
            "userinfo": remember_secret(userinfo.text),
            "code": await a_code(party),
        },
    )


async def test_only_an_access_token_opens_userinfo(tokens: Tokens) -> None:
    for kind, token in tokens.by_kind.items():
        answer = await tokens.party.userinfo(token)
        assert answer.status_code == (200 if kind == "access_token" else 401), kind


async def test_only_a_refresh_token_is_refreshed_and_only_a_code_redeemed(tokens: Tokens) -> None:
    for kind, token in tokens.by_kind.items():
        redeemed = await tokens.party.exchange(token)
        assert redeemed.status_code == (200 if kind == "code" else 400), kind
        refreshed = await tokens.party.refresh(token)
        assert refreshed.status_code == (200 if kind == "refresh_token" else 400), kind


async def test_only_an_id_token_is_a_hint(tokens: Tokens) -> None:
    async with Person() as person:
        for kind, token in tokens.by_kind.items():
            await person.open(tokens.party.authorization_url(prompt="none", id_token_hint=token))
            error = person.answer()["error"]
            assert error == ("login_required" if kind == "id_token" else "invalid_request"), kind


async def test_no_token_of_ours_authenticates_a_client(tokens: Tokens) -> None:
    async with http_client() as http:
        for kind, token in tokens.by_kind.items():
            form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": token}
            answer = await http.post(
                f"{tokens.party.provider.issuer}/token", data=form | {"client_id": tokens.party.client_id}
            )
            assert answer.status_code in {400, 401}, kind
            assert answer.json()["error"] in {"invalid_client", "invalid_request"}, kind
