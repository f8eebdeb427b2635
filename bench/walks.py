"""What relying parties do at any provider, each step one prepared request."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson

from bench.contender import REDIRECT_URI, Contender, Registration, SignedIn
from bench.load import Answer, NothingLeft, Operation, Sender, connect
from bench.requests import post_form

_VERIFIER = secrets.token_urlsafe(32)
_CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()
_nonces = count(1)


def authorization_target(path: str, client: Registration) -> str:
    """Return an authorization request with PKCE, state and a new nonce."""
    parameters = {
        "client_id": client.client_id,
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "openid email",
        "state": "bench-state",
        "nonce": f"bench-nonce-{next(_nonces)}",
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"{path}?{urlencode(parameters)}"


def token_request(contender: Contender, client: Registration, *, address: str = "", **form: str) -> bytes:
    """Return a token request. `address` is whom a proxy in front would name."""
    return post_form(contender.host, contender.routes.token, form, client=client, address=address)


async def exchange(
    sender: Sender, contender: Contender, client: Registration, authorization_code: str, *, address: str = ""
) -> dict[str, Any]:
    """Exchange an authorization code, one request; returns the token response."""
    request = token_request(
        contender,
        client,
        address=address,
        grant_type="authorization_code",
        code=authorization_code,
        redirect_uri=REDIRECT_URI,
        code_verifier=_VERIFIER,
    )
    tokens: dict[str, Any] = orjson.loads((await sender.fetch(request, 200)).body)
    return tokens


async def sign_in(contender: Contender, client: Registration) -> tuple[SignedIn, dict[str, Any]]:
    """Sign the next person in on a connection of its own; returns how it ended and the token response."""
    connection = await connect(contender.server)
    try:
        signed_in = await contender.sign_in(connection, client)
        return signed_in, await _exchange_of(connection, contender, client, signed_in)
    finally:
        connection.close()


async def _exchange_of(
    sender: Sender, contender: Contender, client: Registration, signed_in: SignedIn
) -> dict[str, Any]:
    """Exchange the code of a login from where the login came: as many relying parties as people."""
    return await exchange(sender, contender, client, signed_in.authorization_code, address=signed_in.address)


def code_of(answer: Answer) -> str:
    """Return the authorization code that a redirect carries."""
    return parse_qs(urlsplit(answer.header(b"location").decode()).query)["code"][0]


@dataclass(slots=True)
class SameRequest:
    """One request, again and again."""

    request: bytes

    async def __call__(self, sender: Sender) -> float:
        """Send it."""
        await sender.fetch(self.request, 200)
        return 0.0


@dataclass(slots=True)
class Authorize:
    """An authorization request of a signed-in browser; the codes are kept for `ExchangeCode`."""

    request: bytes
    codes: list[str]

    async def __call__(self, sender: Sender) -> float:
        """Get one code."""
        self.codes.append(code_of(await sender.fetch(self.request, 303)))
        return 0.0


@dataclass(slots=True)
class ExchangeCode:
    """Redeems codes that were asked for before the round."""

    contender: Contender
    client: Registration
    codes: list[str]

    async def __call__(self, sender: Sender) -> float:
        """Redeem one.

        Raises:
            NothingLeft: none is left.
        """
        if not self.codes:
            raise NothingLeft
        await exchange(sender, self.contender, self.client, self.codes.pop())
        return 0.0


@dataclass(slots=True)
class RotateRefreshToken:
    """Presents the refresh token of one family and keeps its successor."""

    contender: Contender
    client: Registration
    refresh_token: str = field(repr=False)

    async def __call__(self, sender: Sender) -> float:
        """Rotate once."""
        form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        answer = await sender.fetch(token_request(self.contender, self.client, **form), 200)
        self.refresh_token = orjson.loads(answer.body)["refresh_token"]
        return 0.0


@dataclass(slots=True)
class SignIn:
    """A complete login: an empty cookie jar to tokens."""

    contender: Contender
    client: Registration

    async def __call__(self, sender: Sender) -> float:
        """Sign in and get tokens."""
        signed_in = await self.contender.sign_in(sender, self.client)
        await _exchange_of(sender, self.contender, self.client, signed_in)
        return signed_in.waited


@dataclass(slots=True)
class AtMost:
    """An operation that connections share so many times; then the round ends."""

    times: int
    operation: Operation

    async def __call__(self, sender: Sender) -> float:
        """Do it once more.

        Raises:
            NothingLeft: it was done that often.
        """
        if self.times == 0:
            raise NothingLeft
        self.times -= 1
        return await self.operation(sender)
