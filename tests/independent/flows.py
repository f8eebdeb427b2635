"""What every relying party in JavaScript has to find, whichever library it is made with."""

from collections.abc import Awaitable, Callable
from typing import Any

Play = Callable[..., Awaitable[dict[str, Any]]]

ADDRESS = "dara@example.com"
GOODBYE = "https://app.example.com/"
# Each algorithm that both libraries know; EdDSA is the older name of Ed25519.
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
KEYS = ("RS256", "PS256", "ES256", "Ed25519")


def refused(error: str, status: int = 400) -> dict[str, Any]:
    """What a library throws when an endpoint answers with an OAuth error."""
    return {"type": "ResponseBodyError", "code": "OAUTH_RESPONSE_BODY_ERROR", "error": error, "status": status}


def redirected(error: str) -> dict[str, Any]:
    """What a library throws when the authorization response is an error."""
    return {"type": "AuthorizationResponseError", "code": "OAUTH_AUTHORIZATION_RESPONSE_ERROR", "error": error}


# The code of what a library throws when a token is no longer good.
CHALLENGED = "OAUTH_WWW_AUTHENTICATE_CHALLENGE"


async def check_everyday(play: Play, method: str) -> None:
    """It signs in, asks who it is, refreshes, signs out, and finds its refresh token over."""
    result = await play("everyday", method=method)
    assert result["profile"]["email"] == ADDRESS
    assert result["landed"] == f"{GOODBYE}?state=bye"
    assert result["after"] == refused("invalid_grant")


async def check_signed(play: Play, algorithm: str) -> dict[str, Any]:
    """Its ID token and its userinfo are signed as it registered; returns what it found."""
    result = await play("signed", algorithm=algorithm)
    assert result["algorithm"] == algorithm
    assert result["profile"]["email"] == ADDRESS
    return result


async def check_private_key_jwt(play: Play, algorithm: str) -> None:
    """Its key opens every endpoint that authenticates clients; another's opens none."""
    result = await play("private_key_jwt", algorithm=algorithm)
    assert result["forged"] == refused("invalid_client", 401)
    assert result["asked"]["active"] is True
    assert result["profile"]["code"] == CHALLENGED


async def check_revocation(play: Play) -> None:
    """An access token is revoked alone; a refresh token takes its grant along; nonsense is no error."""
    result = await play("revocation_and_introspection")
    assert result["before"]["active"] is True
    assert result["after"] == {"active": False}
    assert result["deadAccess"]["code"] == CHALLENGED
    assert result["deadRefresh"] == refused("invalid_grant")


async def check_claims(play: Play) -> None:
    """Each claim comes where it was asked for, though the scope is `openid` alone."""
    result = await play("claims_parameter")
    assert result["profile"]["name"] == "Dara Okafor"
    assert "email" not in result["profile"]
    assert result["claims"]["email"] == ADDRESS
    assert "name" not in result["claims"]
    assert result["claims"]["auth_time"]


async def check_form_post(play: Play) -> None:
    """The answer comes as a form, and so does an error, with the state."""
    result = await play("form_post")
    assert result["method"] == "POST"
    assert result["url"] == "https://app.example.com/callback"
    assert result["refused"] == redirected("login_required")
    assert result["profile"]["email"] == ADDRESS


async def check_silence(play: Play) -> None:
    """`prompt=none` asks nobody: an error before the login, the same sign-in after it."""
    assert (await play("silence"))["refused"] == redirected("login_required")


async def check_cancelling(play: Play) -> None:
    """A person who would rather not sign in is an error like any other."""
    assert (await play("cancelled"))["refused"] == redirected("access_denied")
