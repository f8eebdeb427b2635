"""The driver of the cases: a browser that only speaks HTML, a relying party, and the checks that every case makes.

Nothing of the provider is imported. Signatures are verified by joserfc's own tokens, which the provider does not use.
"""

import base64
import hashlib
import math
import re
import secrets
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.certification.site import Site
from tests.support.jwt import header_of
from tests.support.person import Form, Person
from tests.support.provider import RunningProvider
from tests.support.secrecy import remember_secret

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
RESPONSE_PARAMETERS = {"code", "state", "iss", "error", "error_description", "error_uri", "session_state"}
ID_TOKEN_CLAIMS = {
    "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash", "nbf",
    "jti", "sid",
}  # fmt: skip
PROFILE = {
    "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
    "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
}  # fmt: skip
BY_SCOPE = {
    "profile": PROFILE,
    "email": {"email", "email_verified"},
    "phone": {"phone_number", "phone_number_verified"},
    "address": {"address"},
}
ERROR_TEXT = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
IDENTIFIER, CODE = "certified@people.example", "424242"


@dataclass
class Client:
    """What is registered. Exactly one of `secret` and `key` is how it authenticates."""

    client_id: str
    redirect_uri: str
    secret: str | None = field(default=None, repr=False)
    key: RSAKey | None = field(default=None, repr=False)
    by_post: bool = False
    registration: dict[str, Any] = field(default_factory=dict, repr=False)


