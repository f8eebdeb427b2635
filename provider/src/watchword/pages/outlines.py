"""Outlines: a page rendered once with blanks in it, and then only filled in.

Two people at the same step see the same page but for a few values, which its view names in `blanks`. A template may
print such a value, also inside a text, and ask whether it is empty; not compare, measure, filter or change it. No value
of a blank is ever kept.
"""

import re
import secrets
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import escape

from watchword.pages.views import View

_MOST = 256  # outlines, of about 6 KiB each


@dataclass(frozen=True, slots=True)
class _Outline:
    """HTML with `%s` for each blank, and which blank stands at each."""

    html: str
    order: tuple[int, ...]

    def fill(self, values: list[Any]) -> str:
        escaped = [escape(value) for value in values]
        return self.html % tuple([escaped[index] for index in self.order])


class Outlines:
    """The outlines of a provider's pages, each drawn when it is first asked for."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], _Outline] = {}
        # Drawn anew by each process, so that nobody can write a blank into a name of theirs and have it filled.
        self._mark = secrets.token_hex(16)

    def render(self, environment: Environment, view: View) -> str:
        """Return what an environment's template makes of a view."""
        if not view.blanks:
            return _draw(environment, view)
        kind: Any = type(view)
        values = [getattr(view, name) for name in view.blanks]
        kept = [getattr(view, name) for name in _kept(kind)]
        key = (environment, kind, *kept, *[True if value else value for value in values])
        outline = self._known.get(key)
        if outline is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            outline = self._known[key] = self._cut(environment, view)
        return outline.fill(values)

    def _cut(self, environment: Environment, view: View) -> _Outline:
        """Render a view with a mark in the place of each value, and cut the page at the marks."""
        marks: dict[str, Any] = {
            name: f"{self._mark}{index:02}" for index, name in enumerate(view.blanks) if getattr(view, name)
        }
        pieces = re.split(f"{self._mark}([0-9]{{2}})", _draw(environment, replace(view, **marks)))
        html = "%s".join(piece.replace("%", "%%") for piece in pieces[::2])
        return _Outline(html, tuple(map(int, pieces[1::2])))


def _draw(environment: Environment, view: View) -> str:
    return environment.get_template(view.template).render(view=view)


@cache
def _kept(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name not in kind.blanks)
