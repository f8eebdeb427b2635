"""Runs last: every event of the catalogue was provoked by some test, through the doors of a running provider."""

import os

import pytest

from tests.support.event_matrix import FOLDER, events_seen
from watchword.events.catalogue import catalogue


def test_every_event_was_provoked_by_the_suite(request: pytest.FixtureRequest) -> None:
    config = request.config
    in_lanes = FOLDER in os.environ
    if not in_lanes and (
        config.args_source is pytest.Config.ArgsSource.ARGS or config.option.keyword or config.option.markexpr
    ):
        pytest.skip("only a part of the suite ran")
    assert {event.name for event in catalogue()} - events_seen() == set()
