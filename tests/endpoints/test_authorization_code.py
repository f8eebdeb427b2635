"""The authorization code grant: what a code gives, to whom, how long, and what a second use costs."""

import asyncio
import base64
import hashlib
from typing import Any

import httpx2
import pytest

from tests.endpoints.people import API, ASHA, CHITRA, FILES, PHONE, a_code, request_url, some_tokens
from tests.endpoints.refusal import check_refusal
from tests.support.jwt import claims_of, header_of, verified
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty
from tests.support.secrecy import remember_secret
from watchword.protocol.vocabulary import SIGNING_ALGORITHMS


async def test_a_code_gives_a_complete_token_response(provider: RunningProvider, party: RelyingParty) -> None:
    answer = await party.exchange(await a_code(party, scope="openid email"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    tokens = answer.json()
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 900, "openid email")


async def test_both_tokens_hold_exactly_their_claims(provider: RunningProvider, party: RelyingParty) -> None:
    tokens = await some_tokens(party)
    id_token, access_token = claims_of(tokens["id_token"]), claims_of(tokens["access_token"])
    assert header_of(tokens["id_token"]).keys() == {"alg", "typ", "kid"}
    assert header_of(tokens["id_token"])["alg"] == "RS256"
    assert id_token.keys() == {
        "iss", "sub", "aud", "exp", "iat", "auth_time", "amr", "acr", "at_hash", "sid", "nonce",
    }  # fmt: skip
    assert (id_token["iss"], id_token["aud"], id_token["amr"]) == (provider.issuer, party.client_id, ["otp"])
    assert header_of(tokens["access_token"])["typ"] == "at+jwt"
    assert header_of(tokens["access_token"])["alg"] == "ES256"
    assert access_token.keys() == {
        "iss", "sub", "aud", "client_id", "scope", "exp", "iat", "jti", "gid", "sid", "auth_time", "acr",
    }  # fmt: skip
    assert (access_token["iss"], access_token["aud"]) == (provider.issuer, provider.issuer)
    assert (access_token["sub"], access_token["client_id"]) == (id_token["sub"], party.client_id)
    assert (access_token["sid"], access_token["scope"]) == (id_token["sid"], "openid email")
    for each in (access_token, id_token):
        assert each["exp"] - each["iat"] == tokens["expires_in"] == 900
    assert claims_of((await some_tokens(party))["access_token"])["jti"] != access_token["jti"]
    assert "asha" not in str(id_token) + str(access_token)


@pytest.mark.parametrize(
    ("identifier", "amr", "acr"),
    [(ASHA, ["otp"], "urn:watchword:otp:email"), (PHONE, ["otp", "sms"], "urn:watchword:otp:phone")],
)
async def test_tokens_name_the_method_that_was_truly_used_and_no_level_that_it_does_not_meet(
    party: RelyingParty, identifier: str, amr: list[str], acr: str
) -> None:
    """SP 800-63B section 3.1.3.1: a code sent by email meets no level; and none resists phishing."""
    tokens = await some_tokens(party, identifier=identifier)
    again = (await party.refresh(tokens["refresh_token"])).json()
    for each in (tokens, again):
        claims = claims_of(each["id_token"])
        assert (claims["amr"], claims["acr"]) == (amr, acr)
        assert claims_of(each["access_token"])["acr"] == acr
        assert not any(word in str(claims["amr"]) + claims["acr"].lower() for word in ("aal", "loa", "phr", "mfa"))


async def test_without_openid_there_is_no_id_token(party: RelyingParty) -> None:
    tokens = await some_tokens(party, API, scope="notes:read")
    assert "id_token" not in tokens
    assert tokens["scope"] == "notes:read"


async def test_a_client_without_the_refresh_grant_gets_no_refresh_token(stranger: RelyingParty) -> None:
    assert "refresh_token" not in await some_tokens(stranger, scope="openid offline_access")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code_verifier", "w" * 43),
        ("code_verifier", "too short"),
        ("code_verifier", ""),
        ("redirect_uri", "http://127.0.0.1:9000/callback"),
        ("redirect_uri", "https://evil.example/"),
    ],
)
async def test_a_wrong_verifier_or_redirect_uri_consumes_nothing(party: RelyingParty, name: str, value: str) -> None:
    code = await a_code(party)
    check_refusal(await party.exchange(code, **{name: value}), 400, "invalid_grant")
    assert (await party.exchange(code)).status_code == 200


async def test_a_code_lies_in_the_store_as_a_hash_alone(provider: RunningProvider, party: RelyingParty) -> None:
    code = await a_code(party)
    hashes = [row["hash"] for row in provider.rows("SELECT hash FROM authorization_code")]
    assert hashlib.sha256(code.encode()).digest()[:16] in hashes
    assert all(code.encode() not in each for each in hashes)


async def test_an_id_token_holds_the_nonce_of_its_own_request(party: RelyingParty) -> None:
    codes = {nonce: await a_code(party, nonce=nonce) for nonce in ("n-one", "n-two")}
    for nonce, code in codes.items():
        assert claims_of((await party.exchange(code)).json()["id_token"])["nonce"] == nonce
    without = (await party.exchange(await a_code(party, nonce=None))).json()
    assert "nonce" not in claims_of(without["id_token"])


