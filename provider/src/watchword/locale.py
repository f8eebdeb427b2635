"""The languages Watchword speaks: which one a person gets, and the texts in it.

Texts live in `locales/<language>.toml`, one table per area, so a key reads `section.name`. A value is a string, or a
table of plural forms (`one`, `other`) chosen by the value named `count`. English is the source: a text another language
lacks is shown in English.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal

SOURCE_LANGUAGE: Final = "en"

_RIGHT_TO_LEFT: Final = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})
_ZERO_IS_SINGULAR: Final = frozenset({"am", "as", "bn", "fa", "gu", "hi", "kn", "zu"})
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_LANGUAGE_RANGE: Final = re.compile(
    r"(?P<tag>[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)(?:\s*;\s*q=(?P<q>[01](?:\.\d{0,3})?))?"
)
_LONGEST_HEADER: Final = 512

Text = str | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of one language.

    Attributes:
        locale: the language's tag (BCP 47), as `<html lang>` wants it.
        texts: key to text, or to plural forms; complete, because the source language fills what was missing.
    """

    locale: str
    texts: Mapping[str, Text]

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """The direction of the script, as `<html dir>` wants it."""
        return "rtl" if self.locale.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"

    def text(self, key: str, **values: object) -> str:
        """The text for `key`, its `{placeholders}` filled from `values`.

        Values are inserted as they are: nothing in them is read as a placeholder, and nothing is escaped for HTML.

        Raises:
            KeyError: there is no such text, or a placeholder has no value. Both are mistakes of the caller.
        """
        found = self.texts[key]
        template = found if isinstance(found, str) else found[self._plural_form(values["count"])]
        return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), template)

    def _plural_form(self, count: object) -> str:
        """CLDR's cardinal rules, as far as the languages we ship need them."""
        singular = (0, 1) if self.locale.partition("-")[0] in _ZERO_IS_SINGULAR else (1,)
        return "one" if count in singular else "other"


@cache
def load_catalogues() -> Mapping[str, Catalogue]:
    """Every language in the package, by tag, the source language first. Read from disk once."""
    source = _read_texts(SOURCE_LANGUAGE)
    tags = [SOURCE_LANGUAGE, *sorted(set(_languages_in_package()) - {SOURCE_LANGUAGE})]
    return MappingProxyType({tag: Catalogue(tag, MappingProxyType({**source, **_read_texts(tag)})) for tag in tags})


def choose_locale(
    ui_locales: str | None, accept_language: str | None, supported: Iterable[str], default: str = SOURCE_LANGUAGE
) -> str:
    """The supported language a person most likely reads.

    What the client asked for (`ui_locales`, space-separated, OpenID Connect Core section 3.1.2.1) wins over the
    browser's `Accept-Language` (RFC 9110 section 12.5.4); a tag is shortened from its end until it matches (RFC 4647
    section 3.4). Anything malformed is skipped, and nothing is ever refused: the answer is then `default`.
    """
    return _choose(
        (ui_locales or "")[:_LONGEST_HEADER], (accept_language or "")[:_LONGEST_HEADER], tuple(supported), default
    )


@lru_cache(maxsize=512)
def _choose(ui_locales: str, accept_language: str, supported: tuple[str, ...], default: str) -> str:
    by_tag = {tag.lower(): tag for tag in supported}
    wanted = ui_locales.split() + _by_preference(accept_language)
    for tag in wanted:
        for candidate in _shortened(tag.lower()):
            if candidate in by_tag:
                return by_tag[candidate]
    return default


def _by_preference(accept_language: str) -> list[str]:
    """The tags of the header, the most wanted first; those with `q=0` are unwanted and left out."""
    ranges = (_LANGUAGE_RANGE.fullmatch(part.strip()) for part in accept_language.split(","))
    weighted = [(float(found["q"] or 1), found["tag"]) for found in ranges if found]
    return [tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0]


def _shortened(tag: str) -> Iterator[str]:
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]


def _languages_in_package() -> Iterator[str]:
    for entry in files("watchword").joinpath("locales").iterdir():
        if entry.name.endswith(".toml"):
            yield entry.name.removesuffix(".toml")


def _read_texts(tag: str) -> Mapping[str, Text]:
    source = files("watchword").joinpath("locales", f"{tag}.toml").read_text("utf-8")
    sections: dict[str, dict[str, Any]] = tomllib.loads(source)
    return MappingProxyType(
        {f"{section}.{name}": text for section, texts in sections.items() for name, text in texts.items()}
    )
