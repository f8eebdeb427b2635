"""The bearer token of a request's Authorization header (RFC 6750 section 2.1)."""

from watchword.protocol.errors import InvalidRequest, MissingToken
from watchword.web.exchange import Exchange


def bearer_token(exchange: Exchange) -> str:
    """Return the token of the header. Whose it is and whether it is good is not checked.

    Raises:
        MissingToken: there is none, or credentials of another scheme.
        InvalidRequest: there are several headers.
    """
    headers = exchange.headers.getlist("authorization")
    if len(headers) > 1:
        raise InvalidRequest("Send one Authorization header.")
    scheme, _, token = headers[0].partition(" ") if headers else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise MissingToken("Send the token as Bearer, in the Authorization header.")
    return token.strip()
