"""Vectors as data: from the specifications, and corpora of hostile input. Each entry says why it is there."""

import json
from pathlib import Path
from typing import Any


def vectors(name: str) -> Any:
    """Return the vectors of one file."""
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
