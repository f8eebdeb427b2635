"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchword.protocol.authorization_response import with_query
from watchword.protocol.client import Client
from watchword.protocol.errors import DisplayedError
from watchword.protocol.parameters import Parameters


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

    def names_session(self, session_id: str | None, account_id: str | None) -> bool:
        """Say whether the hint is about this very session, so that the person need not be asked (section 6)."""
        if self.hint is None or session_id is None:
            return False
        return self.hint.get("sub") == account_id and self.hint.get("sid", session_id) == session_id


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
    if redirect_uri is not None and (client is None or redirect_uri not in client.post_logout_redirect_uris):
        raise DisplayedError("redirect_uri_mismatch", detail="post_logout_redirect_uri is not registered")
    return LogoutRequest(client, redirect_uri, parameters.get("state"), hint)
