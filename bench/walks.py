"""What people and relying parties do at the provider, each step one prepared request."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson

from bench.load import Answer, NothingLeft, Sender
from bench.requests import get, hidden_fields, location_target, new_cookie, post_form, refresh_target
from bench.server import Registration

REDIRECT_URI = "http://127.0.0.1:8999/callback"
ONE_TIME_CODE = "246810"
IDENTIFIERS = tuple(f"person{number}@bench.example" for number in range(256))
_VERIFIER = secrets.token_urlsafe(32)
_CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()
_people = cycle(IDENTIFIERS)


def authorization_target(client: Registration) -> str:
    """Return an authorization request with PKCE, state and nonce."""
    parameters = {
        "client_id": client.client_id,
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "openid email",
        "state": "bench-state",
        "nonce": "bench-nonce",
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"/authorize?{urlencode(parameters)}"


def token_request(client: Registration, **form: str) -> bytes:
    """Return a token request."""
    return post_form("/token", form, client=client)


async def sign_in(sender: Sender, client: Registration) -> tuple[str, str]:
    """Sign in as the next person in a fresh browser, six requests; returns the session cookie and the code."""
    asked = await sender.fetch(get(authorization_target(client)), 303)
    browser = new_cookie(asked)
    page = await sender.fetch(get(location_target(asked), cookie=browser), 200)
    typed = {**hidden_fields(page), "identifier": next(_people)}
    sent = await sender.fetch(post_form("/login", typed, cookie=browser), 303)
    page = await sender.fetch(get(location_target(sent), cookie=browser), 200)
    typed = {**hidden_fields(page), "one_time_code": ONE_TIME_CODE}
    signed_in = await sender.fetch(post_form("/login/code", typed, cookie=browser), 200)
    session = new_cookie(signed_in)
    answered = await sender.fetch(get(refresh_target(signed_in), cookie=f"{browser}; {session}"), 303)
    return session, code_of(answered)


async def exchange(sender: Sender, client: Registration, authorization_code: str) -> dict[str, Any]:
    """Exchange an authorization code, one request; returns the token response."""
    request = token_request(
        client,
        grant_type="authorization_code",
        code=authorization_code,
        redirect_uri=REDIRECT_URI,
        code_verifier=_VERIFIER,
    )
    tokens: dict[str, Any] = orjson.loads((await sender.fetch(request, 200)).body)
    return tokens


def code_of(answer: Answer) -> str:
    """Return the authorization code that a redirect carries."""
    return parse_qs(urlsplit(answer.header(b"location").decode()).query)["code"][0]


@dataclass(slots=True)
class SameRequest:
    """One request, again and again."""

    request: bytes

    async def __call__(self, sender: Sender) -> None:
        """Send it."""
        await sender.fetch(self.request, 200)


@dataclass(slots=True)
class Authorize:
    """An authorization request of a signed-in browser; the codes are kept for `ExchangeCode`."""

    request: bytes
    codes: list[str]

    async def __call__(self, sender: Sender) -> None:
        """Get one code."""
        self.codes.append(code_of(await sender.fetch(self.request, 303)))


@dataclass(slots=True)
class ExchangeCode:
    """Redeems codes that were asked for before the round."""

    client: Registration
    codes: list[str]

    async def __call__(self, sender: Sender) -> None:
        """Redeem one.

        Raises:
            NothingLeft: none is left.
        """
        if not self.codes:
            raise NothingLeft
        await exchange(sender, self.client, self.codes.pop())


@dataclass(slots=True)
class RotateRefreshToken:
    """Presents the refresh token of one family and keeps its successor."""

    client: Registration
    refresh_token: str = field(repr=False)

    async def __call__(self, sender: Sender) -> None:
        """Rotate once."""
        request = token_request(self.client, grant_type="refresh_token", refresh_token=self.refresh_token)
        answer = await sender.fetch(request, 200)
        self.refresh_token = orjson.loads(answer.body)["refresh_token"]


@dataclass(slots=True)
class SignIn:
    """A complete login: six requests of a browser and the exchange of the code."""

    client: Registration

    async def __call__(self, sender: Sender) -> None:
        """Sign in and get tokens."""
        _, authorization_code = await sign_in(sender, self.client)
        await exchange(sender, self.client, authorization_code)


async def tokens_of_session(sender: Sender, client: Registration, session: str) -> dict[str, Any]:
    """Get tokens through a signed-in browser, two requests."""
    codes: list[str] = []
    await Authorize(get(authorization_target(client), cookie=session), codes)(sender)
    return await exchange(sender, client, codes.pop())