async def test_a_code_belongs_to_its_client(party: RelyingParty, public: RelyingParty) -> None:
    code = await a_code(party)
    stolen = RelyingParty(party.provider, public.client_id, verifier=party.verifier)
    check_refusal(await stolen.exchange(code), 400, "invalid_grant")
    assert (await party.exchange(code)).status_code == 200


async def test_a_code_of_one_session_does_not_answer_the_verifier_of_another(party: RelyingParty) -> None:
    """Code injection: the attacker's code in the victim's session (RFC 9700 section 4.5)."""
    attackers = RelyingParty(party.provider, party.client_id, party.secret)
    check_refusal(await party.exchange(await a_code(attackers)), 400, "invalid_grant")


@pytest.mark.parametrize("code", ["x", "x" * 43, "x" * 129, "x" * 30_000, "../..", "' OR 1=1 --", "\u2603"])
async def test_a_code_nobody_issued_gives_nothing(party: RelyingParty, code: str) -> None:
    check_refusal(await party.exchange(code), 400, "invalid_grant")


async def test_a_loopback_client_gets_its_code_on_any_port_and_redeems_it_with_that_port(public: RelyingParty) -> None:
    ported = RelyingParty(public.provider, public.client_id, redirect_uri="http://127.0.0.1:49999/callback")
    code = await a_code(ported)
    check_refusal(await ported.exchange(code, redirect_uri=public.redirect_uri), 400, "invalid_grant")
    assert (await ported.exchange(code)).status_code == 200


async def test_pkce_is_optional_for_a_confidential_stranger_and_binds_once_sent(stranger: RelyingParty) -> None:
    plain: dict[str, Any] = {"code_challenge": None, "code_challenge_method": None}
    form = {"grant_type": "authorization_code", "redirect_uri": stranger.redirect_uri}
    check_refusal(await stranger.exchange(await a_code(stranger, **plain)), 400, "invalid_grant")
    assert (await stranger.token(**form, code=await a_code(stranger, **plain))).status_code == 200
    check_refusal(await stranger.token(**form, code=await a_code(stranger)), 400, "invalid_grant")


async def test_a_code_lives_sixty_seconds(provider: RunningProvider, party: RelyingParty) -> None:
    early, late = await a_code(party), await a_code(party)
    provider.advance(55)
    assert (await party.exchange(early)).status_code == 200
    provider.advance(6)
    check_refusal(await party.exchange(late), 400, "invalid_grant")


async def test_a_second_use_within_five_seconds_is_a_race_and_revokes_nothing(party: RelyingParty) -> None:
    code = await a_code(party)
    tokens = (await party.exchange(code)).json()
    check_refusal(await party.exchange(code), 400, "invalid_grant")
    assert (await party.userinfo(tokens["access_token"])).status_code == 200
    assert (await party.refresh(tokens["refresh_token"])).status_code == 200


