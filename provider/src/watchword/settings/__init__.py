"""The settings: one frozen tree, read from the environment, `.env`, a secrets directory and a TOML file.

A wrong or unknown setting stops the start with one line that names the setting, what is wrong with its value, and the
remedy.
"""

from watchword.settings.loading import load_settings
from watchword.settings.tree import Settings
from watchword.settings.values import LOOPBACK_HOSTS, PREFIX, SettingsError, is_loopback

__all__ = ["LOOPBACK_HOSTS", "PREFIX", "Settings", "SettingsError", "is_loopback", "load_settings"]
