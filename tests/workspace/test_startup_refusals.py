"""What no start accepts: `serve` ends before it makes or opens anything, with one line that names the setting."""

import base64
import os
import random
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.provider import COMMAND, provider_environment
from tests.support.secrecy import remember_secret
from watchword.prepare import check_clocks
from watchword.settings import SettingsError, load_settings
from watchword.settings.strength import check_secret

ROOT = Path(__file__).parents[2]
SECRET_KEY = remember_secret("vB7kQz2mXw9tRf4nYp6sLd8hJc3gEa5u")
PRODUCTION = {
    "ENV": "production",
    "ISSUER": "https://id.example.com",
    "SECRET_KEY": SECRET_KEY,
    "LOG_LEVEL": "info",
    "REGISTRATION": "off",
}

REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "plain http off loopback": ({"ISSUER": "http://id.example.com"}, "ISSUER"),
    "development mode off loopback": ({"ENV": "development"}, "ENV"),
    "test mode off loopback": ({"ENV": "test"}, "ENV"),
    "debug logs": ({"LOG_LEVEL": "debug"}, "LOG_LEVEL"),
    "no secret key": ({"SECRET_KEY": None}, "SECRET_KEY"),
    "a short secret key": ({"SECRET_KEY": SECRET_KEY[:31]}, "SECRET_KEY"),
    "one byte for a secret key": ({"SECRET_KEY": "\x01" * 64}, "SECRET_KEY"),
    "one letter for a secret key": ({"SECRET_KEY": "A" * 64}, "SECRET_KEY"),
    "a secret key that repeats itself": ({"SECRET_KEY": "0fX9" * 16}, "SECRET_KEY"),
    "a typed secret key": ({"SECRET_KEY": "please-ChangeMe-before-going-live-1"}, "SECRET_KEY"),
    "a counted secret key": ({"SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz"}, "SECRET_KEY"),
    "a weak key from before": ({"SECRET_KEY_PREVIOUS": "B" * 64}, "SECRET_KEY_PREVIOUS"),
    "metrics without their token": ({"METRICS": "token"}, "METRICS_TOKEN"),
    "a metrics token for nothing": ({"METRICS_TOKEN": SECRET_KEY}, "METRICS_TOKEN"),
    "a weak metrics token": ({"METRICS": "token", "METRICS_TOKEN": "prometheus"}, "METRICS_TOKEN"),
    "every address a proxy": ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "TRUSTED_PROXIES"),
    "every IPv6 address a proxy": ({"TRUSTED_PROXIES": "10.0.0.0/8, ::/0"}, "TRUSTED_PROXIES"),
    "every address a proxy, in two halves": ({"TRUSTED_PROXIES": "0.0.0.0/1,128.0.0.0/1"}, "TRUSTED_PROXIES"),
    "the public IPv6 addresses a proxy": ({"TRUSTED_PROXIES": "2000::/3"}, "TRUSTED_PROXIES"),
    "lifted limits": ({"TEST_LIMITS": "off"}, "TEST_LIMITS"),
    "fixed codes": ({"TEST_IDENTIFIERS": "a@b.example:123456"}, "TEST_IDENTIFIERS"),
    "fetching from loopback": ({"TEST_LOOPBACK_FETCH": "on"}, "TEST_LOOPBACK_FETCH"),
    "one more authority": ({"EXTRA_CA": "/etc/ssl/certs/ca-certificates.crt"}, "EXTRA_CA"),
    "a mailbox anybody can read": ({"SMTP_URL": "mailbox://"}, "SMTP_URL"),
    "codes on the console": ({"SMS_URL": "console://"}, "SMS_URL"),
    "a setting that does not exist": ({"DEBUG": "on"}, "DEBUG"),
}
SERVED: dict[str, dict[str, str | None]] = {
    "a proxy beside us": {"TRUSTED_PROXIES": "127.0.0.1/32,::1/128"},
    "private networks": {"TRUSTED_PROXIES": "10.0.0.0/8,fc00::/7,192.168.0.0/16"},
    "the metrics with a token": {"METRICS": "token", "METRICS_TOKEN": SECRET_KEY},
    "open metrics, spelled out": {"METRICS": "open"},
}


def environment(folder: Path, changes: dict[str, str | None]) -> dict[str, str]:
    """A production environment with these changes; None takes a setting away."""
    chosen = {name: value for name, value in (PRODUCTION | changes).items() if value is not None}
    made = provider_environment(folder, 9, **chosen)
    for name in changes.keys() - chosen.keys():
        made.pop(f"WATCHWORD_{name}", None)
    return made


def use(monkeypatch: pytest.MonkeyPatch, folder: Path, changes: dict[str, str | None]) -> None:
    """Make this process's environment that of a start in an empty folder."""
    monkeypatch.chdir(folder)
    made = environment(folder, changes)
    for name in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(name)
    for name in [name for name in made if name.startswith("WATCHWORD_")]:
        monkeypatch.setenv(name, made[name])


