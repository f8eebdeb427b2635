"""The registration cases of Dynamic OP, and Third-Party-Initiated Login."""

from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.certification.suite import ALGORITHMS, IDENTIFIER, Browser, Client, Suite, check_token_error
from tests.support.jwt import claims_of, header_of

# joserfc warns of the older of Ed25519's two names, which many clients still need.
pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")


def key(kid: str | None = None) -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": kid} if kid else None)


def as_set(*keys: RSAKey) -> dict[str, Any]:
    """Return what a client publishes of these keys; a kid only where the key has one of its own."""
    return {"keys": [{"alg": "RS256", "use": "sig", **each.as_dict(private=False)} for each in keys]}


async def refused(suite: Suite, **metadata: Any) -> str:
    """Return the error of a registration that must not be made."""
    async with suite.http() as http:
        answer = await http.post(suite.metadata["registration_endpoint"], json=metadata)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/json"
    error: str = answer.json()["error"]
    return error


async def test_a_client_with_a_key_without_a_name_authenticates_by_it(certified: Suite, browser: Browser) -> None:
    own = key()
    published = as_set(own)
    assert "kid" not in published["keys"][0]
    client = await certified.register(
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        jwks=published,
        token_endpoint_auth_method="private_key_jwt",
        contacts=["certification@people.example"],
    )
    assert client.secret is None
    client.key = own
    await certified.tokens(browser, client)


@pytest.mark.parametrize("audience", ["issuer", "token_endpoint", "both"])
async def test_an_assertion_may_name_the_issuer_or_the_token_endpoint(
    certified: Suite, browser: Browser, audience: str
) -> None:
    own = key(kid="one")
    client = await certified.register(jwks=as_set(own), token_endpoint_auth_method="private_key_jwt")
    client.key = own
    named = {
        "issuer": certified.issuer,
        "token_endpoint": certified.metadata["token_endpoint"],
        "both": [certified.issuer, certified.metadata["token_endpoint"]],
    }
    code = (await certified.authorize(browser, client))["code"]
    async with certified.http() as http:
        answer = await http.post(
            certified.metadata["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": client.redirect_uri,
                "client_assertion": certified.assertion(client, aud=named[audience]),
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            },
        )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_the_registered_algorithm_signs_the_id_token(certified: Suite, browser: Browser, algorithm: str) -> None:
    client = await certified.register(id_token_signed_response_alg=algorithm)
    assert header_of((await certified.tokens(browser, client))["id_token"])["alg"] == algorithm


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_userinfo_is_signed_for_a_client_that_asked(certified: Suite, browser: Browser, algorithm: str) -> None:
    client = await certified.register(userinfo_signed_response_alg=algorithm)
    tokens = await certified.tokens(browser, client, scope="openid email")
    answer = await certified.userinfo(tokens["access_token"])
    assert answer.headers["content-type"].partition(";")[0] == "application/jwt"
    told = jwt.decode(answer.text, certified.keys, algorithms=[algorithm]).claims
    assert (told["iss"], told["aud"]) == (certified.issuer, client.client_id)
    assert (told["sub"], told["email"]) == (tokens["claims"]["sub"], IDENTIFIER)


async def test_no_redirect_uri_is_shown_and_not_guessed(certified: Suite, browser: Browser) -> None:
    client = await certified.register(redirect_uris=[certified.callback(), certified.callback()])
    await certified.ask(browser, certified.request(client, redirect_uri=None))
    assert browser.landed is None
    assert browser.page is not None
    assert browser.page.status == 400


async def test_a_query_in_a_redirect_uri_stays_and_must_match(certified: Suite, browser: Browser) -> None:
    registered = certified.callback() + "?bar=foo"
    client = await certified.register(redirect_uris=[registered])
    await certified.authorize(browser, client)
    plain = registered.partition("?")[0]
    for uri in (plain, plain + "?bar=fo", registered + "&bar=foo", registered + "&a=b"):
        await certified.ask(browser, certified.request(client, redirect_uri=uri))
        assert browser.landed is None
        assert browser.page is not None
        assert browser.page.status == 400


async def test_a_fragment_in_a_redirect_uri_is_refused(certified: Suite) -> None:
    assert await refused(certified, redirect_uris=[certified.callback() + "#f"]) == "invalid_redirect_uri"


