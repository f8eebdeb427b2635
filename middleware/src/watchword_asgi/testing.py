"""For your own tests: an issuer in memory that mints tokens, answers discovery, keys and userinfo, and signs people in.

    issuer = LocalIssuer(audience="https://api.example.com")
    app = Watchword(app, issuer=issuer.issuer, audience=issuer.audience, http=issuer.transport)
    response = await client.get("/orders", headers=issuer.bearer(scope="orders:read"))

Nothing here opens a socket. Do not use it outside of tests: it signs whatever it is asked to.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

_LIFETIME = timedelta(minutes=15)


def base64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair under a kid, for one algorithm."""

    kid: str
    algorithm: str
    pair: Key = field(repr=False)

    @property
    def public(self) -> dict[str, Any]:
        """The public half as it is published."""
        return {**self.pair.as_dict(private=False), "kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def sign(self, header: Mapping[str, Any], payload: bytes) -> str:
        """A compact JWS with exactly this header."""
        signing_input = f"{base64url(json.dumps(dict(header)).encode())}.{base64url(payload)}"
        signature = JWSRegistry.algorithms[self.algorithm].sign(signing_input.encode("ascii"), self.pair)
        return f"{signing_input}.{base64url(signature)}"


def generate_signing_key(algorithm: str = "ES256", kid: str | None = None) -> SigningKey:
    """A new key pair for RS256, PS256, ES256 or Ed25519."""
    pair: Key
    if algorithm in ("RS256", "PS256"):
        pair = RSAKey.generate_key(2048, auto_kid=False)
    elif algorithm == "ES256":
        pair = ECKey.generate_key("P-256", auto_kid=False)
    else:
        pair = OKPKey.generate_key("Ed25519", auto_kid=False)
    return SigningKey(kid or secrets.token_hex(4), algorithm, pair)


@dataclass(slots=True)
class _Grant:
    subject: str
    client_id: str
    scope: str
    redirect_uri: str
    code_challenge: str
    nonce: str
    audience: str


class LocalIssuer:
    """An OpenID provider small enough to read: give its `transport` to Watchword or Verifier as `http`.

    Attributes:
        keys: what is published and signed with (the first one); change the list to rotate.
        profiles: extra claims per subject, for userinfo and ID tokens.
        metadata: extra members of the discovery document.
        requests: every request that arrived, as (method, path).
        outage: set a status (503) to make every endpoint answer it, or None.
        lifetime: of the access tokens it mints.
        rotates: whether refresh tokens are replaced and the old ones refused.
    """

    def __init__(
        self,
        issuer: str = "https://id.test",
        *,
        audience: str = "https://api.test",
        algorithm: str = "ES256",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self.keys = [generate_signing_key(algorithm)]
        self.profiles: dict[str, dict[str, Any]] = {}
        self.metadata: dict[str, Any] = {}
        self.requests: list[tuple[str, str]] = []
        self.outage: int | None = None
        self.rotates = True
        self.lifetime = _LIFETIME
        self.transport = httpx2.MockTransport(self.respond)
        self._now = now
        self._codes: dict[str, _Grant] = {}
        self._refresh_tokens: dict[str, _Grant] = {}

    # ---- tokens

    def access_claims(self, *, subject: str = "ada", client_id: str = "client", scope: str = "", **claims: Any) -> Any:
        """The claims of a good access token (RFC 9068), with yours on top; None takes one out."""
        now = int(self._now().timestamp())
        members = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "client_id": client_id,
            "scope": scope,
            "iat": now,
            "exp": now + int(self.lifetime.total_seconds()),
            "jti": secrets.token_hex(8),
            **claims,
        }
        return {name: value for name, value in members.items() if value is not None}

    def token(self, *, header: Mapping[str, Any] | None = None, key: SigningKey | None = None, **claims: Any) -> str:
        """A signed access token. Arguments as `access_claims`; `header` adds header members, None takes one out."""
        return self.sign(self.access_claims(**claims), header=header, key=key)

    def sign(
        self, claims: Mapping[str, Any], *, header: Mapping[str, Any] | None = None, key: SigningKey | None = None
    ) -> str:
        """Sign any claims, as type at+jwt unless `header` says otherwise."""
        signer = key or self.keys[0]
        members = {"typ": "at+jwt", "alg": signer.algorithm, "kid": signer.kid, **(header or {})}
        members = {name: value for name, value in members.items() if value is not None}
        return signer.sign(members, json.dumps(dict(claims)).encode())

    def bearer(self, **claims: Any) -> dict[str, str]:
        """The Authorization header with a fresh token; arguments as `access_claims`."""
        return {"Authorization": f"Bearer {self.token(**claims)}"}

    # ---- endpoints

    async def respond(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request to the issuer."""
        path = request.url.path.removeprefix(urlsplit(self.issuer).path.rstrip("/"))
        self.requests.append((request.method, path))
        if self.outage is not None:
            return httpx2.Response(self.outage)
        if path == "/.well-known/openid-configuration":
            return httpx2.Response(200, json=self._metadata())
        if path == "/jwks":
            return httpx2.Response(200, json={"keys": [key.public for key in self.keys]})
        if path == "/userinfo":
            return self._userinfo(request)
        if path == "/token" and request.method == "POST":
            return self._token(request)
        return httpx2.Response(404)

    def _metadata(self) -> dict[str, Any]:
        endpoints = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "userinfo_endpoint": "/userinfo",
            "end_session_endpoint": "/logout",
            "jwks_uri": "/jwks",
        }
        addresses = {name: self.issuer + path for name, path in endpoints.items()}
        return {
            "issuer": self.issuer,
            **addresses,
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    def _userinfo(self, request: httpx2.Request) -> httpx2.Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        parts = token.split(".")
        if len(parts) != 3:
            return httpx2.Response(401)
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) & 3)))
        subject: str = claims["sub"]
        return httpx2.Response(200, json={"sub": subject, **self.profiles.get(subject, {})})

    def sign_in(self, address: str, *, subject: str = "ada") -> str:
        """Play the person: take the address the app sent the browser to, return the callback address it comes back to.

        Raises:
            ValueError: the authorization request lacks something, PKCE with S256 included.
        """
        query = dict(parse_qsl(urlsplit(address).query))
        needed = {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge"}
        if not needed <= query.keys() or query.get("code_challenge_method") != "S256":
            raise ValueError("the authorization request is not complete")
        code = secrets.token_urlsafe(16)
        self._codes[code] = _Grant(
            subject,
            query["client_id"],
            query["scope"],
            query["redirect_uri"],
            query["code_challenge"],
            query["nonce"],
            query.get("resource", self.issuer),
        )
        answer = {"code": code, "state": query["state"], "iss": self.issuer}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def _token(self, request: httpx2.Request) -> httpx2.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        if form["grant_type"] == "refresh_token":
            grant = self._take_refresh_token(form["refresh_token"])
        else:
            grant = self._take_code(form)
        if grant is None:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        refresh_token = secrets.token_urlsafe(16)
        self._refresh_tokens[refresh_token] = grant
        access_token = self.token(
            subject=grant.subject, client_id=grant.client_id, scope=grant.scope, aud=grant.audience
        )
        members = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": int(self.lifetime.total_seconds()),
            "scope": grant.scope,
            "refresh_token": refresh_token,
            "id_token": self.id_token(
                subject=grant.subject, client_id=grant.client_id, nonce=grant.nonce, access_token=access_token
            ),
        }
        return httpx2.Response(200, json=members)

    def _take_refresh_token(self, refresh_token: str) -> _Grant | None:
        if self.rotates:
            return self._refresh_tokens.pop(refresh_token, None)
        return self._refresh_tokens.get(refresh_token)

    def _take_code(self, form: Mapping[str, str]) -> _Grant | None:
        grant = self._codes.pop(form["code"], None)
        challenge = base64url(hashlib.sha256(form["code_verifier"].encode()).digest())
        if grant is None or challenge != grant.code_challenge or form["redirect_uri"] != grant.redirect_uri:
            return None
        return grant

    def id_token(
        self,
        *,
        subject: str = "ada",
        client_id: str = "client",
        nonce: str | None = None,
        access_token: str | None = None,
        **claims: Any,
    ) -> str:
        """A signed ID token with the subject's profile; None takes a claim out."""
        now = int(self._now().timestamp())
        members: dict[str, Any] = {
            "iss": self.issuer,
            "aud": client_id,
            "sub": subject,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.profiles.get(subject, {}),
        }
        if access_token is not None:
            digest = hashlib.sha512 if self.keys[0].algorithm == "Ed25519" else hashlib.sha256
            whole = digest(access_token.encode()).digest()
            members["at_hash"] = base64url(whole[: len(whole) // 2])
        members = {name: value for name, value in {**members, **claims}.items() if value is not None}
        return self.sign(members, header={"typ": "JWT"})

    def revoke_refresh_tokens(self) -> None:
        """Make every refresh token invalid, as if the person had signed out at the provider."""
        self._refresh_tokens.clear()
