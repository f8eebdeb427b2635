"""From a view to an HTML document, and the static files the documents ask for.

The templates are read at the start, compiled at their first use, and know nothing of requests. No page holds a style, a
script or an event attribute of its own: everything comes from `/login/static/`, so that the strictest
Content-Security-Policy holds.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from watchword.locale import SOURCE_LANGUAGE, Catalogue
from watchword.pages.brand import Brand, stylesheet
from watchword.pages.folding import FoldingEnvironment
from watchword.pages.links import displayable_image, displayable_link, displayable_logo
from watchword.pages.outlines import Outlines
from watchword.pages.views import FormPostPage, LeavingPage, View

STATIC_PATH: Final = "/login/static/"

_MEDIA_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_SLOT: Final = re.compile("\ue000(\\w+)\ue001")


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file: its bytes, its media type, and the first 8 hexadecimal digits of its SHA-256."""

    content: bytes
    media_type: str
    version: str


class Pages:
    """The templates of each language, with the operator's brand and the catalogues of texts.

    A template is compiled when it is first shown in a language: up to ten milliseconds once, where all of them in all
    languages would take a tenth of a second from every start. Its source is read before, so that a package replaced
    while this process runs does not mix old pages with new ones.
    """

    def __init__(self, brand: Brand, catalogues: Mapping[str, Catalogue], *, static_path: str = STATIC_PATH) -> None:
        self._static_path = static_path
        self._assets = {**_packaged_assets(), "brand.css": _as_asset("brand.css", stylesheet(brand).encode())}
        self._outlines = Outlines()
        sources = _packaged_sources()
        self._environments = {tag: self._environment(brand, texts, sources) for tag, texts in catalogues.items()}

    def render(self, view: View, *, locale: str) -> str:
        """The whole HTML document of a view; a locale we have no texts for is shown in English."""
        environment = self._environments.get(locale) or self._environments[SOURCE_LANGUAGE]
        return self._outlines.render(environment, view)

    def form_post_page(self, *, action: str, fields: tuple[tuple[str, str], ...], client_name: str) -> View:
        """The view of an authorization response that is posted."""
        return FormPostPage(action=action, fields=fields, client_name=client_name)

    def leaving_page(
        self,
        *,
        next_url: str,
        host: str,
        client_name: str,
        fields: tuple[tuple[str, str], ...] = (),
        signed_out: bool = False,
    ) -> View:
        """The view that stands before an error or a sign-out of a client that registered itself."""
        return LeavingPage(next_url=next_url, host=host, client_name=client_name, fields=fields, signed_out=signed_out)

    def _environment(self, brand: Brand, catalogue: Catalogue, sources: Mapping[str, str]) -> Environment:
        texts = _Texts(catalogue)
        environment = FoldingEnvironment(
            constants={"brand": brand, "locale": catalogue.locale, "direction": catalogue.direction},
            functions={"t": texts.plain, "asset": self.asset},
            loader=DictLoader(sources),
            autoescape=True,
            auto_reload=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(
            link=displayable_link, image=displayable_image, logo=displayable_logo, clock=_as_clock
        )
        environment.globals.update(rich=texts.emphasised, day=texts.day)
        return environment

    def asset(self, name: str) -> str:
        """The path of a static file with its version, `/login/static/watchword.css?v=0123abcd`.

        Raises:
            KeyError: there is no such file.
        """
        return f"{self._static_path}{name}?v={self._assets[name].version}"

    def static_file(self, name: str) -> Asset | None:
        """What to serve at `/login/static/<name>`, `brand.css` included; None is a 404.

        Versions change with content, so an answer to the current `?v=` may be cached for good.
        """
        return self._assets.get(name)


@dataclass(frozen=True, slots=True)
class _Texts:
    """How templates ask for texts."""

    catalogue: Catalogue

    def plain(self, key: str, **values: object) -> str:
        return self.catalogue.text(key, **values)

    def emphasised(self, key: str, **values: object) -> Markup:
        """The text as HTML, each value escaped, isolated from the direction of the text around it, and strong."""
        slots = {name: f"\ue000{name}\ue001" for name in values}
        text = str(escape(self.catalogue.text(key, **slots)))
        # The text was escaped above, and so is every value: nothing unescaped is marked safe here.
        return Markup(_SLOT.sub(lambda slot: f"<strong><bdi>{escape(values[slot[1]])}</bdi></strong>", text))  # noqa: S704

    def day(self, when: datetime) -> str:
        """The day of a time, as people write it; in UTC, since a page without scripts knows no other zone."""
        month = self.catalogue.text(f"date.month_{when.month}")
        return self.catalogue.text("date.day", day=when.day, month=month, year=when.year)


def _as_clock(seconds: int) -> str:
    """Seconds as minutes and seconds: 95 is `1:35`."""
    return f"{seconds // 60}:{seconds % 60:02}"


def _packaged_sources() -> dict[str, str]:
    folder = files("watchword.pages").joinpath("templates")
    return {entry.name: entry.read_text("utf-8") for entry in folder.iterdir() if entry.is_file()}


def _packaged_assets() -> dict[str, Asset]:
    folder = files("watchword.pages").joinpath("static")
    return {entry.name: _as_asset(entry.name, entry.read_bytes()) for entry in folder.iterdir() if entry.is_file()}


def _as_asset(name: str, content: bytes) -> Asset:
    version = hashlib.sha256(content).hexdigest()[:8]
    return Asset(content, _MEDIA_TYPES[name.rpartition(".")[2]], version)
