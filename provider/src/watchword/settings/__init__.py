"""The settings: one frozen tree, read from the environment, `.env`, a secrets directory and a TOML file.

A wrong or unknown setting stops the start with one line that names the setting, what is wrong with its value, and the
remedy.
"""

import os

# Settings hold secrets: no package that happens to be installed shall hook into how they are checked. Looking for such
# plugins would also read the metadata of every distribution at each start.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"

from watchword.settings.loading import load_settings
from watchword.settings.tree import Settings
from watchword.settings.values import LOOPBACK_HOSTS, PREFIX, SettingsError, is_loopback

__all__ = ["LOOPBACK_HOSTS", "PREFIX", "Settings", "SettingsError", "is_loopback", "load_settings"]
