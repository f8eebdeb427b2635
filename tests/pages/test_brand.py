"""One colour from the operator, readable in both schemes whatever it is."""

import colorsys
import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.pages.brand import (
    DARK_GROUND,
    DARK_SURFACE,
    EDGE_CONTRAST,
    LIGHT_GROUND,
    LIGHT_SURFACE,
    TEXT_CONTRAST,
    Brand,
    accent_on,
    contrast,
    relative_luminance,
    stylesheet,
    text_on,
    with_contrast,
)

SCHEMES = ((LIGHT_SURFACE, LIGHT_GROUND), (DARK_SURFACE, DARK_GROUND))
colours = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_contrast_is_as_wcag_defines_it(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert contrast(one, other) == pytest.approx(expected, abs=0.01)


def test_luminance_goes_from_black_to_white() -> None:
    assert relative_luminance("#000000") == 0
    assert relative_luminance("#ffffff") == pytest.approx(1)


@given(colours)
def test_any_accent_can_be_read_in_both_schemes(colour: str) -> None:
    for surface, ground in SCHEMES:
        accent = accent_on(colour, surface, ground)
        assert contrast(accent.on_fill, accent.fill) >= TEXT_CONTRAST
        assert contrast(accent.edge, surface) >= EDGE_CONTRAST
        assert contrast(accent.text, surface) >= TEXT_CONTRAST
        assert contrast(accent.text, ground) >= TEXT_CONTRAST


@given(colours)
def test_a_colour_that_is_readable_already_is_left_alone(colour: str) -> None:
    background = "#ffffff" if contrast(colour, "#ffffff") >= TEXT_CONTRAST else "#000000"
    assert with_contrast(colour, background) == colour


def test_a_lightened_colour_keeps_its_hue() -> None:
    lightened = with_contrast("#3b4cca", DARK_SURFACE)
    assert lightened != "#3b4cca"
    assert hue(lightened) == pytest.approx(hue("#3b4cca"), abs=0.01)


def hue(colour: str) -> float:
    return colorsys.rgb_to_hls(*(channel / 255 for channel in bytes.fromhex(colour[1:])))[0]


def test_a_button_keeps_the_brands_own_colour() -> None:
    assert accent_on("#ffd400", LIGHT_SURFACE, LIGHT_GROUND).fill == "#ffd400"
    assert accent_on("#101820", DARK_SURFACE, DARK_GROUND).fill == "#101820"


@pytest.mark.parametrize(("fill", "text"), [("#3b4cca", "#ffffff"), ("#ffd400", "#0c0d10"), ("#767676", "#ffffff")])
def test_text_on_a_button_is_white_where_white_can_be_read(fill: str, text: str) -> None:
    assert text_on(fill) == text


@pytest.mark.parametrize("accent", ["red", "#fff", "#3b4cca;}", "", "#3b4cca\n", "3b4cca"])
def test_an_accent_that_is_not_a_colour_is_refused(accent: str) -> None:
    with pytest.raises(ValueError, match="accent colour"):
        Brand(accent=accent)


def test_the_stylesheet_sets_the_colours_of_both_schemes() -> None:
    light, dark = stylesheet(Brand(accent="#0b7a5f")).split("@media (prefers-color-scheme:dark)")
    names = ["--accent", "--on-accent", "--accent-edge", "--accent-text"]
    for scheme in (light, dark):
        assert re.findall(r"(--[a-z-]+):#[0-9a-f]{6}", scheme) == names


def test_contrast_is_computed_against_the_backgrounds_the_pages_have() -> None:
    source = files("watchword.pages").joinpath("static/watchword.css").read_text("utf-8")
    assert re.findall(r"--(?:ground|surface): (#\w{6});", source) == [
        LIGHT_GROUND,
        LIGHT_SURFACE,
        DARK_GROUND,
        DARK_SURFACE,
    ]
