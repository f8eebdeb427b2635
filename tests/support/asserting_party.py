"""A relying party that authenticates by `private_key_jwt`: it signs an assertion of its own for every request."""

import json
import secrets
import warnings
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.support.provider import RunningProvider

# One connection for all: a client of its own for each request would read every certificate of the system.
HTTP = httpx2.Client(timeout=30)
Key = RSAKey | ECKey | OKPKey
BY_JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GRANT = {"grant_type": "client_credentials"}
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519", "RS384", "RS512", "ES384", "HS256"]


def public(key: Key, **members: Any) -> dict[str, Any]:
    """Return a public JWK."""
    return key.as_dict(private=False) | members


def provider_time(provider: RunningProvider) -> int:
    """Return the provider's time in seconds."""
    answer = HTTP.post(f"{provider.issuer}/dev/clock", json={"advance": 0})
    return int(datetime.fromisoformat(answer.json()["now"]).timestamp())


@dataclass
class AssertingParty:
    """A client and its private key. Its tokens are for itself: no person is needed to see it authenticate."""

    provider: RunningProvider
    client_id: str
    key: Any = field(repr=False)
    algorithm: str = "ES256"
    kid: str | None = None

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return what an assertion says; a change to None leaves a claim out."""
        now = provider_time(self.provider)
        claims: dict[str, Any] = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": f"{self.provider.issuer}/token",
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def header(self, **changes: Any) -> dict[str, Any]:
        """Return an assertion's header; a change to None leaves a member out."""
        header = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid} | changes
        return {name: value for name, value in header.items() if value is not None}

    def sign(self, claims: dict[str, Any] | bytes, header: dict[str, Any] | None = None, key: Any = None) -> str:
        """Sign what an assertion says."""
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        registry = jws.JWSRegistry(algorithms=ALGORITHMS)
        with warnings.catch_warnings(action="ignore", category=SecurityWarning):  # that EdDSA got another name
            return jws.serialize_compact(header or self.header(), payload, key or self.key, registry=registry)

    def assertion(self, **changes: Any) -> str:
        """Return a fresh assertion with other claims."""
        return self.sign(self.claims(**changes))

    def form(self, assertion: str | None = None, **fields: str) -> dict[str, str]:
        """Return what a request sends beside its own parameters."""
        return {"client_assertion_type": BY_JWT, "client_assertion": assertion or self.assertion(), **fields}

    def token(self, assertion: str | None = None, **fields: str) -> httpx2.Response:
        """Send a token request."""
        return HTTP.post(f"{self.provider.issuer}/token", data=GRANT | self.form(assertion, **fields))


def asserting_party(
    provider: RunningProvider,
    key: Key,
    algorithm: str = "ES256",
    *,
    kid: str | None = None,
    jwks_uri: str | None = None,
    **metadata: Any,
) -> AssertingParty:
    """Register a client with its public key, or with where that is published."""
    document: dict[str, Any] = {
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        **({"jwks_uri": jwks_uri} if jwks_uri else {"jwks": {"keys": [public(key, **({"kid": kid} if kid else {}))]}}),
        **metadata,
    }
    answer = HTTP.post(f"{provider.issuer}/register", json=document)
    assert answer.status_code == 201, answer.text
    return AssertingParty(provider, answer.json()["client_id"], key, algorithm, kid)
