"""What must never reach a log, noted down by the tests that handle it; a test at the end greps all logs for it."""

import os
import shutil
from pathlib import Path

_FOLDER = Path(os.environ.get("WATCHWORD_TEST_LOGS", f"/tmp/watchword-test-logs-{os.getpid()}"))
os.environ["WATCHWORD_TEST_LOGS"] = str(_FOLDER)
_secrets: set[str] = set()


def remember_secret(value: str) -> str:
    """Note a code, token, cookie, secret or whole identifier."""
    _secrets.add(value)
    return value


def remembered_secrets() -> frozenset[str]:
    """Return everything noted so far."""
    return frozenset(_secrets)


def log_file(name: str) -> Path:
    """Return a new file for the output of a process."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    number = len(list(_FOLDER.iterdir()))
    return _FOLDER / f"{number:04d}-{name}.log"


def log_files() -> list[Path]:
    """Return every log written so far."""
    return sorted(_FOLDER.glob("*.log")) if _FOLDER.exists() else []


def remove_logs() -> None:
    """Forget every log."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
