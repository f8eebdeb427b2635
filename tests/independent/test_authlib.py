"""Authlib as an independent relying party: it knows our issuer, and nothing else of us."""

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette

from tests.independent.recipes import Recipe
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.secrecy import remember_secret

CALLBACK = "http://127.0.0.1:8997/callback"
BYE = "http://127.0.0.1:8997/bye"
SITE = "https://app.example.com"
VERIFIER = "v" * 64
NONCE = "a-nonce-of-ours"
GITA = "gita@example.com"
KEY = ECKey.generate_key("P-256", {"kid": "authlib", "alg": "ES256", "use": "sig"}, private=True)


@pytest.fixture(scope="module")
def site(provider: RunningProvider) -> dict[str, Any]:
    """The names of the recipe's page, its client registered as it says."""
    recipe, names = Recipe("authlib"), dict[str, Any]()
    client = recipe.register(provider)
    changes = {name: client[name.lower()] for name in ("CLIENT_ID", "CLIENT_SECRET")}
    exec(recipe.text("python", provider, SESSION_KEY="k" * 32, **changes), names)
    return names


@pytest.fixture
def http(trusting: Path) -> Any:
    """Plain requests to the provider, which this machine's operator trusts."""
    with httpx2.Client(verify=ssl.create_default_context(cafile=trusting), timeout=30) as client:
        yield client


@pytest.fixture
def metadata(provider: RunningProvider, http: httpx2.Client) -> dict[str, Any]:
    document: dict[str, Any] = http.get(f"{provider.issuer}/.well-known/openid-configuration").json()
    return document


def registered(http: httpx2.Client, metadata: dict[str, Any], **more: Any) -> dict[str, Any]:
    wanted = {
        "client_name": "Authlib",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [BYE],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }
    answer = http.post(metadata["registration_endpoint"], json=wanted | more)
    assert answer.status_code == 201, answer.text
    client: dict[str, Any] = answer.json()
    for name in ("client_secret", "registration_access_token"):
        remember_secret(client.get(name, ""))
    return client


def client_of(registration: dict[str, Any], metadata: dict[str, Any], secret: Any = None) -> Any:
    make: Any = AsyncOAuth2Client  # Authlib has no types
    method = registration["token_endpoint_auth_method"]
    return make(
        registration["client_id"],
        secret or registration.get("client_secret"),
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        redirect_uri=CALLBACK,
        scope="openid email",
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
    )


@pytest.fixture(params=["client_secret_basic", "client_secret_post", "none"])
def client(request: pytest.FixtureRequest, http: httpx2.Client, metadata: dict[str, Any]) -> Any:
    """A client that registered itself, in each way of authenticating that needs no key."""
    return client_of(registered(http, metadata, token_endpoint_auth_method=request.param), metadata)


async def signed_in(client: Any, provider: RunningProvider, metadata: dict[str, Any], person: Person) -> Any:
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=VERIFIER, nonce=NONCE
    )
    await person.sign_in(provider, url, GITA)
    tokens = await client.fetch_token(authorization_response=person.landed, state=state, code_verifier=VERIFIER)
    return noted(tokens)


def browser_at(app: Starlette) -> httpx2.AsyncClient:
    """A browser of the site alone; a person's own is at the provider."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=SITE)


def noted(tokens: Any) -> Any:
    for name in ("access_token", "refresh_token", "id_token"):
        remember_secret(tokens[name])
    return tokens


def verified(token: str, http: httpx2.Client, metadata: dict[str, Any], client_id: str, access_token: str) -> Any:
    """Verify an ID token as Authlib's integrations do: signature by the published keys, then its claims."""
    keys = KeySet.import_key_set(http.get(metadata["jwks_uri"]).json())
    decoded = jwt.decode(token, keys, algorithms=metadata["id_token_signing_alg_values_supported"])
    claims: Any = CodeIDToken(
        decoded.claims,
        decoded.header,
        {"iss": {"value": metadata["issuer"]}, "aud": {"value": client_id}, "nonce": {"essential": True}},
        {"nonce": NONCE, "client_id": client_id, "access_token": access_token},
    )
    claims.validate()
    return claims


def test_authlibs_validators_accept_what_discovery_says(metadata: dict[str, Any], provider: RunningProvider) -> None:
    assert metadata["issuer"] == provider.issuer
    validators: Any = (OpenIDProviderMetadata, AuthorizationServerMetadata)  # Authlib has no types
    for validator in validators:
        validator(metadata).validate()


async def test_authlib_discovers_registers_signs_in_refreshes_asks_and_signs_out(
    provider: RunningProvider, metadata: dict[str, Any], http: httpx2.Client, client: Any
) -> None:
    async with client, Person() as person:
        tokens = await signed_in(client, provider, metadata, person)
        claims = verified(tokens["id_token"], http, metadata, client.client_id, tokens["access_token"])
        userinfo = (await client.get(metadata["userinfo_endpoint"])).json()
        assert userinfo == {"sub": claims["sub"], "email": GITA, "email_verified": True}

        refreshed = noted(await client.refresh_token(refresh_token=tokens["refresh_token"]))
        assert refreshed["access_token"] != tokens["access_token"]
        assert refreshed["refresh_token"] != tokens["refresh_token"]
        again = await client.get(metadata["userinfo_endpoint"])
        assert again.json()["sub"] == claims["sub"]

        parameters = {"id_token_hint": refreshed["id_token"], "post_logout_redirect_uri": BYE, "state": "bye"}
        await person.open(f"{metadata['end_session_endpoint']}?{urlencode(parameters)}")
        assert person.landed == f"{BYE}?state=bye"
        over = await client.get(metadata["userinfo_endpoint"])
        assert over.status_code == 401
        silent, _ = client.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=VERIFIER, prompt="none"
        )
        await person.open(silent)
        assert person.answer()["error"] == "login_required"


