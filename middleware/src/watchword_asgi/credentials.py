"""The bearer token of a request (RFC 6750 section 2.1). A token in the query or the body is never looked at."""

from collections.abc import Iterable

from .errors import Reason, Refused

_TOKEN_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="


def read_bearer(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the token, or None where there is none or the credentials are of another scheme.

    Raises:
        Refused: several Authorization headers, or a malformed one.
    """
    found: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            if found is not None:
                raise Refused(Reason.SEVERAL_CREDENTIALS)
            found = value
    if found is None:
        return None
    scheme, _, rest = found.partition(b" ")
    if scheme.lower() != b"bearer":
        if scheme[:7].lower() == b"bearer\t":
            raise Refused(Reason.MALFORMED_CREDENTIALS)
        return None
    token = rest.strip(b" ")
    if not token or token.translate(None, _TOKEN_CHARACTERS):  # something is left once all that is allowed is deleted
        raise Refused(Reason.MALFORMED_CREDENTIALS)
    return token.decode("ascii")
