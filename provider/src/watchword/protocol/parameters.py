"""Parameters of a query or a form, read strictly: bounded, UTF-8, each name once."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeVar, overload
from urllib.parse import unquote

from watchword.protocol.errors import InvalidRequest

T = TypeVar("T")
MAX_PARAMETERS = 64
# RFC 8707 section 2: the one parameter that may stand several times.
_REPEATABLE = frozenset({"resource"})


class Parameters(Mapping[str, str]):
    """Names to values. A parameter without a value counts as absent (RFC 6749 section 3.1)."""

    __slots__ = ("_values", "duplicates", "resources")

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values = {name: value for name, value in pairs if value}
        self.duplicates = frozenset[str]()
        if len(self._values) < len(pairs):
            given = Counter(name for name, _ in pairs)
            self.duplicates = frozenset(name for name, times in given.items() if times > 1) - _REPEATABLE
        self.resources: tuple[str, ...] = ()
        if "resource" in self._values:
            self.resources = tuple(dict.fromkeys(value for name, value in pairs if name == "resource" and value))

    @overload
    def get(self, name: str, /) -> str | None: ...

    @overload
    def get(self, name: str, /, default: str | T) -> str | T: ...

    def get(self, name: str, /, default: object = None) -> object:
        """Return a value, or `default`. What `Mapping` brings does the same by way of an exception."""
        return self._values.get(name, default)

    def __contains__(self, name: object) -> bool:
        """Say whether there is a value of that name."""
        return name in self._values

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
        pairs = _read_pairs(text if isinstance(text, str) else text.decode("ascii"))
    except ValueError:
        raise InvalidRequest("The parameters are not valid form data, or there are more than 64 of them.") from None
    return Parameters(pairs)


def decode_component(text: str) -> str:
    """Decode one name or value of form data; most have nothing to decode.

    Raises:
        ValueError: its bytes are not UTF-8.
    """
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text, errors="strict") if "%" in text else text


def _read_pairs(text: str) -> list[tuple[str, str]]:
    """Read form data as the URL standard does (section 5.1), but strictly.

    Raises:
        ValueError: too many pairs, bytes that are not UTF-8, or a NUL.
    """
    if text.count("&") >= MAX_PARAMETERS:
        raise ValueError("too many")
    parts = [pair.partition("=") for pair in text.split("&") if pair]
    if "%" in text or "+" in text:
        pairs = [(decode_component(name), decode_component(value)) for name, _, value in parts]
    else:
        pairs = [(name, value) for name, _, value in parts]
    if "\x00" in text or ("%00" in text and any("\x00" in name or "\x00" in value for name, value in pairs)):
        raise ValueError("NUL")
    return pairs


def _printable(name: str) -> str:
    """Reduce a name from outside to what an error description may hold (RFC 6749 appendix A.8)."""
    return "".join(c for c in name if c.isascii() and (c.isalnum() or c in "_-."))[:40]
