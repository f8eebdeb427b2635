"""Limits as settings: each has its range, and what weakens them beyond it stops the start with one line."""

import os

import pytest

from watchword.settings import SettingsError, load_settings

PRODUCTION = {"ISSUER": "https://id.example.com", "SECRET_KEY": "Tq2vXn8bLr5yJd0wGs7cMk4hPa9fZe3u"}


@pytest.fixture(autouse=True)
def only_these(monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]) -> None:
    for name in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(f"WATCHWORD_{name}", value)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FAILURES_PER_IDENTIFIER", "1000/1h", "365 days x 24000 guesses a day (1000/1h) / 10^6 codes = 8.76"),
        ("FAILURES_PER_IDENTIFIER", "30/24h", "= 0.0109, a chance of more than 1 % a year"),
        ("FAILURES_PER_IDENTIFIER", "10/1h,20/24h", "20/24h allows more than 100 in 30 days"),
        ("FAILURES_PER_IDENTIFIER", "101/30d", "101/30d allows more than 100 in 30 days"),
        ("FAILURES_PER_IDENTIFIER", "10/1y", "'10/1y', which is not a window such as 10/1h"),
        ("SENDS_PER_IDENTIFIER", "5", "'5', which is not a window such as 10/1h"),
        ("SENDS_PER_NETWORK", "10/31d", "a window is 30 days at most"),
        ("SENDS_PER_NETWORK", "1/1m,2/1h,3/2h,4/1d", "one to 3 windows"),
        ("COOL_DOWNS", "5", "from 10 to 3600 seconds"),
        ("COOL_DOWNS", "60,30", "do not get shorter"),
        ("COOL_DOWNS", "30,4000", "from 10 to 3600 seconds"),
        ("COOL_DOWNS", "half a minute", "numbers of seconds"),
        ("GUESSES_PER_CHALLENGE", "6", "less than or equal to 5"),
        ("GUESSES_PER_CHALLENGE", "2", "greater than or equal to 3"),
        ("SENDS_PER_CHALLENGE", "6", "less than or equal to 5"),
        ("LIVE_CHALLENGES", "11", "less than or equal to 10"),
        ("GUARD_AFTER", "0", "greater than or equal to 20"),
        ("GUARD_IDENTIFIER_AFTER", "51", "less than or equal to 50"),
        ("DEVICE_LIFETIME", "7776001", "90 days"),
        ("TEST_LIMITS", "off", "is a test switch"),
        ("ONE_TIME_CODE_LENGTH", "5", "greater than or equal to 6"),
        ("ONE_TIME_CODE_LIFETIME", "601", "10 minutes"),
    ],
)
def test_a_limit_outside_its_range_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    """B-10, A-01, A-02."""
    monkeypatch.setenv(f"WATCHWORD_{name}", value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert refused.value.name == f"WATCHWORD_{name}"
    assert says in str(refused.value)


def test_the_defaults_are_those_of_the_guide() -> None:
    """B-03, C-01, C-02."""
    settings = load_settings()
    written = {
        name: ",".join(map(str, getattr(settings, name)))
        for name in (
            "sends_per_identifier",
            "sends_per_network",
            "failures_per_identifier",
            "failures_per_device",
            "failures_per_network",
        )
    }
    assert written == {
        "sends_per_identifier": "3/1m,5/1h,10/24h",
        "sends_per_network": "10/10m,30/1h,100/24h",
        "failures_per_identifier": "10/1h,20/24h,100/30d",
        "failures_per_device": "10/1h,40/24h,100/30d",
        "failures_per_network": "30/10m,100/24h",
    }
    assert [wait.seconds for wait in settings.cool_downs] == [30, 60, 120, 300]
    assert (settings.guesses_per_challenge, settings.sends_per_challenge, settings.live_challenges) == (5, 3, 5)
    assert (settings.guard_identifier_after, settings.guard_after, settings.device_lifetime.days) == (10, 200, 60)


def test_a_limit_may_be_made_stricter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_FAILURES_PER_IDENTIFIER", "5/1h, 50/30d")
    assert [str(window) for window in load_settings().failures_per_identifier] == ["5/1h", "50/30d"]
