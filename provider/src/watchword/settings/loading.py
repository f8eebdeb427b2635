"""Reading the settings, and saying in one line which of them cannot be used."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from watchword.settings.tree import TOML, Settings
from watchword.settings.values import PREFIX, SettingsError

_SECRETS_DIR = "WATCHWORD_SECRETS_DIR"


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
        return Settings(**arguments)
    except ValidationError as error:
        raise _first_problem(error) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(TOML, f"is not TOML: {error}", "Correct the file or remove it.") from None
    except UnicodeDecodeError:
        raise SettingsError(
            "settings", "a settings file is not UTF-8 text", "Correct .env or watchword.toml."
        ) from None


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    known = _known_variables()
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            raise _unknown(name)


def _known_variables() -> set[str]:
    return {PREFIX + name.upper() for name in Settings.model_fields} | {_SECRETS_DIR}


def _unknown(name: str) -> SettingsError:
    near = difflib.get_close_matches(name, _known_variables(), n=1)
    hint = f"Did you mean {near[0]}?" if near else "Remove it; `docs/reference/settings.md` lists all of them."
    return SettingsError(name, "is not a setting", hint)


def _first_problem(error: ValidationError) -> SettingsError:
    first = error.errors(include_url=False, include_input=False)[0]
    name = PREFIX + str(first["loc"][0]).upper().removeprefix(PREFIX) if first["loc"] else "settings"
    problem = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    if first["type"] == "missing":
        return SettingsError(name, "is required", _REMEDIES.get(name, "Set it."))
    if first["type"] == "extra_forbidden":
        return _unknown(name)
    return SettingsError(name, problem, _REMEDIES.get(name, "`docs/reference/settings.md` says what it may hold."))


_REMEDIES = {"WATCHWORD_ISSUER": "Give the provider's own URL, such as https://id.example.com."}
