"""Every criterion has its tests, every test that is named exists, and nothing stands there that no list knows."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.requirements import REQUIREMENTS as OTHERS
from tests.requirements_around_openid import AROUND_OPENID
from tests.requirements_of_login import OF_LOGIN
from tests.requirements_of_openid import OF_OPENID
from tests.requirements_of_protocol import OF_PROTOCOL

TESTS = Path(__file__).parents[1]
LISTS = (OF_LOGIN, OF_PROTOCOL, OTHERS, OF_OPENID, AROUND_OPENID)
CRITERIA = {**OF_LOGIN, **OF_PROTOCOL, **OTHERS}
REQUIREMENTS = {name: requirement for each in LISTS for name, requirement in each.items()}
# The criteria that bind now, by their letter. One that is added to a list fails here until it is proved.
BINDING = {
    "A": {*range(1, 15)},
    "B": {*range(1, 15)},
    "C": {1, 2, 8, 9},
    "D": {*range(1, 11)},
    "F": {*range(1, 19)} - {6, 15},
    "G": {*range(1, 19)} - {12, 14},
    "H": {*range(1, 12)} - {8},
    "I": {*range(1, 8)},
    "J": {*range(1, 7)},
    "M": {*range(1, 12)},
    "N": {*range(1, 7)},
}


@cache
def functions(path: Path) -> frozenset[str]:
    """The tests of a file."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_criterion_that_binds_is_proved_and_no_other_is_listed() -> None:
    assert {*CRITERIA} == {f"{letter}-{number:02}" for letter, numbers in BINDING.items() for number in numbers}


def test_no_two_requirements_share_an_id() -> None:
    assert len(REQUIREMENTS) == sum(len(each) for each in LISTS)


def test_every_case_of_certification_is_in_a_list() -> None:
    named = {test for requirement in REQUIREMENTS.values() for test in requirement.tests}
    for file in sorted((TESTS / "certification").glob("test_*.py")):
        cases = {f"certification/{file.name}::{name}" for name in functions(file) if name.startswith("test_")}
        assert cases <= named, sorted(cases - named)


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_test_that_is_named_exists(name: str) -> None:
    requirement = REQUIREMENTS[name]
    assert requirement.text.endswith(".")
    assert requirement.tests
    for test in requirement.tests:
        file, _, function = test.partition("::")
        assert function.startswith("test_")
        assert function in functions(TESTS / file), test