async def test_logo_policy_and_terms_are_shown_before_the_first_yes(certified: Suite, browser: Browser) -> None:
    shown = {name: f"{certified.site.origin}/{name}" for name in ("logo_uri", "policy_uri", "tos_uri", "client_uri")}
    client = await certified.register(**shown)
    request = certified.request(client)
    await certified.ask(browser, request)
    await browser.type_identifier(IDENTIFIER)
    await browser.type_code("424242")
    assert browser.page is not None
    for address in shown.values():
        assert address in browser.page.text
    assert certified.site.origin in browser.page.headers["content-security-policy"]
    assert not any("logo" in path for path in certified.site.read)


async def test_keys_are_read_from_the_clients_address_and_again_when_they_rotate(
    certified: Suite, browser: Browser
) -> None:
    first, second = key(kid="first"), key(kid="second")
    address = certified.site.publish("/jwks.json", as_set(first))
    client = await certified.register(
        jwks_uri=address,
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["authorization_code", "refresh_token"],
    )
    client.key = first
    tokens = await certified.tokens(browser, client)
    certified.site.publish("/jwks.json", as_set(second))
    certified.wait(60)
    client.key = second
    answer = await certified.token(client, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert answer.status_code == 200, answer.text
    client.key = key(kid="third")
    answer = await certified.token(client, grant_type="refresh_token", refresh_token=answer.json()["refresh_token"])
    check_token_error(answer, "invalid_client", status=401)


async def test_a_sector_gives_its_clients_one_subject_and_others_another(
    certified: Suite, client: Client, browser: Browser
) -> None:
    one, two = certified.callback(), certified.callback()
    address = certified.site.publish("/sector.json", [one, two])
    pair = [
        await certified.register(redirect_uris=[uri], subject_type="pairwise", sector_identifier_uri=address)
        for uri in (one, two)
    ]
    subjects = [(await certified.tokens(browser, each))["claims"]["sub"] for each in pair]
    public = (await certified.tokens(browser, client))["claims"]["sub"]
    assert subjects[0] == subjects[1] != public


async def test_a_sector_that_does_not_hold_the_redirect_uri_is_refused(certified: Suite) -> None:
    address = certified.site.publish("/bad-sector.json", [certified.callback()])
    metadata = {"redirect_uris": [certified.callback()], "subject_type": "pairwise", "sector_identifier_uri": address}
    assert await refused(certified, **metadata) == "invalid_client_metadata"


async def test_a_registration_is_read_and_deleted_with_its_own_token(certified: Suite) -> None:
    client = await certified.register(client_name="Short-lived")
    address = client.registration["registration_client_uri"]
    bearer = {"authorization": f"Bearer {client.registration['registration_access_token']}"}
    async with certified.http() as http:
        read = await http.get(address, headers=bearer)
        assert read.status_code == 200
        assert read.json()["client_name"] == "Short-lived"
        assert (await http.delete(address, headers=bearer)).status_code == 204
        assert (await http.get(address, headers=bearer)).status_code == 401


async def test_an_initiate_login_uri_is_kept_and_must_be_https(certified: Suite) -> None:
    address = f"{certified.site.origin}/initiate"
    client = await certified.register(initiate_login_uri=address)
    assert client.registration["initiate_login_uri"] == address
    bearer = {"authorization": f"Bearer {client.registration['registration_access_token']}"}
    read = httpx2.get(client.registration["registration_client_uri"], headers=bearer, verify=certified.tls)
    assert read.json()["initiate_login_uri"] == address
    plain = {"redirect_uris": [certified.callback()], "initiate_login_uri": "http://client.example/initiate"}
    assert await refused(certified, **plain) == "invalid_client_metadata"


async def test_a_rotated_key_signs_under_a_new_name_and_the_old_one_stays_published(
    certified: Suite, client: Client, browser: Browser
) -> None:
    before = await certified.tokens(browser, client)
    done = certified.provider.command("keys", "rotate")
    assert done.returncode == 0, done.stderr
    old = header_of(before["id_token"])["kid"]
    async with certified.http() as http:
        for _ in range(200):
            response = await certified.exchange(client, (await certified.authorize(browser, client))["code"])
            if header_of(response["id_token"])["kid"] != old:
                break
        else:
            raise AssertionError("the provider still signs with the old key")
        published = (await http.get(certified.metadata["jwks_uri"])).json()["keys"]
    assert {old, header_of(response["id_token"])["kid"]} <= {each["kid"] for each in published}
    assert claims_of(response["id_token"])["sub"] == before["claims"]["sub"]
