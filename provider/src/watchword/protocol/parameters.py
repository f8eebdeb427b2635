"""Parameters of a query or a form, read strictly: bounded, UTF-8, each name once."""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from watchword.protocol.errors import InvalidRequest

MAX_PARAMETERS = 64
# RFC 8707 section 2: the one parameter that may stand several times.
_REPEATABLE = frozenset({"resource"})


class Parameters(Mapping[str, str]):
    """Names to values. A parameter without a value counts as absent (RFC 6749 section 3.1)."""

    __slots__ = ("_values", "duplicates", "resources")

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        seen: set[str] = set()
        duplicates: set[str] = set()
        for name, value in pairs:
            if name in seen and name not in _REPEATABLE:
                duplicates.add(name)
            seen.add(name)
            if value:
                self._values[name] = value
        self.duplicates = frozenset(duplicates)
        self.resources = tuple(dict.fromkeys(value for name, value in pairs if name == "resource" and value))

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        """Show names alone: values may be secrets."""
        return f"Parameters({sorted(self._values)})"

    def required(self, name: str) -> str:
        """Return a value that must be there.

        Raises:
            InvalidRequest: it is not.
        """
        value = self._values.get(name)
        if value is None:
            raise InvalidRequest(f"The parameter {name} is missing.")
        return value

    def pairs(self) -> list[tuple[str, str]]:
        """Return what was read as pairs, each resource on its own: what an interaction keeps."""
        plain = [(name, value) for name, value in self._values.items() if name not in _REPEATABLE]
        return plain + [("resource", value) for value in self.resources]

    def check_no_duplicates(self) -> None:
        """Refuse a parameter given more than once (RFC 6749 section 3.1).

        Raises:
            InvalidRequest: naming it.
        """
        if self.duplicates:
            raise InvalidRequest(f"The parameter {_printable(min(self.duplicates))} stands more than once.")


def parse_parameters(text: bytes | str) -> Parameters:
    """Read `application/x-www-form-urlencoded` text (a query or a form body).

    Duplicates are noted, not refused: `/authorize` must first learn whether it may redirect the refusal.

    Raises:
        InvalidRequest: too many parameters, bytes that are not UTF-8, or a NUL.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="strict", encoding="utf-8"
        )
    except (UnicodeDecodeError, ValueError):
        raise InvalidRequest("The parameters are not valid form data, or there are more than 64 of them.") from None
    for name, value in pairs:
        if "\x00" in name or "\x00" in value:
            raise InvalidRequest("A parameter holds a character that is not allowed.")
    return Parameters(pairs)


def _printable(name: str) -> str:
    """Reduce a name from outside to what an error description may hold (RFC 6749 appendix A.8)."""
    return "".join(c for c in name if c.isascii() and (c.isalnum() or c in "_-."))[:40]