class Browser(Person):
    """A browser that also delivers a form to a relying party, as its script or a press of the button would."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__()
        headers = dict(self.http.headers)
        self.http = httpx2.AsyncClient(verify=tls, timeout=30, headers=headers)

    @property
    def delivered(self) -> Form | None:
        """The form on this page that leads to another origin."""
        if self.page is None:
            return None
        home = self._origin(self.page.url)
        outside = (form for form in self.page.forms if form.action.startswith("http"))
        return next((form for form in outside if self._origin(form.action) != home), None)

    @property
    def asked_to_sign_in(self) -> bool:
        """Whether the page asks who the person is."""
        return self.page is not None and any("identifier" in form.fields for form in self.page.forms)


@dataclass
class Suite:
    """One provider, seen from outside. `mode` is the response mode that every request of a case asks for."""

    provider: RunningProvider = field(repr=False)
    tls: ssl.SSLContext = field(repr=False)
    site: Site = field(repr=False)
    metadata: dict[str, Any] = field(repr=False)
    keys: KeySet = field(repr=False)
    mode: str = "query"

    @property
    def issuer(self) -> str:
        return self.provider.issuer

    def http(self) -> httpx2.AsyncClient:
        """Return a client that trusts the provider's certificate."""
        return httpx2.AsyncClient(verify=self.tls, timeout=30)

    def wait(self, seconds: int) -> float:
        """Move the provider's clock, as waiting would; returns its time."""
        answer = httpx2.post(f"{self.issuer}/dev/clock", json={"advance": seconds}, verify=self.tls)
        assert answer.status_code == 200, answer.text
        return datetime.fromisoformat(answer.json()["now"]).timestamp()

    # --- registration

    async def register(self, **metadata: Any) -> Client:
        """Register by the registration endpoint; the answer is checked as every case checks it."""
        document = {"client_name": "Case", "redirect_uris": [self.callback()], **metadata}
        async with self.http() as http:
            answer = await http.post(self.metadata["registration_endpoint"], json=document)
        assert answer.status_code == 201, answer.text
        registered: dict[str, Any] = answer.json()
        assert answer.headers["content-type"] == "application/json"
        assert ("client_secret" in registered) == ("client_secret_expires_at" in registered)
        assert registered["registration_client_uri"].startswith("https://")
        assert registered | document == registered
        assert set(registered["scope"].split()) >= {"openid", *BY_SCOPE}
        remember_secret(registered["registration_access_token"])
        secret = registered.get("client_secret")
        # Many clients forget that HTTP Basic carries it form-encoded.
        assert secret is None or re.fullmatch(r"[A-Za-z0-9_-]{43,}", secret)
        return Client(
            registered["client_id"],
            document["redirect_uris"][0],
            secret and remember_secret(secret),
            by_post=registered["token_endpoint_auth_method"] == "client_secret_post",
            registration=registered,
        )

    def callback(self) -> str:
        """Return a redirect URI at the relying party's site that no other case has."""
        return f"{self.site.origin}/callback/{secrets.token_hex(4)}"

    # --- authorization

    def request(self, client: Client, **changes: str | None) -> dict[str, str]:
        """Return the parameters of an authorization request; a change to None leaves one out."""
        parameters: dict[str, str | None] = {
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "response_type": "code",
            "scope": "openid",
            "state": secrets.token_urlsafe(10),
            "nonce": secrets.token_urlsafe(10),
            "response_mode": None if self.mode == "query" else self.mode,
        }
        return {name: value for name, value in (parameters | changes).items() if value is not None}

    async def ask(self, browser: Browser, request: dict[str, str]) -> None:
        """Send the browser to the authorization endpoint."""
        await browser.open(f"{self.metadata['authorization_endpoint']}?{urlencode(request)}")

    async def sign_in(self, browser: Browser) -> None:
        """Do what the pages ask: prove the identifier, agree."""
        if browser.asked_to_sign_in:
            await browser.type_identifier(IDENTIFIER)
            await browser.type_code(CODE)
        page = browser.page
        if page is not None and any(
            "decision" in each.get("name", "") for f in page.forms for each in f.buttons.values()
        ):
            await browser.submit(page.form_with("continue"), "continue")

    def answer(self, browser: Browser, request: dict[str, str]) -> dict[str, str]:
        """Read the authorization response, which must have come in the mode that was asked for."""
        if self.mode == "form_post":
            form = browser.delivered
            assert form is not None, (browser.landed, browser.page and browser.page.text[:1500])
            assert form.method == "POST"
            assert form.action == request["redirect_uri"]
            answer = dict(form.fields)
        else:
            assert browser.landed is not None, browser.page and (browser.page.status, browser.page.text[:1500])
            assert browser.landed.startswith(request["redirect_uri"])
            pairs = parse_qsl(urlsplit(browser.landed).query, keep_blank_values=True)
            registered = parse_qsl(urlsplit(request["redirect_uri"]).query)
            assert pairs[: len(registered)] == registered
            answer = dict(pairs[len(registered) :])
            assert Counter(name for name, _ in pairs).most_common(1)[0][1] == 1
        assert answer.keys() <= RESPONSE_PARAMETERS
        assert answer.get("state") == request.get("state")
        assert answer["iss"] == self.issuer
        if "error" in answer:
            assert ERROR_TEXT.fullmatch(answer["error_description"])
        else:
            remember_secret(answer["code"])
            assert entropy(answer["code"]) > 96
        return answer

    async def authorize(self, browser: Browser, client: Client, **changes: str | None) -> dict[str, str]:
        """Go the whole way to the authorization response."""
        request = self.request(client, **changes)
        await self.ask(browser, request)
        await self.sign_in(browser)
        return self.answer(browser, request)

    # --- tokens

    async def token(self, client: Client, **form: str) -> httpx2.Response:
        """Send a token request, authenticated in the client's way."""
        headers = {}
        if client.key is not None:
            form |= {"client_assertion": self.assertion(client), "client_assertion_type": ASSERTION_TYPE}
        elif client.by_post:
            form |= {"client_id": client.client_id, "client_secret": client.secret or ""}
        else:
            pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret or '')}"
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        async with self.http() as http:
            return await http.post(self.metadata["token_endpoint"], data=form, headers=headers)

    def assertion(self, client: Client, **claims: Any) -> str:
        """Sign a client assertion (RFC 7523)."""
        assert client.key is not None
        now = int(self.wait(0))
        content = {
            "iss": client.client_id,
            "sub": client.client_id,
            "aud": self.metadata["token_endpoint"],
            "jti": secrets.token_urlsafe(12),
            "iat": now,
            "exp": now + 60,
            **claims,
        }
        header = {"alg": "RS256"} | ({"kid": client.key.kid} if client.key.kid else {})
        return remember_secret(jwt.encode(header, content, client.key))

    async def exchange(self, client: Client, code: str, **more: str) -> dict[str, Any]:
        """Exchange a code and check the token response."""
        answer = await self.token(
            client, grant_type="authorization_code", code=code, redirect_uri=client.redirect_uri, **more
        )
        return check_token_response(answer)

    async def tokens(self, browser: Browser, client: Client, **changes: str | None) -> dict[str, Any]:
        """Go the whole way to tokens, the ID token verified."""
        request = self.request(client, **changes)
        await self.ask(browser, request)
        await self.sign_in(browser)
        response = await self.exchange(client, self.answer(browser, request)["code"])
        response["claims"] = self.verify_id_token(client, response["id_token"], request.get("nonce"))
        algorithm = header_of(response["id_token"])["alg"]
        assert response["claims"].get("at_hash") in {None, half_hash(response["access_token"], algorithm)}
        return response

    def verify_id_token(self, client: Client, token: str, nonce: str | None) -> dict[str, Any]:
        """Verify an ID token as every case does, and return its claims."""
        decoded = jwt.decode(token, self.keys, algorithms=ALGORITHMS)
        claims: dict[str, Any] = decoded.claims
        assert decoded.header["kid"]
        assert claims["iss"] == self.issuer
        assert claims["aud"] == client.client_id
        assert claims.get("nonce") == nonce
        now = self.wait(0)
        assert claims["exp"] > now
        assert abs(claims["iat"] - now) < 300
        assert type(claims["auth_time"]) is int
        assert claims["auth_time"] <= now + 5
        assert isinstance(claims.get("acr", "-"), str)
        assert claims.get("acr", "-")
        assert 0 < len(claims["sub"]) <= 255
        assert claims["sub"].isascii()
        assert claims["sub"].isprintable()
        return claims

    async def userinfo(self, access_token: str) -> httpx2.Response:
        """Ask who the token is about."""
        async with self.http() as http:
            bearer = {"authorization": f"Bearer {access_token}"}
            return await http.get(self.metadata["userinfo_endpoint"], headers=bearer)


ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def check_token_response(answer: httpx2.Response) -> dict[str, Any]:
    """Check what every token response must be (RFC 6749 section 5.1)."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["pragma"] == "no-cache"
    response: dict[str, Any] = answer.json()
    assert response["token_type"].lower() == "bearer"
    assert type(response["expires_in"]) is int
    assert 0 < response["expires_in"] <= 365 * 86400
    for name in ("access_token", "refresh_token", "id_token"):
        if name in response:
            remember_secret(response[name])
            assert entropy(response[name]) > 96
    return response


def check_token_error(answer: httpx2.Response, error: str, *, status: int = 400) -> None:
    """Check what every token error must be (RFC 6749 section 5.2)."""
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["content-type"] == "application/json"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.json().keys() == {"error", "error_description"}
    assert ERROR_TEXT.fullmatch(answer.json()["error_description"])


def check_claims(claims: dict[str, Any], scopes: str) -> None:
    """Check that the claims of these scopes are all there, of the right types, and no others."""
    expected = {"sub"}.union(*(BY_SCOPE.get(scope, set()) for scope in scopes.split()))
    assert claims.keys() == expected
    assert all(value not in (None, "", "null") for value in claims.values())
    for name in claims.keys() & {"email_verified", "phone_number_verified"}:
        assert type(claims[name]) is bool
    for name in claims.keys() - {"email_verified", "phone_number_verified", "updated_at", "address"}:
        assert type(claims[name]) is str
    if "updated_at" in claims:
        assert type(claims["updated_at"]) is int
        assert 631_152_000 < claims["updated_at"] <= time.time() + 60  # seconds since 1970, not before 1990
        assert re.fullmatch(r"[0-9]{4}(-[0-9]{2}-[0-9]{2})?", claims["birthdate"])
    if "address" in claims:
        assert type(claims["address"]) is dict
        assert all(type(member) is str and member.strip() for member in claims["address"].values())


def half_hash(token: str, algorithm: str) -> str:
    """Return what `at_hash` must be beside this token (OpenID Connect Core section 3.1.3.6)."""
    digest = hashlib.new("sha512" if algorithm in {"EdDSA", "Ed25519"} else "sha256", token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def entropy(text: str) -> float:
    """Return the Shannon entropy of a text in bits, all its characters together."""
    return -sum(times * math.log2(times / len(text)) for times in Counter(text).values())
