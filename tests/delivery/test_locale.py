"""The catalogues and the choice among them."""

import re
import tomllib
from importlib.resources import files
from itertools import chain

import pytest

from watchword.locale import SOURCE_LANGUAGE, Catalogue, choose_locale, load_catalogues

LANGUAGES = sorted(load_catalogues())
PLACEHOLDER = re.compile(r"\{([^}]*)\}")


def _texts(language: str) -> dict[str, dict[str, str]]:
    """Key to plural forms, as the file itself says; a text without any has the one form `text`."""
    sections = tomllib.loads(files("watchword").joinpath("locales", f"{language}.toml").read_text("utf-8"))
    return {
        f"{section}.{name}": {"text": text} if isinstance(text, str) else text
        for section, texts in sections.items()
        for name, text in texts.items()
    }


def test_english_and_hindi_are_there_and_english_comes_first() -> None:
    assert next(iter(load_catalogues())) == SOURCE_LANGUAGE == "en"
    assert {"en", "hi"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts_in_the_same_forms(language: str) -> None:
    source, other = _texts("en"), _texts(language)
    assert {key: set(forms) for key, forms in other.items()} == {key: set(forms) for key, forms in source.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_fills_in_the_same_values(language: str) -> None:
    source, other = _texts("en"), _texts(language)
    for key, forms in other.items():
        for form, text in forms.items():
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(source[key][form])), (key, form)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_placeholder_is_a_name_that_can_be_filled(language: str) -> None:
    for key, forms in _texts(language).items():
        assert set(forms) in ({"text"}, {"one", "other"}), key
        for name in chain.from_iterable(PLACEHOLDER.findall(text) for text in forms.values()):
            assert re.fullmatch(r"[a-z_]+", name), key


def test_a_text_that_a_language_lacks_is_shown_in_english() -> None:
    for key in _texts("en"):
        assert key in load_catalogues()["hi"].texts


CATALOGUE = Catalogue(
    "en", {"a.hello": "Hello {name}", "a.left": {"one": "{count} try left", "other": "{count} tries left"}}
)


def test_values_are_inserted_and_never_read_as_placeholders() -> None:
    assert CATALOGUE.text("a.hello", name="{name} {0.__class__} \\1") == "Hello {name} {0.__class__} \\1"


def test_a_missing_text_or_value_is_a_mistake_that_shows() -> None:
    with pytest.raises(KeyError):
        CATALOGUE.text("a.unknown")
    with pytest.raises(KeyError):
        CATALOGUE.text("a.hello")
    with pytest.raises(KeyError):
        CATALOGUE.text("a.left")


@pytest.mark.parametrize(
    ("locale", "count", "text"),
    [("en", 0, "0 tries left"), ("en", 1, "1 try left"), ("en", 2, "2 tries left"), ("hi", 0, "0 try left")],
)
def test_a_number_chooses_the_plural_form(locale: str, count: int, text: str) -> None:
    assert Catalogue(locale, CATALOGUE.texts).text("a.left", count=count) == text


@pytest.mark.parametrize(("locale", "direction"), [("en", "ltr"), ("hi", "ltr"), ("ur", "rtl"), ("ar-EG", "rtl")])
def test_the_direction_follows_the_script(locale: str, direction: str) -> None:
    assert Catalogue(locale, {}).direction == direction


@pytest.mark.parametrize(
    ("ui_locales", "accept_language", "chosen"),
    [
        (None, None, "en"),
        ("", "", "en"),
        ("hi", None, "hi"),
        ("hi", "en", "hi"),
        ("ta hi en", "en", "hi"),
        ("ta", "hi", "hi"),
        ("HI-in", None, "hi"),
        (None, "hi-Deva-IN", "hi"),
        (None, "hi-IN,hi;q=0.9,en;q=0.8", "hi"),
        (None, "en;q=0.4, hi;q=0.7", "hi"),
        (None, "hi;q=0, en;q=0.1", "en"),
        (None, "hi;q=0", "en"),
        (None, "fr, de;q=0.9", "en"),
        (None, "fr, hi;q=0.001", "hi"),
        (None, "*", "en"),
        (None, "hi;q=high, en", "en"),
        (None, ";;,,=;q", "en"),
        (None, "हिन्दी, hi", "hi"),
        ("hindi", None, "en"),
        (None, "x," * 100_000 + "hi", "en"),
        ("x " * 100_000 + "hi", None, "en"),
    ],
)
def test_the_language_is_the_first_we_have_of_those_wanted(
    ui_locales: str | None, accept_language: str | None, chosen: str
) -> None:
    assert choose_locale(ui_locales, accept_language, ["en", "hi"], "en") == chosen


def test_the_operators_default_is_taken_when_nothing_fits() -> None:
    assert choose_locale("ta", "fr", ["en", "hi"], "hi") == "hi"
