"""The budgets of the suite's parts, tried on a small suite that pytest runs apart."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.budgets import part_of

ROOT = Path(__file__).parents[2]
CONFTEST = """
from tests.support.budgets import Budgets

def pytest_configure(config):
    config.pluginmanager.register(Budgets(enforced={enforced}, minutes={{"slow": 0.0}}))
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for part in ("slow", "quick"):
        (tmp_path / "tests" / part).mkdir(parents=True)
        (tmp_path / "tests" / part / f"test_{part}.py").write_text("def test_it():\n    assert True\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    return tmp_path


def run_suite(folder: Path, *, enforced: bool) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST.format(enforced=enforced))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_part_over_its_budget_fails_an_otherwise_green_run(suite: Path) -> None:
    done = run_suite(suite, enforced=True)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert [line.split()[0] for line in done.stdout.splitlines() if "OVER ITS BUDGET" in line] == ["slow"]


def test_budgets_only_inform_where_not_everything_is_required(suite: Path) -> None:
    done = run_suite(suite, enforced=False)
    assert done.returncode == pytest.ExitCode.OK
    assert "OVER ITS BUDGET" in done.stdout


@pytest.mark.parametrize(
    ("nodeid", "part"),
    [
        ("tests/stores/test_limits.py::test_it[a::b]", "stores"),
        ("tests/test_secrecy.py::test_it", "test_secrecy.py"),
        ("stores/test_limits.py::test_it", "stores"),
    ],
)
def test_a_part_is_the_folder_below_tests(nodeid: str, part: str) -> None:
    assert part_of(nodeid) == part
