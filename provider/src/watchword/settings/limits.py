"""Settings of limits: how often a code may be asked for and guessed."""

from pydantic import BaseModel


class LimitSettings(BaseModel):
    """What bounds strangers."""
