"""Authlib's own client as an independent relying party: it knows our issuer, and nothing else of us."""

from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.secrecy import remember_secret

CALLBACK = "http://127.0.0.1:8997/callback"
BYE = "http://127.0.0.1:8997/bye"
VERIFIER = "v" * 64
NONCE = "a-nonce-of-ours"


@pytest.fixture(scope="module")
def metadata(provider: RunningProvider) -> dict[str, Any]:
    document: dict[str, Any] = httpx2.get(f"{provider.issuer}/.well-known/openid-configuration").json()
    return document


@pytest.fixture(params=["client_secret_basic", "client_secret_post", "none"])
def client(request: pytest.FixtureRequest, metadata: dict[str, Any]) -> Any:
    """A client that registered itself, in each way of authenticating."""
    registration = {
        "client_name": "Authlib",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [BYE],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": request.param,
    }
    registered = httpx2.post(metadata["registration_endpoint"], json=registration)
    assert registered.status_code == 201, registered.text
    make: Any = AsyncOAuth2Client  # Authlib has no types
    return make(
        registered.json()["client_id"],
        registered.json().get("client_secret"),
        token_endpoint_auth_method=request.param,
        redirect_uri=CALLBACK,
        scope="openid email",
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
    )


def test_authlibs_validators_accept_what_discovery_says(metadata: dict[str, Any], provider: RunningProvider) -> None:
    assert metadata["issuer"] == provider.issuer
    for validator in (OpenIDProviderMetadata, AuthorizationServerMetadata):
        checked = validator(metadata)
        for name in validator.REGISTRY_KEYS:
            if not name.endswith(("_endpoint", "issuer", "jwks_uri")):  # Authlib wants https, also on loopback
                getattr(checked, f"validate_{name}", lambda: None)()


def verified(token: str, metadata: dict[str, Any], client_id: str, access_token: str) -> Any:
    """Verify an ID token as Authlib's integrations do: signature by the published keys, then its claims."""
    keys = KeySet.import_key_set(httpx2.get(metadata["jwks_uri"]).json())
    decoded = jwt.decode(token, keys, algorithms=metadata["id_token_signing_alg_values_supported"])
    claims: Any = CodeIDToken(
        decoded.claims,
        decoded.header,
        {"iss": {"value": metadata["issuer"]}, "aud": {"value": client_id}, "nonce": {"essential": True}},
        {"nonce": NONCE, "client_id": client_id, "access_token": access_token},
    )
    claims.validate()
    return claims


async def test_authlib_discovers_registers_signs_in_refreshes_asks_and_signs_out(
    provider: RunningProvider, metadata: dict[str, Any], client: Any
) -> None:
    async with client, Person() as person:
        url, state = client.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=VERIFIER, nonce=NONCE
        )
        await person.sign_in(provider, url, "gita@example.com")
        tokens = await client.fetch_token(authorization_response=person.landed, state=state, code_verifier=VERIFIER)
        remember_secret(tokens["refresh_token"])
        remember_secret(tokens["access_token"])
        claims = verified(tokens["id_token"], metadata, client.client_id, tokens["access_token"])
        userinfo = (await client.get(metadata["userinfo_endpoint"])).json()
        assert userinfo == {"sub": claims["sub"], "email": "gita@example.com", "email_verified": True}

        refreshed = await client.refresh_token(refresh_token=tokens["refresh_token"])
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
