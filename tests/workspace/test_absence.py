"""A machine that lacks a program skips the tests that need it, unless everything is required."""

from pathlib import Path

import pytest

from tests.independent.apache import running_apache
from tests.independent.node import install_packages
from tests.support.absence import do_without


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine without any of them."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.independent.apache.MODULES", tmp_path)
    monkeypatch.delenv("REQUIRE_ALL", raising=False)
    return monkeypatch


def test_what_is_missing_is_a_skip(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.skip.Exception, match="no Node"):
        install_packages()
    with pytest.raises(pytest.skip.Exception, match="no Apache"), running_apache(1, "", Path()):
        pass


def test_what_is_missing_where_everything_is_required_is_a_failure(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("REQUIRE_ALL", "1")
    for missing in (install_packages, lambda: do_without("no such thing")):
        with pytest.raises(pytest.fail.Exception, match="no "):
            missing()
