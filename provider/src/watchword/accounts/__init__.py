"""Accounts: what a proof of an identifier makes of a person's record, and their consent."""

from watchword.accounts.proof import Identifier, Proof

__all__ = ["Identifier", "Proof"]