async def test_of_parallel_exchanges_one_gets_tokens_and_keeps_them(party: RelyingParty) -> None:
    code = await a_code(party)
    answers = await asyncio.gather(*(party.exchange(code) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9
    tokens = next(answer.json() for answer in answers if answer.status_code == 200)
    assert (await party.userinfo(tokens["access_token"])).status_code == 200


async def all_is_revoked(party: RelyingParty, tokens: dict[str, str]) -> bool:
    userinfo = await party.userinfo(tokens["access_token"])
    refreshed = await party.refresh(tokens["refresh_token"])
    return (userinfo.status_code, refreshed.status_code) == (401, 400)


@pytest.mark.parametrize("seconds", [6, 30, 90])
async def test_a_later_second_use_revokes_all_that_came_of_the_code(
    provider: RunningProvider, party: RelyingParty, seconds: int
) -> None:
    code = await a_code(party)
    tokens = (await party.exchange(code)).json()
    newer = (await party.refresh(tokens["refresh_token"])).json()
    provider.advance(seconds)
    check_refusal(await party.exchange(code), 400, "invalid_grant")
    assert await all_is_revoked(party, newer)


@pytest.mark.parametrize("changes", [{"code_verifier": "w" * 43}, {"code_verifier": ""}])
async def test_a_second_use_by_who_lacks_the_verifier_is_theft_at_once(
    party: RelyingParty, changes: dict[str, str]
) -> None:
    code = await a_code(party)
    tokens = (await party.exchange(code)).json()
    check_refusal(await party.exchange(code, **changes), 400, "invalid_grant")
    assert await all_is_revoked(party, tokens)


async def test_a_second_use_by_another_client_is_theft_at_once(party: RelyingParty, public: RelyingParty) -> None:
    code = await a_code(party)
    tokens = (await party.exchange(code)).json()
    thief = RelyingParty(party.provider, public.client_id, verifier=party.verifier)
    check_refusal(await thief.exchange(code), 400, "invalid_grant")
    assert await all_is_revoked(party, tokens)


async def test_a_replay_revokes_one_grant_and_no_other(provider: RunningProvider, party: RelyingParty) -> None:
    other = await some_tokens(party)
    code = await a_code(party)
    await party.exchange(code)
    provider.advance(6)
    await party.exchange(code)
    assert (await party.userinfo(other["access_token"])).status_code == 200


async def test_a_code_dies_with_its_session(provider: RunningProvider, party: RelyingParty) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        await person.type_identifier(ASHA)
        await person.type_code("424242")
        tokens = (await party.exchange(person.answer()["code"])).json()
        await person.open(party.authorization_url())
        code = person.answer()["code"]
        await person.http.get(f"{provider.issuer}/logout", params={"id_token_hint": tokens["id_token"]})
    check_refusal(await party.exchange(code), 400, "invalid_grant")


async def test_a_disabled_account_redeems_nothing_and_cannot_sign_in(
    provider: RunningProvider, party: RelyingParty
) -> None:
    tokens = await some_tokens(party, identifier=CHITRA)
    code = await a_code(party, identifier=CHITRA)
    subject = claims_of(tokens["id_token"])["sub"]
    assert provider.command("accounts", "disable", subject).returncode == 0
    check_refusal(await party.exchange(code), 400, "invalid_grant")
    check_refusal(await party.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    assert (await party.userinfo(tokens["access_token"])).status_code == 401
    async with Person() as person:
        await person.open(party.authorization_url())
        await person.type_identifier(CHITRA)
        await person.type_code("424242")
        assert "code=" not in (person.landed or "")


async def test_resources_become_the_audience_and_can_be_narrowed(party: RelyingParty) -> None:
    scope = "openid notes:read files:read"
    both = await some_tokens(party, API, FILES, scope=scope)
    assert claims_of(both["access_token"])["aud"] == [API, FILES]
    assert both["scope"] == scope
    code = await a_code(party, API, FILES, scope=scope)
    narrow = (await party.exchange(code, resource=API)).json()
    assert claims_of(narrow["access_token"])["aud"] == API
    assert narrow["scope"] == "openid notes:read"
    wide = (await party.refresh(narrow["refresh_token"])).json()
    assert claims_of(wide["access_token"])["aud"] == [API, FILES], "a narrower token never narrows the grant"


async def test_a_resource_that_was_not_granted_is_an_invalid_target_and_consumes_nothing(party: RelyingParty) -> None:
    code = await a_code(party, API, scope="openid notes:read")
    check_refusal(await party.exchange(code, resource=FILES), 400, "invalid_target")
    assert (await party.exchange(code)).status_code == 200


async def test_a_scope_sent_with_a_code_is_ignored_like_any_unknown_parameter(party: RelyingParty) -> None:
    """RFC 6749 section 4.1.3 knows none; some clients send what they once asked for, granted or not."""
    code = await a_code(party, scope="openid email")
    tokens = (await party.exchange(code, scope="openid root", display="x")).json()
    assert tokens["scope"] == "openid email"


@pytest.mark.parametrize("algorithm", SIGNING_ALGORITHMS)
async def test_the_id_token_is_signed_as_the_client_registered(
    provider: RunningProvider, http: httpx2.Client, party: RelyingParty, algorithm: str
) -> None:
    """And `at_hash` is made by the hash of that algorithm (OpenID Connect Core section 3.1.3.6)."""
    metadata = {"redirect_uris": [party.redirect_uri], "id_token_signed_response_alg": algorithm}
    client = http.post("/register", json=metadata).json()
    tokens = await some_tokens(RelyingParty(provider, client["client_id"], remember_secret(client["client_secret"])))
    assert header_of(tokens["id_token"])["alg"] == algorithm
    claims = verified(http, tokens["id_token"], algorithm)
    digest = hashlib.sha512 if algorithm.startswith("Ed") else hashlib.sha256
    whole = digest(tokens["access_token"].encode()).digest()
    half = base64.urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode()
    assert (claims["aud"], claims["at_hash"]) == (client["client_id"], half)


async def test_a_phone_signs_in_as_well_as_an_address(party: RelyingParty) -> None:
    tokens = await some_tokens(party, identifier=PHONE, scope="openid phone")
    claims = (await party.userinfo(tokens["access_token"])).json()
    assert claims == {"sub": claims["sub"], "phone_number": PHONE, "phone_number_verified": True}


async def test_a_removed_client_cannot_begin_or_go_on(provider: RunningProvider) -> None:
    added = provider.add_client("--name", "Gone", "--redirect-uri", "http://127.0.0.1:8999/callback", "--first-party")
    gone = RelyingParty(provider, added["client_id"], added["client_secret"])
    tokens = await some_tokens(gone)
    assert provider.command("clients", "remove", gone.client_id).returncode == 0
    assert (await gone.userinfo(tokens["access_token"])).status_code == 401
    provider.advance(6)  # a worker's registry is at most five seconds stale
    check_refusal(await gone.refresh(tokens["refresh_token"]), 401, "invalid_client")
    async with Person() as person:
        page = await person.open(request_url(gone))
        assert page is not None
        assert page.status == 400
