"""The operator's secret key, from which the roots grow; outside production one is made and kept beside the database."""

import contextlib
import os
import secrets
from pathlib import Path

from watchword.database import file_of, is_embedded
from watchword.keys.roots import Roots
from watchword.settings import Settings, SettingsError

_FILE = "watchword.secret"
_SETTING = "WATCHWORD_SECRET_KEY"
_SHORTEST = 32  # characters


def load_roots(settings: Settings) -> Roots:
    """Derive the roots from the secret key of the settings and, while it rotates, the one before it.

    Raises:
        SettingsError: as `resolve_secret_key`.
    """
    previous = settings.secret_key_previous
    return Roots.derive(resolve_secret_key(settings), previous.get_secret_value() if previous else None)


def resolve_secret_key(settings: Settings) -> str:
    """Return the secret key of the settings, or the one kept in a file only its owner can read.

    Raises:
        SettingsError: there is none and nowhere to keep one, or the file does not hold one.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    if not is_embedded(settings.database_url):
        raise SettingsError(_SETTING, "is required with this database", "Give one of 32 random bytes.")
    path = file_of(settings.database_url).with_name(_FILE)
    try:
        if not path.exists():
            _make(path)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(_SETTING, f"cannot be kept in {path}: {type(problem).__name__}", "Give one.") from None
    if len(secret) < _SHORTEST:
        raise SettingsError(_SETTING, f"is not in {path}, which holds something shorter", "Restore the file.")
    return secret


def _make(path: Path) -> None:
    """Make the file whole or not at all; of several processes that start at once, one gives it its content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{_FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename, a link never replaces the file of a faster process
    finally:
        draft.unlink()
