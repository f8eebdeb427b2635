"""What a server must be to hold our state: read from what it says about itself."""

import re
from collections.abc import Mapping
from typing import Any

from watchword.ephemeral.store import StoreUnfit

_OLDEST = (6, 2)


def check_information(information: Mapping[str, Any]) -> None:
    """Refuse a server that would forget what it was told, or is too old.

    Args:
        information: the fields of `INFO`. Valkey names there the version of Redis that it stands for.

    Raises:
        StoreUnfit: with what to set.
    """
    version = str(information.get("redis_version", ""))
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < _OLDEST:
        raise StoreUnfit(
            f"Redis {version or 'of an unknown version'} is too old", "Run Redis 6.2, Valkey 7.2 or newer."
        )
    policy = information.get("maxmemory_policy")
    if policy != "noeviction":
        # A challenge, a used token's id or a limit that is evicted is one that never was.
        raise StoreUnfit(f"Redis evicts keys when its memory is full ({policy})", "Set maxmemory-policy noeviction.")


def forgets_on_restart(information: Mapping[str, Any]) -> bool:
    """Whether a restart loses everything: no append-only file, and no snapshots as far as the server tells."""
    return str(information.get("aof_enabled", "0")) == "0" and information.get("save") == ""
