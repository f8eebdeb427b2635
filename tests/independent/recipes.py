"""The recipe pages: what each tells its reader to register and to write, taken from the page as it stands."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.provider import RunningProvider
from tests.workspace.documents import ROOT, runnable_blocks

ISSUER = "https://id.example.com"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One page, by its name."""

    name: str

    def register(self, provider: RunningProvider, **changes: str) -> dict[str, Any]:
        """Run what the page says to run; returns the client it registers."""
        *before, last = self._commands(changes)
        for command in before:
            done = provider.command(*command)
            assert done.returncode == 0, done.stderr
        assert last[:2] == ["clients", "add"]
        return provider.add_client(*last[2:])

    def text(self, language: str, provider: RunningProvider, **changes: str) -> str:
        """Return the page's blocks of a language as one text, the provider's issuer in place of the page's."""
        blocks = runnable_blocks(self._page, language)
        assert blocks
        return _changed("\n".join(blocks), {ISSUER: provider.issuer} | changes)

    def _commands(self, changes: dict[str, str]) -> Iterator[list[str]]:
        for block in runnable_blocks(self._page, "console"):
            for line in _changed(block, changes).splitlines():
                program, *arguments = shlex.split(line)
                assert program == "watchword"
                yield arguments

    @property
    def _page(self) -> Path:
        return ROOT / "docs" / "recipes" / f"{self.name}.md"


def _changed(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text
