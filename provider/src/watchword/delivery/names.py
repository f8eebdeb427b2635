"""Names that others chose (clients, brands, browsers), made fit for a message a person trusts."""

import re
import unicodedata
from typing import Final

_URL: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*:[/\\]{1,}|\bwww\.)\S*", re.IGNORECASE)
_DOT_INSIDE_A_WORD: Final = re.compile(r"\.(?=\S)")
_PUNCTUATION: Final = frozenset("-.,'&()!+")
_PLAIN_TWIN: Final = str.maketrans({"\u2018": "'", "\u2019": "'", "\u2010": "-", "\u2013": "-", "\u2014": "-"})
_INVISIBLE_LETTERS: Final = frozenset("\u115f\u1160\u17b4\u17b5\u3164\u034f")


def plain_name(name: str, *, limit: int = 40) -> str:
    """What is left of a name when everything that could act is gone; possibly nothing.

    Kept are letters, marks and digits of any script, single spaces and `-.,'&()!+`. URLs are dropped whole, and a dot
    inside a word becomes a space, so that no reader's software makes a link of `evil.example`. Bidirectional and
    invisible characters vanish; line breaks, control characters, messengers' markup and braces become spaces.

    Not checked: whether the name pretends to be another's, or is a sentence, or holds digits that look like a code.

    Args:
        name: whatever somebody registered.
        limit: the most characters that are kept.
    """
    folded = unicodedata.normalize("NFKC", name[: limit * 20]).translate(_PLAIN_TWIN)
    visible = "".join(character for character in folded if not _is_invisible(character))
    without_links = _DOT_INSIDE_A_WORD.sub(" ", _URL.sub(" ", visible))
    allowed = "".join(character if _is_allowed(character) else " " for character in without_links)
    return " ".join(allowed.split())[:limit].rstrip()


def _is_invisible(character: str) -> bool:
    """Bidirectional controls, joiners, fillers, variation selectors: they would hide what stands between them."""
    return (
        unicodedata.category(character) == "Cf"
        or character in _INVISIBLE_LETTERS
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


def _is_allowed(character: str) -> bool:
    return character in _PUNCTUATION or unicodedata.category(character)[0] in "LMN"
