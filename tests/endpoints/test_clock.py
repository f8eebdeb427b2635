"""The test clock: moved on purpose, and by nothing else."""

from datetime import datetime, timedelta

import httpx2
import pytest


def now(http: httpx2.Client) -> datetime:
    return datetime.fromisoformat(http.post("/dev/clock", json={"advance": 0}).json()["now"])


def test_the_clock_moves_by_what_was_asked(http: httpx2.Client) -> None:
    before = now(http)
    assert now(http) - before < timedelta(seconds=60)
    assert http.post("/dev/clock", json={"advance": 3600}).status_code == 200
    assert timedelta(hours=1) <= now(http) - before < timedelta(hours=1, seconds=60)


@pytest.mark.parametrize("advance", [-1, 1.5, "60", True, None, [], 10**10])
def test_what_is_no_number_of_seconds_moves_nothing(http: httpx2.Client, advance: object) -> None:
    before = now(http)
    assert http.post("/dev/clock", json={"advance": advance}).status_code == 400
    assert now(http) - before < timedelta(seconds=60)


@pytest.mark.parametrize("path", ["/dev/mailbox", "/dev/mailbox.json", "/dev/clock"])
@pytest.mark.parametrize("host", ["rebound.evil.example", "localhost.evil.example:9000", "[::2]", "[", ""])
def test_development_pages_answer_to_this_machines_own_names_alone(http: httpx2.Client, path: str, host: str) -> None:
    answer = http.post(path, json={"advance": 0}, headers={"host": host})
    assert answer.status_code == 400
