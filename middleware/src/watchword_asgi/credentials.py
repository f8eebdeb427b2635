"""The bearer token of a request (RFC 6750 section 2.1). A token in the query or the body is never looked at."""

import re
from collections.abc import Iterable

from .errors import Reason, Refused

_BEARER = re.compile(rb"bearer +([A-Za-z0-9\-._~+/]+=*) *", re.IGNORECASE)


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
    token = _BEARER.fullmatch(found)
    if token is not None:
        return token[1].decode("ascii")
    if found[:6].lower() == b"bearer" and found[6:7] in (b"", b" ", b"\t"):
        raise Refused(Reason.MALFORMED_CREDENTIALS)
    return None
