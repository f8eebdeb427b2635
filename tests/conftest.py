"""Fixtures every part of the suite may use."""

from collections.abc import Iterator

import pytest

from tests.support.budgets import register_budgets
from tests.support.provider import RunningProvider, running_provider


@pytest.fixture(scope="session")
def provider() -> Iterator[RunningProvider]:
    """A provider with one worker and lifted cool-downs, shared by tests that do not move its clock."""
    with running_provider(test_limits="off") as running:
        yield running


def pytest_configure(config: pytest.Config) -> None:
    """Watch the time of every part of the suite."""
    register_budgets(config)
