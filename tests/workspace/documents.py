"""The documents of the tree, and what can be read out of them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"(?P<mark><!-- runs -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PLACES = ("*.md", "docs/**/*.md", "provider/*.md", "middleware/*.md", "demo_apps/**/*.md", "locks/*.md")


def documents() -> list[Path]:
    """Return every document of the tree, the generated ones included."""
    return sorted(path for place in _PLACES for path in ROOT.glob(place))


def name_of(document: Path) -> str:
    """Return a document's path from the root."""
    return str(document.relative_to(ROOT))


def runnable_blocks(document: Path, language: str) -> list[str]:
    """Return the code blocks of a language that are marked to be run."""
    return [
        found["text"]
        for found in _FENCE.finditer(document.read_text())
        if found["mark"] and found["language"] == language
    ]


def links(document: Path) -> Iterator[str]:
    """Return where a document's links lead, those inside code left out."""
    prose = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", document.read_text()))
    yield from _LINK.findall(prose)


def anchors(document: Path) -> set[str]:
    """Return the anchors that a document's headings make."""
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in _HEADING.findall(document.read_text())
    }
