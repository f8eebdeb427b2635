"""A relying party of a few lines: builds authorization requests and talks to the token endpoint over HTTP."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx2

from tests.support.provider import RunningProvider, http_client
from tests.support.secrecy import remember_secret

REDIRECT_URI = "http://127.0.0.1:8999/callback"


@dataclass
class RelyingParty:
    """A registered client. `secret` is None for a public one."""

    provider: RunningProvider
    client_id: str
    secret: str | None = field(default=None, repr=False)
    redirect_uri: str = REDIRECT_URI
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def authorization_url(self, **changes: str | None) -> str:
        """Return an authorization request; a change to None leaves the parameter out."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        parameters: dict[str, str | None] = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid email",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        merged = {name: value for name, value in (parameters | changes).items() if value is not None}
        return f"{self.provider.issuer}/authorize?{urlencode(merged)}"

    async def token(self, **form: str) -> httpx2.Response:
        """Send a token request, authenticated in the client's way."""
        headers = {}
        if self.secret is not None:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}"
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form = {"client_id": self.client_id} | form
        async with http_client() as http:
            answer = await http.post(f"{self.provider.issuer}/token", data=form, headers=headers)
        _note(answer)
        return answer

    async def exchange(self, code: str, **changes: str) -> httpx2.Response:
        """Exchange an authorization code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return await self.token(**(form | changes))

    async def refresh(self, refresh_token: str, **changes: str) -> httpx2.Response:
        """Send a refresh token."""
        return await self.token(**({"grant_type": "refresh_token", "refresh_token": refresh_token} | changes))

    async def userinfo(self, access_token: str) -> httpx2.Response:
        """Ask who the token is about."""
        async with http_client() as http:
            return await http.get(
                f"{self.provider.issuer}/userinfo", headers={"authorization": f"Bearer {access_token}"}
            )


def _note(answer: httpx2.Response) -> None:
    if answer.status_code == 200:
        content: dict[str, Any] = answer.json()
        for name in ("access_token", "refresh_token", "id_token"):
            if name in content:
                remember_secret(content[name])


def register(provider: RunningProvider, *arguments: str, first_party: bool = True) -> RelyingParty:
    """Register a client by the command line and return its relying party."""
    options = ["--name", "Test party", "--redirect-uri", REDIRECT_URI, *arguments]
    if first_party:
        options.append("--first-party")
    client = provider.add_client(*options)
    return RelyingParty(provider, client["client_id"], client.get("client_secret"))


def register_document(provider: RunningProvider, *, first_party: bool = True, **metadata: Any) -> RelyingParty:
    """Register a client by its metadata (RFC 7591), as an operator does, and return its relying party."""
    document: dict[str, Any] = {
        "client_name": "Test party",
        "redirect_uris": [REDIRECT_URI],
        "pkce_required": True,
    } | metadata
    file = provider.folder / f"{secrets.token_hex(8)}.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    client = provider.add_client("--metadata", str(file), *(["--first-party"] if first_party else []))
    return RelyingParty(provider, client["client_id"], client.get("client_secret"), document["redirect_uris"][0])


def register_itself(provider: RunningProvider, **metadata: Any) -> RelyingParty:
    """Register a client over HTTP, as strangers may: people are asked for consent. Quicker than a command."""
    document: dict[str, Any] = {"redirect_uris": [REDIRECT_URI]} | metadata
    answer = httpx2.post(f"{provider.issuer}/register", json=document, timeout=30)
    assert answer.status_code == 201, answer.text
    client = answer.json()
    secret = client.get("client_secret")
    return RelyingParty(provider, client["client_id"], secret and remember_secret(secret), document["redirect_uris"][0])
