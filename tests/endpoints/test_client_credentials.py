"""The client credentials grant: a client that acts for itself."""

import httpx2

from tests.endpoints.people import API, FILES
from tests.endpoints.refusal import check_refusal
from tests.support.jwt import claims_of, header_of
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty

GRANT = "client_credentials"


async def test_a_machine_gets_a_token_for_the_resource_it_names(
    provider: RunningProvider, machine: RelyingParty
) -> None:
    answer = await machine.token(grant_type=GRANT, resource=API)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == {"access_token", "token_type", "expires_in", "scope"}
    token = answer.json()["access_token"]
    claims = claims_of(token)
    assert header_of(token)["typ"] == "at+jwt"
    assert claims.keys() == {"iss", "sub", "aud", "client_id", "scope", "exp", "iat", "jti"}
    assert (claims["iss"], claims["aud"], claims["scope"]) == (provider.issuer, API, "notes:read")
    assert claims["sub"] == claims["client_id"] == machine.client_id


async def test_a_scope_asked_for_twice_stands_once(machine: RelyingParty) -> None:
    answer = await machine.token(grant_type=GRANT, resource=API, scope="notes:read notes:read")
    assert answer.json()["scope"] == "notes:read"


async def test_without_a_resource_a_token_is_for_the_issuer_and_shows_nobody(
    provider: RunningProvider, machine: RelyingParty
) -> None:
    tokens = (await machine.token(grant_type=GRANT)).json()
    assert "scope" not in tokens
    assert claims_of(tokens["access_token"])["aud"] == provider.issuer
    assert (await machine.userinfo(tokens["access_token"])).status_code == 403


async def test_scopes_beyond_the_registration_and_those_of_people_are_refused(machine: RelyingParty) -> None:
    for scope in ("notes:write", "notes:read notes:write", "openid", "email notes:read", "nothing"):
        check_refusal(await machine.token(grant_type=GRANT, resource=API, scope=scope), 400, "invalid_scope")
    check_refusal(await machine.token(grant_type=GRANT, scope="notes:read"), 400, "invalid_scope")


async def test_a_resource_where_the_client_may_do_nothing_is_an_invalid_target(machine: RelyingParty) -> None:
    for resource in ("https://nowhere.example", FILES, API + "/", API.upper()):
        check_refusal(await machine.token(grant_type=GRANT, resource=resource), 400, "invalid_target")


async def test_who_registered_itself_gets_no_token_for_a_resource(
    provider: RunningProvider, parties: dict[str, RelyingParty]
) -> None:
    metadata = {"grant_types": [GRANT], "scope": "notes:read notes:write"}
    client = httpx2.post(f"{provider.issuer}/register", json=metadata).json()
    stranger = RelyingParty(provider, client["client_id"], client["client_secret"])
    check_refusal(await stranger.token(grant_type=GRANT, resource=API), 400, "invalid_target")
    check_refusal(await stranger.token(grant_type=GRANT, scope="notes:read"), 400, "invalid_scope")


async def test_a_public_client_cannot_use_it(public: RelyingParty) -> None:
    check_refusal(await public.token(grant_type=GRANT), 400, "unauthorized_client")


async def test_a_removed_client_gets_nothing_while_a_worker_still_remembers_it(provider: RunningProvider) -> None:
    added = provider.add_client("--name", "Gone", "--grant", GRANT)
    gone = RelyingParty(provider, added["client_id"], added["client_secret"])
    assert (await gone.token(grant_type=GRANT)).status_code == 200
    assert provider.command("clients", "remove", gone.client_id).returncode == 0
    check_refusal(await gone.token(grant_type=GRANT), 401, "invalid_client")