@pytest.mark.parametrize(("changes", "name"), REFUSED.values(), ids=REFUSED.keys())
def test_an_insecure_choice_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, str | None], name: str
) -> None:
    use(monkeypatch, tmp_path, changes)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    line = str(refused.value)
    assert line.startswith(f"WATCHWORD_{name}: ")
    assert line.isprintable()
    assert SECRET_KEY not in line


@pytest.mark.parametrize("changes", [{}, *SERVED.values()], ids=["the plain settings", *SERVED])
def test_what_an_operator_may_choose_is_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, str | None]
) -> None:
    use(monkeypatch, tmp_path, changes)
    assert load_settings().issuer == "https://id.example.com"


@pytest.mark.parametrize("why", ["plain http off loopback", "one letter for a secret key", "every address a proxy"])
def test_a_refused_start_is_one_line_and_leaves_nothing(tmp_path: Path, why: str) -> None:
    changes, name = REFUSED[why]
    done = subprocess.run(
        [*COMMAND, "serve"], env=environment(tmp_path, changes), cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"watchword: WATCHWORD_{name}: ")
    assert not list(tmp_path.iterdir())


def test_config_check_shows_every_problem_of_one_look(tmp_path: Path) -> None:
    changes: dict[str, str | None] = {
        "ISSUER": "http://id.example.com", "LOG_LEVEL": "debug", "TRUSTED_PROXIES": "0.0.0.0/0", "TEST_LIMITS": "off",
    }  # fmt: skip
    assert _checked(tmp_path, changes) == ["ISSUER", "LOG_LEVEL", "TRUSTED_PROXIES", "TEST_LIMITS"]
    changes = {"SECRET_KEY": "A" * 64, "PORT": "x", "WORKERS": "0"}
    assert _checked(tmp_path, changes) == ["SECRET_KEY", "PORT", "WORKERS"]


def _checked(folder: Path, changes: dict[str, str | None]) -> list[str]:
    """The settings that `watchword config check` names, in its order."""
    done = subprocess.run(
        [*COMMAND, "config", "check"], env=environment(folder, changes), cwd=folder,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    return re.findall(r"^watchword: WATCHWORD_([A-Z_]+): ", done.stderr, re.MULTILINE)


@pytest.mark.parametrize("name", ["secret_key", "secret_key_previous", "smtp_url", "metrics_token", "database_url"])
def test_a_secret_that_everybody_on_the_machine_can_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    secret = folder / f"watchword_{name}"
    values = {"smtp_url": "smtp://mail.example", "database_url": "sqlite:///x"}
    secret.write_text(values.get(name, remember_secret(SECRET_KEY[::-1])))
    changes: dict[str, str | None] = {name.upper(): None}
    if name == "metrics_token":
        changes["METRICS"] = "token"
    use(monkeypatch, tmp_path, changes)
    monkeypatch.setenv("WATCHWORD_SECRETS_DIR", str(folder))
    secret.chmod(0o644)
    with pytest.raises(SettingsError, match=f"^WATCHWORD_{name.upper()}: stands in .*everybody on this machine"):
        load_settings()
    secret.chmod(0o440)
    load_settings()


def test_what_is_no_secret_may_be_read_by_everybody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "watchword_brand_name").write_text("Example")
    (tmp_path / "watchword_brand_name").chmod(0o644)
    use(monkeypatch, tmp_path, {})
    monkeypatch.setenv("WATCHWORD_SECRETS_DIR", str(tmp_path))
    assert load_settings().brand_name == "Example"


def test_a_secret_that_stands_in_a_document_or_an_example_is_none() -> None:
    shown = re.compile(r"WATCHWORD_(?:SECRET_KEY|SECRET_KEY_PREVIOUS|METRICS_TOKEN)\s*[=:]\s*[\"']?([^\s\"'#]*)")
    files = [
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("*.y*ml"),
        *ROOT.glob("*.md"),
        *ROOT.glob("docker/*"),
        *ROOT.glob(".env*"),
    ]
    found = [secret for path in files for secret in shown.findall(path.read_text("utf-8"))]
    assert found
    for secret in found:
        with pytest.raises(ValueError, match="too weak"):
            check_secret(secret)


def test_every_secret_that_the_provider_makes_is_strong_enough() -> None:
    draw = random.Random(2026)
    for _ in range(2000):
        check_secret(base64.urlsafe_b64encode(draw.randbytes(48)).decode())


def test_a_database_whose_clock_is_another_is_refused() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for seconds in (0, 4, -4):
        check_clocks(now, now + timedelta(seconds=seconds))
    check_clocks(now, None)  # a file has no clock of its own
    for seconds in (6, -6, 86_400):
        with pytest.raises(
            SettingsError, match=r"^WATCHWORD_DATABASE_URL: the server's clock and this machine's differ"
        ):
            check_clocks(now, now + timedelta(seconds=seconds))
