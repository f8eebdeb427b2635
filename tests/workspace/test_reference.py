"""The reference pages: written from the code, and compared with it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from watchword.endpoints import ENDPOINTS
from watchword.events.catalogue import catalogue
from watchword.pages import PAGES
from watchword.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
PAGE_NAMES = {"settings.md", "endpoints.md", "events.md", "errors.md", "cli.md"}


def write_pages(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(tree / "scripts/reference.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with the script alone, and what it wrote there."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/reference.py", tmp_path / "scripts")
    assert write_pages(tmp_path).returncode == 0
    return tmp_path


@pytest.fixture
def pages(tree: Path) -> Path:
    return tree / "docs/reference"


def test_pages_that_were_just_written_agree_with_the_code(tree: Path, pages: Path) -> None:
    assert {path.name for path in pages.iterdir()} == PAGE_NAMES
    assert write_pages(tree, "--check").returncode == 0


@pytest.mark.parametrize("name", sorted(PAGE_NAMES))
def test_a_page_that_says_something_else_is_shown_and_refused(tree: Path, pages: Path, name: str) -> None:
    with (pages / name).open("a") as page:
        page.write("and something nobody generated\n")
    checked = write_pages(tree, "--check")
    assert checked.returncode == 1
    assert "-and something nobody generated" in checked.stdout


def test_a_missing_page_and_a_page_nobody_writes_are_refused(tree: Path, pages: Path) -> None:
    (pages / "events.md").rename(pages / "happenings.md")
    checked = write_pages(tree, "--check")
    assert checked.returncode == 1
    assert "docs/reference/happenings.md" in checked.stdout
    assert "docs/reference/events.md" in checked.stdout


def test_every_setting_endpoint_and_event_has_its_row(pages: Path) -> None:
    settings, endpoints, events = ((pages / f"{name}.md").read_text() for name in ("settings", "endpoints", "events"))
    assert [name for name in Settings.model_fields if f"| `{PREFIX}{name.upper()}` |" not in settings] == []
    assert [route.path for route in (*ENDPOINTS, *PAGES) if f"| `{route.path}` |" not in endpoints] == []
    assert [event.name for event in catalogue() if events.count(f"| `{event.name}` |") != 1] == []


def test_every_row_says_what_its_subject_means(pages: Path) -> None:
    for name in ("settings", "endpoints", "events", "errors"):
        rows = [line for line in (pages / f"{name}.md").read_text().splitlines() if line.startswith("| `")]
        meaning = {"settings": 4, "endpoints": 3, "events": 2, "errors": 3}[name]
        assert [row for row in rows if not row.split(" | ")[meaning - 1].strip(" |")] == []
