"""The page of specifications: one state for each document, and tests that are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "specifications.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| document ")
]


def test_no_document_stands_twice() -> None:
    named = [row[0] for row in ROWS]
    assert len(named) == len({*named}) > 30


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:40] for row in ROWS])
def test_what_is_followed_is_proved_by_tests_that_are_there(row: list[str]) -> None:
    document, state, _, proof = row
    assert document
    assert state in {"yes", "partly", "no"}
    paths = re.findall(r"`([\w/]+\.py)`", proof)
    assert paths or state == "no"
    for path in paths:
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        assert path.startswith("tests/requirements") or any(
            node.name.startswith("test_")
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
