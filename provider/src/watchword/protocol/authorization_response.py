"""The authorization response: a redirect URI with the answer in its query (RFC 6749 section 4.1.2, RFC 9207)."""

from urllib.parse import urlencode

from watchword.protocol.authorization_request import Target
from watchword.protocol.errors import ProtocolError


def success_location(target: Target, *, authorization_code: str, issuer: str) -> str:
    """Return where to send the browser with an authorization code."""
    return _location(target, [("code", authorization_code)], issuer)


def error_location(target: Target, error: ProtocolError, *, issuer: str) -> str:
    """Return where to send the browser with an error."""
    return _location(target, [("error", error.error), ("error_description", error.description)], issuer)


def _location(target: Target, answer: list[tuple[str, str]], issuer: str) -> str:
    if target.state is not None:
        answer.append(("state", target.state))
    answer.append(("iss", issuer))  # RFC 9207 section 2: in every answer, errors too
    return with_query(target.redirect_uri, answer)


def with_query(uri: str, pairs: list[tuple[str, str]]) -> str:
    """Append parameters to a URI, keeping the query it has (RFC 6749 section 3.1.2)."""
    return uri + ("&" if "?" in uri else "?") + urlencode(pairs)
