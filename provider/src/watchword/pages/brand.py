"""The operator's brand on the hosted pages, and the arithmetic that keeps its one colour readable.

Contrast is WCAG 2.2's (section 1.4.3): 4.5:1 for text, 3:1 for the edge of a control (section 1.4.11).
"""

import colorsys
import re
from dataclasses import dataclass
from typing import Final

TEXT_CONTRAST: Final = 4.5
EDGE_CONTRAST: Final = 3.0

LIGHT_SURFACE: Final = "#ffffff"
LIGHT_GROUND: Final = "#f4f4f1"
DARK_SURFACE: Final = "#1a1d23"
DARK_GROUND: Final = "#111317"

_WHITE: Final = "#ffffff"
_NEAR_BLACK: Final = "#0c0d10"
_HEX_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_LIGHTNESS_STEPS: Final = 100


@dataclass(frozen=True, slots=True)
class Brand:
    """What the operator says about themselves.

    Attributes:
        name: shown in the header and in every page's title.
        accent: the one colour, `#rrggbb`. Any colour works: what is drawn with it is adjusted until it can be read.
        logo_url: an image below our own origin (`/...`) or a `data:image/` address; anything else is not shown,
            because the pages' Content-Security-Policy would refuse it. None shows the built-in mark.
        support_url: an http, https or mailto address behind "Help".
        privacy_url: the operator's privacy notice.
        terms_url: the operator's terms.
    """

    name: str = "Watchword"
    accent: str = "#3b4cca"
    logo_url: str | None = None
    support_url: str | None = None
    privacy_url: str | None = None
    terms_url: str | None = None

    def __post_init__(self) -> None:
        """Refuse anything but `#rrggbb`: the value is written into a stylesheet.

        Raises:
            ValueError: the accent is not six hexadecimal digits after `#`.
        """
        if not _HEX_COLOUR.fullmatch(self.accent):
            raise ValueError("the accent colour must look like #3b4cca")


@dataclass(frozen=True, slots=True)
class Accent:
    """The brand's colour as one scheme uses it.

    Attributes:
        fill: background of the main button, the brand's own colour wherever a text can be read on it.
        on_fill: text on `fill`, white or near-black; at least 4.5:1.
        edge: border of the main button; at least 3:1 against the surface, for fills that would melt into it.
        text: links and focus rings; at least 4.5:1 against surface and ground.
    """

    fill: str
    on_fill: str
    edge: str
    text: str


def relative_luminance(colour: str) -> float:
    """WCAG's relative luminance of `#rrggbb`, 0 (black) to 1 (white)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two opaque colours, 1 to 21, whichever comes first."""
    dark, light = sorted((relative_luminance(one), relative_luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def with_contrast(colour: str, *backgrounds: str, minimum: float = TEXT_CONTRAST) -> str:
    """The nearest lightness of `colour` that reaches `minimum` against every background, its hue kept.

    The backgrounds must be alike, all light or all dark, as those of a scheme are: the first one decides whether the
    colour is lightened or darkened.
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    target = 1.0 if relative_luminance(backgrounds[0]) < relative_luminance("#767676") else 0.0
    for step in range(_LIGHTNESS_STEPS + 1):
        candidate = colour if step == 0 else _hex(hue, lightness + (target - lightness) * step / 100, saturation)
        if all(contrast(candidate, background) >= minimum for background in backgrounds):
            return candidate
    return _WHITE if target else _NEAR_BLACK


def text_on(fill: str) -> str | None:
    """White or near-black, whichever can be read on `fill` (white preferred); None when neither reaches 4.5:1."""
    return next((text for text in (_WHITE, _NEAR_BLACK) if contrast(text, fill) >= TEXT_CONTRAST), None)


def accent_on(colour: str, surface: str, ground: str) -> Accent:
    """How one scheme draws the brand's colour on its two backgrounds."""
    on_fill = text_on(colour)
    fill = colour if on_fill else with_contrast(colour, _WHITE)
    edge = with_contrast(fill, surface, minimum=EDGE_CONTRAST)
    return Accent(fill, on_fill or _WHITE, edge, with_contrast(colour, surface, ground))


def stylesheet(brand: Brand) -> str:
    """The tiny stylesheet that carries the accent, since the pages allow no inline style."""
    light = _declarations(accent_on(brand.accent, LIGHT_SURFACE, LIGHT_GROUND))
    dark = _declarations(accent_on(brand.accent, DARK_SURFACE, DARK_GROUND))
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _declarations(accent: Accent) -> str:
    return (
        f"--accent:{accent.fill};--on-accent:{accent.on_fill};--accent-edge:{accent.edge};--accent-text:{accent.text}"
    )


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(colour[1:])
    return red / 255, green / 255, blue / 255


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "#" + bytes(round(c * 255) for c in colorsys.hls_to_rgb(hue, lightness, saturation)).hex()
