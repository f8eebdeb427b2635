"""A budget of wall time for each part of the suite, so that it stays quick enough to be run.

A part is a folder below `tests/`. The time of its tests, fixtures included, is printed at the end; a part that took
longer than its budget fails the run where REQUIRE_ALL=1, for a laptop under load proves nothing.
"""

import os
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

import pytest

# Two lanes run side by side (`scripts/suite.py`), so a part takes longer than it would alone.
DEFAULT_MINUTES: Final = 2.0
MINUTES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "endpoints": 5.0,  # every refusal of every endpoint
        "independent": 4.0,  # other people's programs: Node many times over, a browser, an Apache
        "login": 4.0,  # days of asking and guessing, over and over
        "journeys": 7.0,  # a browser walks the whole road, and keys rotate under load
        "middleware": 4.0,  # a browser, and an environment made for the wheel
        "pages": 5.0,  # a browser looks at every page in every shape
        "stores": 5.0,  # races on every kind of store, servers that are killed
        "workspace": 6.0,  # commands of the guides, wheels and settings, each in processes of its own
    }
)


class Budgets:
    """Adds up what each part takes; a pytest plugin."""

    def __init__(self, *, enforced: bool, minutes: Mapping[str, float] = MINUTES) -> None:
        self.enforced, self.minutes = enforced, minutes
        self._seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count setup, call and teardown alike: a slow fixture is slow too."""
        part = part_of(report.nodeid)
        self._seconds[part] = self._seconds.get(part, 0.0) + report.duration

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn a green run red when a part took too long."""
        if self.enforced and session.exitstatus == pytest.ExitCode.OK and any(map(self._exceeded, self._seconds)):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the time of every part, slowest first."""
        terminalreporter.section("time by part")
        for part, seconds in sorted(self._seconds.items(), key=lambda entry: -entry[1]):
            over = self._exceeded(part)
            line = f"{part:<16}{seconds:8.1f} s of {self._budget(part):g} min{'  OVER ITS BUDGET' if over else ''}"
            terminalreporter.write_line(line, red=over)

    def _exceeded(self, part: str) -> bool:
        return self._seconds[part] > self._budget(part) * 60

    def _budget(self, part: str) -> float:
        return self.minutes.get(part, DEFAULT_MINUTES)


def part_of(nodeid: str) -> str:
    """Return the folder below `tests/` that a test belongs to; a file right there is a part of its own."""
    names = PurePosixPath(nodeid.partition("::")[0]).parts
    return names[1] if names[0] == "tests" and len(names) > 1 else names[0]


def register_budgets(config: pytest.Config) -> None:
    """Watch the time of this run; `REQUIRE_ALL=1` makes the budgets binding."""
    config.pluginmanager.register(Budgets(enforced=os.environ.get("REQUIRE_ALL") == "1"), "budgets")
