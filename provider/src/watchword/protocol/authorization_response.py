"""The authorization response: parameters, and the redirect URI with them in its query (RFC 6749 section 4.1.2).

With `response_mode=form_post` the same parameters are the fields of a form (OAuth 2.0 Form Post Response Mode).
"""

from urllib.parse import urlencode

from watchword.protocol.authorization_request import Target
from watchword.protocol.errors import ProtocolError

Answered = list[tuple[str, str]]


def success(target: Target, *, authorization_code: str, issuer: str) -> Answered:
    """Return the parameters that hand over an authorization code."""
    return _answered(target, [("code", authorization_code)], issuer)


def refusal(target: Target, error: ProtocolError, *, issuer: str) -> Answered:
    """Return the parameters that tell an error."""
    return _answered(target, [("error", error.error), ("error_description", error.description)], issuer)


def location(target: Target, answered: Answered) -> str:
    """Return where to send the browser with an answer in the query."""
    return with_query(target.redirect_uri, answered)


def _answered(target: Target, answer: Answered, issuer: str) -> Answered:
    if target.state is not None:
        answer.append(("state", target.state))
    answer.append(("iss", issuer))  # RFC 9207 section 2: in every answer, errors too
    return answer


def with_query(uri: str, pairs: Answered) -> str:
    """Append parameters to a URI, keeping the query it has (RFC 6749 section 3.1.2)."""
    return uri + ("&" if "?" in uri else "?") + urlencode(pairs)
