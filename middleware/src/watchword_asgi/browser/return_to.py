"""Where a person goes after signing in: a path of this app, never another site."""

import re
from urllib.parse import urlsplit

_SAFE = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")  # printable ASCII without white space or a backslash
_LONGEST = 2000


def safe_return_to(text: str | None, *, never_below: str) -> str:
    """Return the text when it is a plain path (with query) of this app, else `/`.

    Args:
        text: what the caller sent; absolute addresses, `//host`, backslashes, control characters, non-ASCII text,
            user info and fragments are all refused.
        never_below: a path prefix to keep out of, since a login must not lead back to the login.
    """
    if not text or len(text) > _LONGEST or not _SAFE.fullmatch(text):
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    again = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if parts.scheme or parts.netloc or parts.fragment or again != text.removesuffix("?"):
        return "/"
    if parts.path == never_below or parts.path.startswith(never_below + "/"):
        return "/"
    return text
