"""Fixtures every part of the suite may use."""

from collections.abc import Iterator

import hypothesis  # noqa: F401 - its pytest plugin would import it at a run's end, too deep in hooks for Python 3.11
import pytest

from tests.support.budgets import register_budgets
from tests.support.event_matrix import tell_events
from tests.support.log_sweep import keep_logs_of_this_process
from tests.support.provider import RunningProvider, running_provider
from tests.support.secrecy import remove_logs


@pytest.fixture(scope="session")
def provider() -> Iterator[RunningProvider]:
    """A provider with one worker and lifted cool-downs, shared by tests that do not move its clock."""
    with running_provider(test_limits="off") as running:
        yield running


def pytest_configure(config: pytest.Config) -> None:
    """Watch the time of every part of the suite, and keep the logs of its own process for the sweep."""
    register_budgets(config)
    keep_logs_of_this_process()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks at the whole run goes last, whatever the order of the rest."""
    items.sort(key=lambda item: item.path.name.startswith("test_zz_"))


def pytest_sessionfinish(exitstatus: int) -> None:
    """Keep the logs of a failed run alone, and tell other lanes what this one saw."""
    tell_events()
    if exitstatus == pytest.ExitCode.OK:
        remove_logs()
