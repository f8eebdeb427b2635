"""Settings: a wrong one stops the start with one line that names it, and never with a traceback."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.secrecy import remember_secret
from watchword.cli import main

SECRET_KEY = remember_secret("Tq2vXn8bLr5yJd0wGs7cMk4hPa9fZe3u")
PRODUCTION = {"ISSUER": "https://id.example.com", "SECRET_KEY": SECRET_KEY}
DEVELOPMENT = {"ENV": "development", "ISSUER": "http://localhost:9000"}
TEST = {"ENV": "test", "ISSUER": "http://localhost:9000"}


@dataclass(frozen=True)
class Outcome:
    """What `watchword config check` said and how it ended."""

    status: int
    out: str
    err: str


Check = Callable[..., Outcome]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Check:
    """`watchword config check` in an empty folder; settings are named without their prefix."""
    for name in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["watchword", "config", "check"])

    def check(settings: dict[str, str]) -> Outcome:
        with monkeypatch.context() as environment:
            for name, value in settings.items():
                environment.setenv(f"WATCHWORD_{name}", value)
            with pytest.raises(SystemExit) as exit_:
                main()
        out, err = capfd.readouterr()
        assert isinstance(exit_.value.code, int)
        return Outcome(exit_.value.code, out, err)

    return check


def refusal(outcome: Outcome) -> str:
    """The one line of a refused start, without the program's name."""
    assert (outcome.status, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert line.startswith("watchword: ")
    assert line.endswith((".", "?"))
    assert SECRET_KEY not in line
    return line.removeprefix("watchword: ")


@pytest.mark.parametrize(
    "settings",
    [
        PRODUCTION,
        PRODUCTION | {"ISSUER": "http://localhost:9000"},
        PRODUCTION | {"EPHEMERAL_URL": "memory://"},
        PRODUCTION | {"SESSION_IDLE": "3600", "SESSION_LIFETIME": "P7D"},
        PRODUCTION | {"PHONE_REGIONS": "IN, US", "TRUSTED_PROXIES": "10.0.0.0/8"},
        PRODUCTION | {"SMTP_URL": "smtps://me:pw@mail.example", "SMTP_FROM": "Bücher <löser@id.example.com>"},
        PRODUCTION | {"SUPPORT_URL": "mailto:help@example.com", "TERMS_URL": "https://example.com/terms"},
        PRODUCTION | {"BRAND_LOGO_URL": "/logo.svg"},
        PRODUCTION | {"BRAND_LOGO_URL": "https://id.example.com/logo.svg"},
        DEVELOPMENT,
        DEVELOPMENT | {"ISSUER": "http://127.0.0.1:9000", "SMTP_URL": "console://"},
        DEVELOPMENT | {"ISSUER": "http://[::1]:9000/tenant"},
        TEST | {"TEST_LIMITS": "off", "TEST_IDENTIFIERS": "a@b.example:123456, +919812345678:654321"},
    ],
)
def test_settings_that_hold_are_said_to_hold(check: Check, settings: dict[str, str]) -> None:
    outcome = check(settings)
    assert (outcome.status, outcome.err) == (0, "")
    assert settings["ISSUER"] in outcome.out
    assert SECRET_KEY not in outcome.out


@pytest.mark.parametrize(
    ("settings", "name", "problem"),
    [
        ({}, "ISSUER", "is required"),
        (PRODUCTION | {"ISSUER": "id.example.com"}, "ISSUER", "is not an http or https URL"),
        (PRODUCTION | {"ISSUER": "ftp://id.example.com"}, "ISSUER", "is not an http or https URL"),
        (PRODUCTION | {"ISSUER": "https://id.example.com/"}, "ISSUER", "closing slash"),
        (PRODUCTION | {"ISSUER": "https://id.example.com?a=b"}, "ISSUER", "no query"),
        (PRODUCTION | {"ISSUER": "https://id.example.com#a"}, "ISSUER", "fragment"),
        (PRODUCTION | {"ISSUER": "https://me:pw@id.example.com"}, "ISSUER", "user name"),
        (PRODUCTION | {"ISSUER": "https://id.example.com:99999"}, "ISSUER", "out of range"),
        (PRODUCTION | {"ISSUER": "http://id.example.com"}, "ISSUER", "plain http is for loopback only"),
        (PRODUCTION | {"ISSUER": "http://localhost.example.com"}, "ISSUER", "plain http is for loopback only"),
        (PRODUCTION | {"TRUSTED_PROXIES": "10.0.0.0/8,proxy"}, "TRUSTED_PROXIES", "'proxy', which is not a network"),
        (PRODUCTION | {"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES", "inside the network 10.0.0.0/8"),
        (PRODUCTION | {"ISSUER": "https://ID.example.com"}, "ISSUER", "in lower case"),
        (PRODUCTION | {"ISSUER": "HTTPS://id.example.com"}, "ISSUER", "in lower case"),
        (PRODUCTION | {"HOST": ""}, "HOST", "at least 1 character"),
        (PRODUCTION | {"SUPPORT_URL": "help.example.com"}, "SUPPORT_URL", "not an http, https or mailto URL"),
        (PRODUCTION | {"SUPPORT_URL": "mailto:help"}, "SUPPORT_URL", "not an http, https or mailto URL"),
        (PRODUCTION | {"OP_TOS_URI": "mailto:help@example.com"}, "OP_TOS_URI", "is not an http or https URL"),
        (PRODUCTION | {"SERVICE_DOCUMENTATION": "docs.example.com"}, "SERVICE_DOCUMENTATION", "not an http, https"),
        (PRODUCTION | {"PRIVACY_URL": "javascript:alert(1)"}, "PRIVACY_URL", "not an http, https or mailto URL"),
        (PRODUCTION | {"PRIVACY_URL": "https://example.com/a b"}, "PRIVACY_URL", "not an http, https or mailto URL"),
        (PRODUCTION | {"TERMS_URL": "https://"}, "TERMS_URL", "not an http, https or mailto URL"),
        (PRODUCTION | {"TERMS_URL": "https://[x"}, "TERMS_URL", "Invalid IPv6 URL"),
        (PRODUCTION | {"BRAND_LOGO_URL": "logo.svg"}, "BRAND_LOGO_URL", "is neither a path"),
        (PRODUCTION | {"BRAND_LOGO_URL": "//cdn.example/logo.svg"}, "BRAND_LOGO_URL", "is neither a path"),
        (PRODUCTION | {"BRAND_LOGO_URL": "https://cdn.example/logo.svg"}, "BRAND_LOGO_URL", "is neither a path"),
        (PRODUCTION | {"BRAND_LOGO_URL": "https://id.example.com.evil.example/l"}, "BRAND_LOGO_URL", "neither a path"),
        (PRODUCTION | {"PHONE_REGIONS": "IN,XX"}, "PHONE_REGIONS", "'XX', which is no country"),
        (PRODUCTION | {"PHONE_REGIONS": "IN", "DEFAULT_REGION": "ZZ"}, "DEFAULT_REGION", "'ZZ', which is no country"),
        (PRODUCTION | {"SMTP_URL": "smtp://mail.example"}, "SMTP_FROM", "is required for email"),
        (PRODUCTION | {"SMTP_FROM": "Example"}, "SMTP_FROM", "is no sender"),
        (
            PRODUCTION | {"SMTP_URL": "smtp://me@mail.example", "SMTP_FROM": "a@b.example"},
            "SMTP_URL",
            "belong together",
        ),
        (PRODUCTION | {"SMTP_URL": "http://me:pw@mail.example"}, "SMTP_URL", "unknown gateway"),
        (PRODUCTION | {"SMTP_URL": "smtp://[me:pw", "SMTP_FROM": "a@b.example"}, "SMTP_URL", "not a URL"),
        (PRODUCTION | {"SMTP_URL": ""}, "SMTP_URL", "no scheme"),
        (PRODUCTION | {"SMS_URL": "smtp://me:pw@mail.example"}, "SMS_URL", "does not carry sms"),
        (PRODUCTION | {"WHATSAPP_URL": "whatsapp:pw"}, "WHATSAPP_URL", "unknown gateway"),
        (TEST | {"EXTRA_CA": "/nope"}, "EXTRA_CA", "No such file"),
        (TEST | {"EXTRA_CA": "/dev/null"}, "EXTRA_CA", "it holds none in PEM"),
        (TEST | {"EXTRA_CA": "/"}, "EXTRA_CA", "cannot be used"),
        (TEST | {"TEST_IDENTIFIERS": "a@b.example:1234567"}, "TEST_IDENTIFIERS", "a code that is not 6 digits"),
        (TEST | {"TEST_IDENTIFIERS": "a@b.example:abcdef"}, "TEST_IDENTIFIERS", "a code that is not 6 digits"),
        (TEST | {"TEST_IDENTIFIERS": "a@b.example:١٢٣٤٥٦"}, "TEST_IDENTIFIERS", "a code that is not 6 digits"),
        (
            TEST | {"TEST_IDENTIFIERS": "a@b.example:123456", "ONE_TIME_CODE_LENGTH": "8"},
            "TEST_IDENTIFIERS",
            "a code that is not 8 digits",
        ),
        (PRODUCTION | {"ENV": "staging"}, "ENV", "'production', 'development' or 'test'"),
        (PRODUCTION | {"ENV": "development"}, "ENV", "only a loopback issuer"),
        (PRODUCTION | {"ENV": "test"}, "ENV", "only a loopback issuer"),
        ({"ISSUER": "https://id.example.com"}, "SECRET_KEY", "production needs one"),
        (PRODUCTION | {"SECRET_KEY": "short"}, "SECRET_KEY", "too weak"),
        (PRODUCTION | {"SECRET_KEY": ""}, "SECRET_KEY", "too weak"),
        (PRODUCTION | {"SECRET_KEY": "abcd" * 20}, "SECRET_KEY", "too weak"),
        (PRODUCTION | {"SECRET_KEY_PREVIOUS": "short"}, "SECRET_KEY_PREVIOUS", "too weak"),
        (PRODUCTION | {"TEST_LIMITS": "off"}, "TEST_LIMITS", "test switch"),
        (DEVELOPMENT | {"TEST_LIMITS": "off"}, "TEST_LIMITS", "test switch"),
        (DEVELOPMENT | {"TEST_IDENTIFIERS": "a@b.example:123456"}, "TEST_IDENTIFIERS", "test switch"),
        (DEVELOPMENT | {"EXTRA_CA": "/etc/ca.pem"}, "EXTRA_CA", "test switch"),
        (PRODUCTION | {"TEST_IDENTIFIERS": "a@b.example:123456"}, "TEST_IDENTIFIERS", "test switch"),
        (PRODUCTION | {"TEST_LOOPBACK_FETCH": "on"}, "TEST_LOOPBACK_FETCH", "test switch"),
        (PRODUCTION | {"EXTRA_CA": "/etc/ca.pem"}, "EXTRA_CA", "test switch"),
        (PRODUCTION | {"SMTP_URL": "mailbox://"}, "SMTP_URL", "development gateway"),
        (PRODUCTION | {"SMS_URL": "MailBox://"}, "SMS_URL", "development gateway"),
        (PRODUCTION | {"WHATSAPP_URL": "CONSOLE:"}, "WHATSAPP_URL", "development gateway"),
        (TEST | {"TEST_LIMITS": "no"}, "TEST_LIMITS", "'on' or 'off'"),
        (TEST | {"TEST_IDENTIFIERS": "a@b.example"}, "TEST_IDENTIFIERS", "a code behind every identifier"),
        (TEST | {"TEST_IDENTIFIERS": "a@b.example:123456,:1"}, "TEST_IDENTIFIERS", "a code behind every identifier"),
        (PRODUCTION | {"EPHEMERAL_URL": "memory://", "WORKERS": "2"}, "EPHEMERAL_URL", "allows one worker"),
        (PRODUCTION | {"EPHEMERAL_URL": "mongodb://me:pw@host"}, "EPHEMERAL_URL", "must begin with"),
        (PRODUCTION | {"EPHEMERAL_URL": "ephemeral.sqlite3"}, "EPHEMERAL_URL", "must begin with"),
        (PRODUCTION | {"EPHEMERAL_URL": "sqlite:///watchword.sqlite3"}, "EPHEMERAL_URL", "of the durable store"),
        (PRODUCTION | {"DATABASE_URL": "mysql://me:pw@host/db"}, "DATABASE_URL", "names no durable store"),
        (PRODUCTION | {"DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL", "names no durable store"),
        (PRODUCTION | {"DATABASE_URL": "watchword.sqlite3"}, "DATABASE_URL", "names no durable store"),
        (PRODUCTION | {"PORT": "http"}, "PORT", "valid integer"),
        (PRODUCTION | {"PORT": "0"}, "PORT", "greater than or equal to 1"),
        (PRODUCTION | {"PORT": "65536"}, "PORT", "less than or equal to 65535"),
        (PRODUCTION | {"WORKERS": "0"}, "WORKERS", "greater than or equal to 1"),
        (PRODUCTION | {"DEFAULT_REGION": "India"}, "DEFAULT_REGION", "should match"),
        (PRODUCTION | {"PHONE_REGIONS": "IN,usa"}, "PHONE_REGIONS", "'usa', which is not a two-letter country code"),
        (PRODUCTION | {"DEFAULT_LOCALE": "tlh"}, "DEFAULT_LOCALE", "'en' or 'hi'"),
        (PRODUCTION | {"BRAND_COLOR": "blue"}, "BRAND_COLOR", "should match"),
        (PRODUCTION | {"LOG_LEVEL": "loud"}, "LOG_LEVEL", "'debug', 'info', 'warning' or 'error'"),
        (PRODUCTION | {"ACCESS_TOKEN_LIFETIME": "PT2H"}, "ACCESS_TOKEN_LIFETIME", "less than or equal to 1 hour"),
        (PRODUCTION | {"SESSION_IDLE": "-PT5S"}, "SESSION_IDLE", "greater than or equal to 1 minute"),
        (PRODUCTION | {"REFRESH_TOKEN_IDLE": "soon"}, "REFRESH_TOKEN_IDLE", "valid timedelta"),
        (PRODUCTION | {"ONE_TIME_CODE_LENGTH": "5"}, "ONE_TIME_CODE_LENGTH", "greater than or equal to 6"),
        (PRODUCTION | {"REGISTRATION": "on"}, "REGISTRATION", "'off', 'token' or 'open'"),
        (PRODUCTION | {"SECRETS_DIR": "nowhere"}, "SECRETS_DIR", "is no directory"),
        (PRODUCTION | {"ISUER": "https://id.example.com"}, "ISUER", "Did you mean WATCHWORD_ISSUER?"),
        (PRODUCTION | {"XYZZY": "1"}, "XYZZY", "is not a setting"),
        (PRODUCTION | {"FOO": "1"}, "FOO", "Remove it"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_in_one_line(
    check: Check, settings: dict[str, str], name: str, problem: str
) -> None:
    line = refusal(check(settings))
    assert line.startswith(f"WATCHWORD_{name}: ")
    assert problem in line
    assert "pw" not in line


def test_the_two_stores_are_told_apart_by_their_files_and_not_by_their_names(check: Check, tmp_path: Path) -> None:
    (tmp_path / "link.sqlite3").symlink_to(tmp_path / "one.sqlite3")
    for other in (f"{tmp_path}/one.sqlite3", "link.sqlite3", "./one.sqlite3"):
        stores = {"DATABASE_URL": "sqlite:///one.sqlite3", "EPHEMERAL_URL": f"sqlite:///{other}"}
        assert "WATCHWORD_EPHEMERAL_URL: is the file of the durable store" in refusal(check(PRODUCTION | stores))


def test_the_environment_outranks_dotenv_that_secrets_and_those_toml(check: Check, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "watchword_secret_key").write_text(SECRET_KEY)
    (secrets / "watchword_secret_key").chmod(0o600)
    settings = {"SECRETS_DIR": str(secrets)}
    Path("watchword.toml").write_text('issuer = "https://toml.example.com"')
    assert "https://toml.example.com" in check(settings).out
    (secrets / "watchword_issuer").write_text("https://secret.example.com")
    assert "https://secret.example.com" in check(settings).out
    Path(".env").write_text("WATCHWORD_ISSUER=https://dotenv.example.com")
    assert "https://dotenv.example.com" in check(settings).out
    assert "https://environment.example.com" in check(settings | {"ISSUER": "https://environment.example.com"}).out


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("watchword.toml", b"issuer = ", "watchword.toml: is not TOML: Invalid value"),
        ("watchword.toml", b"\xff", "a settings file is not UTF-8 text"),
        ("watchword.toml", b'isuer = "https://a.example"', "WATCHWORD_ISUER: is not a setting. Did you mean"),
        ("watchword.toml", b"port = 70000", "WATCHWORD_PORT: "),
        (".env", b"WATCHWORD_ISUER=https://a.example", "WATCHWORD_ISUER: is not a setting. Did you mean"),
        (".env", b"WATCHWORD_PORT=70000", "WATCHWORD_PORT: "),
        (".env", b"WATCHWORD_PORT=\xff", "a settings file is not UTF-8 text"),
    ],
)
def test_a_settings_file_that_cannot_be_used_is_one_line(check: Check, name: str, content: bytes, problem: str) -> None:
    Path(name).write_bytes(content)
    assert problem in refusal(check(PRODUCTION))


def test_dotenv_may_hold_lines_of_other_programs(check: Check) -> None:
    Path(".env").write_text(f"COMPOSE_PROJECT_NAME=shop\nWATCHWORD_SECRET_KEY={SECRET_KEY}\n")
    assert check({"ISSUER": "https://id.example.com"}).status == 0


def test_outside_production_a_secret_key_is_made_and_kept_private(check: Check, tmp_path: Path) -> None:
    assert check(DEVELOPMENT).status == 0
    secret = tmp_path / "watchword.secret"
    remember_secret(first := secret.read_text())
    assert len(first) >= 43
    assert secret.stat().st_mode & 0o777 == 0o600
    assert check(DEVELOPMENT).status == 0
    assert secret.read_text() == first


def test_the_command_line_ends_with_status_2_and_one_line(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    for arguments in (["config", "check"], ["serve"], ["clients", "list"], ["db", "upgrade"]):
        done = subprocess.run(
            [sys.executable, "-m", "watchword", *arguments],
            env=clean | {"WATCHWORD_ISUER": "https://id.example.com"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "watchword: WATCHWORD_ISUER: is not a setting. Did you mean WATCHWORD_ISSUER?\n"
    assert not list(tmp_path.iterdir())
