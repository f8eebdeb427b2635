"""Cookies: read, written, cut into pieces when one is too small."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..asgi import Headers

_LARGEST_COOKIE = 3900  # bytes of name, value and attributes; browsers stop at 4096
_MOST_PIECES = 5
_LONGEST_HEADER = 65536
_COUNTED = re.compile(r"([1-5])\.(.+)")


class TooLargeForCookies(Exception):
    """The value does not fit into five cookies."""


def parse_cookies(headers: Headers) -> dict[str, str]:
    """The request's cookies. Where a name comes twice the first counts, the one with the longer path (RFC 6265)."""
    found: dict[str, str] = {}
    for name, value in headers:
        if name == b"cookie" and len(value) <= _LONGEST_HEADER:
            for pair in value.decode("latin-1").split(";"):
                key, separator, text = pair.strip().partition("=")
                if separator:
                    found.setdefault(key, text)
    return found


@dataclass(frozen=True, slots=True)
class CookieNames:
    """How cookies of one browser login are named and guarded.

    Over https a name with `__Host-` cannot be set by another host or over http. On http localhost browsers drop Secure
    cookies, so the name is plain there. The client's mark keeps two apps on two ports of one host apart.
    """

    secure: bool
    mark: str

    @property
    def session(self) -> str:
        """The session cookie, and the first of its pieces."""
        return self._name("session")

    @property
    def transactions(self) -> str:
        """What the names of all login transactions start with."""
        return self._name("login_")

    def _name(self, what: str) -> str:
        return f"{'__Host-' if self.secure else ''}watchword_{self.mark}_{what}"

    def write(self, name: str, value: str, *, seconds: int) -> tuple[bytes, bytes]:
        """A Set-Cookie header. 0 seconds remove the cookie."""
        secure = "; Secure" if self.secure else ""
        text = f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        return (b"set-cookie", text.encode("ascii"))

    def write_pieces(
        self, name: str, value: str, *, seconds: int, sent: Mapping[str, str]
    ) -> list[tuple[bytes, bytes]]:
        """Set-Cookie headers for a value of any size, and removals of pieces that are left over from before.

        Raises:
            TooLargeForCookies: more than five pieces.
        """
        room = _LARGEST_COOKIE - len(self.write(f"{name}_4", "", seconds=seconds)[1]) - len("5.")
        pieces = [value[start : start + room] for start in range(0, len(value), room)]
        if len(pieces) > _MOST_PIECES:
            raise TooLargeForCookies
        # The first piece says how many there are: with one missing, there is no session rather than half of one.
        pieces[0] = f"{len(pieces)}.{pieces[0]}"
        names = _piece_names(name)
        written = [self.write(each, piece, seconds=seconds) for each, piece in zip(names, pieces, strict=False)]
        return written + [self.write(each, "", seconds=0) for each in names[len(pieces) :] if each in sent]

    def remove_pieces(self, name: str, *, sent: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        """Set-Cookie headers that remove every piece the browser sent."""
        return [self.write(each, "", seconds=0) for each in _piece_names(name) if each in sent]


def read_pieces(name: str, sent: Mapping[str, str]) -> str | None:
    """Put the pieces together again; None when there are none or one is missing."""
    first = _COUNTED.fullmatch(sent.get(name, ""))
    if first is None:
        return None
    names = _piece_names(name)[1 : int(first[1])]
    if any(each not in sent for each in names):
        return None
    return first[2] + "".join(sent[each] for each in names)


def _piece_names(name: str) -> list[str]:
    return [name, *(f"{name}_{number}" for number in range(1, _MOST_PIECES))]
