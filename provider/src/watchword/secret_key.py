"""The operator's secret key; outside production one is made at first start and kept beside the database."""

import os
import secrets
from pathlib import Path

from watchword.settings import Settings, SettingsError

_FILE = "watchword.secret"


def resolve_secret_key(settings: Settings) -> str:
    """Return the secret key of the settings, or the one kept in a file only its owner can read.

    Raises:
        SettingsError: there is none and nowhere to keep one.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    if not settings.database_url.startswith("sqlite:///"):
        raise SettingsError("WATCHWORD_SECRET_KEY", "is required with this database", "Give one of 32 random bytes.")
    path = Path(settings.database_url.removeprefix("sqlite:///")).parent / _FILE
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return _make(path)


def _make(path: Path) -> str:
    """Make the file; of several processes that start at once, one makes it and the others read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = secrets.token_urlsafe(48)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret)
    return secret
