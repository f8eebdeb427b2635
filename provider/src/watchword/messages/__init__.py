"""Sending messages: which gateway carries one, and what became of it."""

from watchword.messages.sending import send

__all__ = ["send"]