async def test_authlib_revokes_and_introspects(
    provider: RunningProvider, metadata: dict[str, Any], http: httpx2.Client
) -> None:
    async with client_of(registered(http, metadata), metadata) as client, Person() as person:
        tokens = await signed_in(client, provider, metadata, person)
        before = await client.introspect_token(metadata["introspection_endpoint"], tokens["refresh_token"])
        assert before.json()["active"] is True
        revoked = await client.revoke_token(metadata["revocation_endpoint"], tokens["access_token"], "access_token")
        assert revoked.status_code == 200
        assert (await client.get(metadata["userinfo_endpoint"])).status_code == 401
        revoked = await client.revoke_token(metadata["revocation_endpoint"], tokens["refresh_token"])
        assert revoked.status_code == 200
        after = await client.introspect_token(metadata["introspection_endpoint"], tokens["refresh_token"])
        assert after.json() == {"active": False}
        with pytest.raises(OAuthError) as refused:
            await client.refresh_token(refresh_token=tokens["refresh_token"])
        assert refused.value.error == "invalid_grant"


async def test_authlib_authenticates_by_a_key_of_its_own(
    provider: RunningProvider, metadata: dict[str, Any], http: httpx2.Client, site: dict[str, Any]
) -> None:
    keys = {"keys": [KEY.as_dict(private=False)]}
    registration = registered(http, metadata, token_endpoint_auth_method="private_key_jwt", jwks=keys)
    assert "client_secret" not in registration
    async with client_of(registration, metadata, KEY) as client, Person() as person:
        client.register_client_auth_method(site["OneMinuteKey"](metadata["token_endpoint"], headers={"kid": KEY.kid}))
        tokens = await signed_in(client, provider, metadata, person)
        refreshed = noted(await client.refresh_token(refresh_token=tokens["refresh_token"]))
        assert refreshed["refresh_token"] != tokens["refresh_token"]
        revoked = await client.revoke_token(metadata["revocation_endpoint"], refreshed["refresh_token"])
        assert revoked.status_code == 200
        assert (await client.get(metadata["userinfo_endpoint"])).status_code == 401


async def test_authlibs_assertions_of_an_hour_authenticate_as_they_are(
    metadata: dict[str, Any], http: httpx2.Client
) -> None:
    keys = {"keys": [KEY.as_dict(private=False)]}
    registration = registered(http, metadata, token_endpoint_auth_method="private_key_jwt", jwks=keys)
    async with client_of(registration, metadata, KEY) as client:
        by_default: Any = PrivateKeyJWT
        client.register_client_auth_method(by_default(metadata["token_endpoint"], alg="ES256"))
        with pytest.raises(OAuthError) as refused:
            await client.fetch_token(grant_type="refresh_token", refresh_token="never-was-a-token")
        assert refused.value.error == "invalid_grant"  # so the client was known


async def test_authlib_redeems_what_was_posted(
    provider: RunningProvider, metadata: dict[str, Any], http: httpx2.Client
) -> None:
    async with client_of(registered(http, metadata), metadata) as client, Person() as person:
        url, state = client.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=VERIFIER, nonce=NONCE, response_mode="form_post"
        )
        await person.walk(provider, url, GITA)
        assert person.page is not None
        form = person.page.form_with("continue")
        assert form.action == CALLBACK
        answered = f"{CALLBACK}?{urlencode(form.fields)}"  # Authlib reads a form as it reads a query
        tokens = noted(await client.fetch_token(authorization_response=answered, state=state, code_verifier=VERIFIER))
        verified(tokens["id_token"], http, metadata, client.client_id, tokens["access_token"])


async def test_a_registration_is_read_changed_and_ended_by_its_own_token(
    provider: RunningProvider, metadata: dict[str, Any], http: httpx2.Client
) -> None:
    registration = registered(http, metadata)
    address = registration["registration_client_uri"]
    headers = {"authorization": f"Bearer {registration['registration_access_token']}"}
    assert http.get(address, headers=headers).json()["redirect_uris"] == [CALLBACK]
    changed = http.put(
        address,
        headers=headers,
        json={"client_id": registration["client_id"], "client_name": "Renamed", "redirect_uris": [CALLBACK]},
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["client_name"] == "Renamed"
    token = remember_secret(changed.json().get("registration_access_token", registration["registration_access_token"]))
    headers = {"authorization": f"Bearer {token}"}
    assert http.delete(address, headers=headers).status_code == 204
    assert http.get(address, headers=headers).status_code == 401


async def test_the_recipe_signs_in_refreshes_and_signs_out(
    provider: RunningProvider, site: dict[str, Any], trusting: Path
) -> None:
    async with browser_at(site["app"]) as browser, Person() as person:
        assert (await browser.get("/")).headers["location"] == "/login"
        await person.sign_in(provider, (await browser.get("/login")).headers["location"], GITA)
        assert person.landed is not None
        assert (await browser.get(person.landed)).headers["location"] == "/"
        (first,) = (dict(tokens) for tokens in site["accounts"].values())
        assert (await browser.get("/")).json()["email"] == GITA
        assert (await browser.get("/refresh")).headers["location"] == "/"
        (second,) = (dict(tokens) for tokens in site["accounts"].values())
        assert noted(second)["refresh_token"] != noted(first)["refresh_token"]
        assert (await browser.get("/")).json()["email"] == GITA
        await person.open((await browser.get("/logout")).headers["location"])
        assert person.landed is not None
        assert (await browser.get(person.landed)).text == "Goodbye."
        assert (await browser.get("/")).headers["location"] == "/login"
