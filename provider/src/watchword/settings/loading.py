"""Reading the settings, and saying in one line which of them cannot be used."""

import difflib
import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from watchword.settings.tree import TOML, Settings
from watchword.settings.values import PREFIX, SettingsError

_SECRETS_DIR = "WATCHWORD_SECRETS_DIR"
_CONTAINER_SECRETS = Path("/run/secrets")
_STORES = frozenset({"database_url", "ephemeral_url"})  # may hold a password
_SECRETS = _STORES | {
    name
    for name, field in Settings.model_fields.items()
    if SecretStr in (field.annotation, *get_args(field.annotation))
}


def load_settings() -> Settings:
    """Read and check the settings.

    Raises:
        SettingsError: naming the first setting that is unknown or cannot be used.
    """
    _refuse_unknown_variables(os.environ)
    secrets_dir = os.environ.get(_SECRETS_DIR)
    if secrets_dir is not None and not Path(secrets_dir).is_dir():
        raise SettingsError(_SECRETS_DIR, "is no directory", "Name the directory that holds one file for each secret.")
    try:
        arguments: dict[str, Any] = {"_secrets_dir": secrets_dir}
        settings = Settings(**arguments)
    except ValidationError as error:
        raise _problems(error) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(TOML, f"is not TOML: {error}", "Correct the file or remove it.") from None
    except UnicodeDecodeError:
        raise SettingsError(
            "settings", "a settings file is not UTF-8 text", "Correct .env or watchword.toml."
        ) from None
    if secrets_dir is not None and settings.env == "production":
        _refuse_open_secrets(Path(secrets_dir))
    return settings


def _refuse_open_secrets(folder: Path) -> None:
    """Refuse secrets that any user of the machine can read. A container's own mount is open to nobody else."""
    if folder.resolve().is_relative_to(_CONTAINER_SECRETS):
        return
    for path in sorted(folder.iterdir()):
        if path.name.upper().removeprefix(PREFIX).lower() in _SECRETS and path.stat().st_mode & stat.S_IROTH:
            raise SettingsError(
                PREFIX + path.name.upper().removeprefix(PREFIX),
                f"stands in {path}, which everybody on this machine can read",
                "`chmod o-r` it, or mount it with mode 0440.",
            )


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    known = _known_variables()
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            raise _unknown(name)


def _known_variables() -> set[str]:
    return {PREFIX + name.upper() for name in Settings.model_fields} | {_SECRETS_DIR}


def _unknown(name: str) -> SettingsError:
    known = [variable.removeprefix(PREFIX) for variable in _known_variables()]  # which all of them share
    near = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
    hint = f"Did you mean {PREFIX}{near[0]}?" if near else "Remove it; `docs/reference/settings.md` lists all of them."
    return SettingsError(name, "is not a setting", hint)


def _problems(error: ValidationError) -> SettingsError:
    """Return the first problem, with the others beside it."""
    first, *others = map(_problem, error.errors(include_url=False, include_input=False))
    return first.with_others(others)


def _problem(found: ErrorDetails) -> SettingsError:
    name = PREFIX + str(found["loc"][0]).upper().removeprefix(PREFIX) if found["loc"] else "settings"
    problem = str(found["msg"]).removeprefix("Value error, ").rstrip(".")
    if found["type"] == "missing":
        return SettingsError(name, "is required", _REMEDIES.get(name, "Set it."))
    if found["type"] == "extra_forbidden":
        return _unknown(name)
    return SettingsError(name, problem, _REMEDIES.get(name, "`docs/reference/settings.md` says what it may hold."))


_REMEDIES = {"WATCHWORD_ISSUER": "Give the provider's own URL, such as https://id.example.com."}
