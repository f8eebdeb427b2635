"""Reading one member of the metadata: a value of the right type, or a refusal that names the member."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import SplitResult

from watchword.protocol.errors import InvalidClientMetadata
from watchword.protocol.uris import LONGEST_URI, has_plain_host, is_loopback, split_uri
from watchword.protocol.vocabulary import SIGNING_ALGORITHMS, SigningAlgorithm

Choice = TypeVar("Choice", bound=str)
Document = Mapping[str, Any]

_MOST_WORDS = 50
_LONGEST_WORD = 255
# Letters and symbols that show nothing: a name of them alone would leave a gap in a page.
_INVISIBLE = " \u115f\u1160\u2800\u3164\uffa0"


def text(document: Document, name: str, longest: int) -> str | None:
    """Read printable text; one that shows nothing counts as left out.

    Raises:
        InvalidClientMetadata: it is no such text.
    """
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise InvalidClientMetadata(f"{name} must be printable text of at most {longest} characters.")
    return value if value.strip(_INVISIBLE) else None


def strings(document: Document, name: str) -> tuple[str, ...]:
    """Read an array of strings, each once; what they hold is not checked.

    Raises:
        InvalidClientMetadata: it is no array of strings.
    """
    value = document.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidClientMetadata(f"{name} must be an array of strings.")
    return tuple(dict.fromkeys(value))


def words(document: Document, name: str) -> tuple[str, ...]:
    """Read an array of short printable texts.

    Raises:
        InvalidClientMetadata: it is no such array.
    """
    values = strings(document, name)
    if len(values) > _MOST_WORDS or not all(0 < len(v) <= _LONGEST_WORD and v.isprintable() for v in values):
        raise InvalidClientMetadata(
            f"{name} must hold at most {_MOST_WORDS} printable texts of at most {_LONGEST_WORD} characters."
        )
    return values


def choice(document: Document, name: str, allowed: tuple[Choice, ...], default: Choice) -> Choice:
    """Read one of a few words.

    Raises:
        InvalidClientMetadata: it is another one.
    """
    value = document.get(name)
    if value is None:
        return default
    if value not in allowed:
        raise InvalidClientMetadata(f"{name} must be one of {', '.join(allowed)}.")
    return allowed[allowed.index(value)]


def algorithm(document: Document, name: str) -> SigningAlgorithm | None:
    """Read the name of a signing algorithm. `none` is none: it would ask for what nobody signed.

    Raises:
        InvalidClientMetadata: it is none that we have.
    """
    return None if document.get(name) is None else choice(document, name, SIGNING_ALGORITHMS, "RS256")


def flag(document: Document, name: str) -> bool:
    """Read a boolean that is false when left out.

    Raises:
        InvalidClientMetadata: it is no boolean.
    """
    value = document.get(name)
    if value is None or isinstance(value, bool):
        return value is True
    raise InvalidClientMetadata(f"{name} must be true or false.")


def seconds(document: Document, name: str) -> int | None:
    """Read a number of seconds.

    Raises:
        InvalidClientMetadata: it is no whole number, negative, or beyond thirty years.
    """
    value = document.get(name)
    if value is not None and (type(value) is not int or not 0 <= value < 10**9):
        raise InvalidClientMetadata(f"{name} must be a number of seconds.")
    return value


def web_page(document: Document, name: str) -> str | None:
    """Read the URL of a page or picture for people: https, or http on loopback.

    Raises:
        InvalidClientMetadata: it is none.
    """
    value = text(document, name, LONGEST_URI)
    if value is None:
        return None
    parts = _web_parts(value, name)
    if parts.scheme != "https" and not is_loopback(parts):
        raise _no_https(name)
    return value


def web_address(document: Document, name: str, *, loopback: bool = True) -> str | None:
    """Read a URL that a program calls: https and no fragment. `loopback`: plain http is fine there.

    Whether the address may be fetched is decided when it is.

    Raises:
        InvalidClientMetadata: it is none.
    """
    value = text(document, name, LONGEST_URI)
    if value is None:
        return None
    parts = _web_parts(value, name)
    if "#" in value:
        raise InvalidClientMetadata(f"{name} may hold no fragment.")
    if parts.scheme != "https" and not (loopback and is_loopback(parts)):
        raise _no_https(name)
    return value


def _web_parts(value: str, name: str) -> SplitResult:
    try:
        parts = split_uri(value)
    except ValueError:
        raise _no_https(name) from None
    if not has_plain_host(parts):
        raise _no_https(name)
    return parts


def _no_https(name: str) -> InvalidClientMetadata:
    return InvalidClientMetadata(f"{name} must be an https URL with a plain host.")
