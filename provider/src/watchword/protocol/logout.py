"""Logout: what a relying party may ask for (RP-Initiated Logout 1.0), and how clients are told that a session is over.

They are told by a signed token (Back-Channel Logout 1.0) or by being loaded in the browser (Front-Channel Logout 1.0).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from watchword.protocol.authorization_response import with_query
from watchword.protocol.client import Client
from watchword.protocol.errors import DisplayedError
from watchword.protocol.parameters import Parameters

TOKEN_TYPE: Final = "logout+jwt"  # noqa: S105 - a name, no password
TOKEN_LIFETIME: Final = timedelta(minutes=2)
_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A checked request. `hint` holds the claims of a verified ID token, when one was sent."""

    client: Client | None
    post_logout_redirect_uri: str | None
    state: str | None
    hint: Mapping[str, Any] | None

    @property
    def return_location(self) -> str | None:
        """Where the relying party wants the browser back, with its state; None when it did not say."""
        if self.post_logout_redirect_uri is None or self.state is None:
            return self.post_logout_redirect_uri
        return with_query(self.post_logout_redirect_uri, [("state", self.state)])

    def names_session(self, session_id: str | None, subject: str | None) -> bool:
        """Say whether the hint is about this very session, so that the person need not be asked (section 6).

        `subject` is the `sub` by which the hint's client knows the account of the session.
        """
        if self.hint is None or session_id is None:
            return False
        return self.hint.get("sub") == subject and self.hint.get("sid", session_id) == session_id


@dataclass(frozen=True, slots=True)
class Participant:
    """A client that took part in a session and registered how it is told of the end, in one way or both."""

    client_id: str
    name: str
    backchannel_logout_uri: str | None
    frontchannel_logout_uri: str | None

    def frame(self, *, issuer: str, session_id: UUID) -> str | None:
        """Return the address whose loading tells it (Front-Channel Logout 1.0 section 3); None without one.

        It always names issuer and session: a client that compares them cannot be signed out by anybody's link.
        """
        if self.frontchannel_logout_uri is None:
            return None
        return with_query(self.frontchannel_logout_uri, [("iss", issuer), ("sid", str(session_id))])


def logout_token_claims(
    *, issuer: str, client_id: str, subject: UUID | str, session_id: UUID | str, jti: str, now: datetime
) -> dict[str, Any]:
    """Return the claims of a logout token (Back-Channel Logout 1.0 section 2.4). There is never a `nonce`."""
    issued_at = int(now.timestamp())
    return {
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "iat": issued_at,
        "exp": issued_at + int(TOKEN_LIFETIME.total_seconds()),
        "jti": jti,
        "sid": session_id,
        "events": {_EVENT: {}},
    }


def parse_logout_request(
    parameters: Parameters, *, client: Client | None, hint: Mapping[str, Any] | None
) -> LogoutRequest:
    """Check where the browser may go afterwards (section 3).

    Raises:
        DisplayedError: the redirect URI is not registered, or nothing trusted says for which client.
    """
    if parameters.duplicates:
        raise DisplayedError("invalid_request", detail="a parameter given twice")
    redirect_uri = parameters.get("post_logout_redirect_uri")
    if hint is not None and "client_id" in parameters and parameters["client_id"] != hint.get("aud"):
        raise DisplayedError("invalid_request", detail="client_id is not the audience of id_token_hint")
    if redirect_uri is not None and client is None:
        said = hint is not None or bool(parameters.get("client_id"))
        raise DisplayedError("unknown_client" if said else "id_token_hint_missing", detail="no client to return to")
    if redirect_uri is not None and client is not None and redirect_uri not in client.post_logout_redirect_uris:
        raise DisplayedError("redirect_uri_mismatch", detail="post_logout_redirect_uri is not registered")
    return LogoutRequest(client, redirect_uri, parameters.get("state"), hint)
