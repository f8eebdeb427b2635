"""The recipe pages and what runs them: complete, listed, pinned, and brought to a clean machine."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.workspace.documents import ROOT, links

RECIPES = ROOT / "docs" / "recipes"
INDEX = RECIPES / "README.md"
PAGES = sorted(set(RECIPES.glob("*.md")) - {INDEX})
TESTS = ROOT / "tests" / "independent"
PACKAGES: dict[str, Any] = json.loads((TESTS / "package.json").read_text())
LOCK: dict[str, Any] = json.loads((TESTS / "package-lock.json").read_text())
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def test_every_page_is_listed_beside_its_tests() -> None:
    assert {link for link in links(INDEX) if "/" not in link} == {page.name for page in PAGES}
    named = set(re.findall(r"`(tests/independent/\w+\.py)`", INDEX.read_text()))
    assert named == {str(path.relative_to(ROOT)) for path in TESTS.glob("test_*.py")}


@each_page
def test_a_page_says_all_that_a_reader_needs(page: Path) -> None:
    titles = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
    assert titles[:2] == ["Register", "Configure"]
    assert {"Refresh", "Sign out"} < set(titles)
    assert titles[-1] == "What to watch for"


@each_page
def test_no_code_of_a_page_is_left_unrun(page: Path) -> None:
    text = page.read_text()
    assert len(re.findall(r"^```\w+$", text, re.MULTILINE)) == text.count("<!-- runs -->")
    assert f'Recipe("{page.stem}")' in "".join(path.read_text() for path in TESTS.glob("test_*.py"))


def test_packages_are_pinned_to_one_version_and_its_content() -> None:
    packages = {name.rpartition("node_modules/")[2]: entry for name, entry in LOCK["packages"].items() if name}
    assert PACKAGES["dependencies"].items() <= {name: entry["version"] for name, entry in packages.items()}.items()
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name


def test_the_lock_names_no_address_to_download_from() -> None:
    assert "resolved" not in (TESTS / "package-lock.json").read_text()
    assert "omit-lockfile-registry-resolved=true" in (TESTS / ".npmrc").read_text().splitlines()


def test_a_clean_machine_gets_apache_without_a_service() -> None:
    packages = re.findall(r"\|\| echo (\S+)", (ROOT / ".ci" / "run").read_text())
    assert {"apache2-bin", "libapache2-mod-auth-openidc"} <= set(packages)
    assert "apache2" not in packages
