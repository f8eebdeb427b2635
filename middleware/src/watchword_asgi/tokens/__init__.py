"""Tokens: reading and verifying them. Pure: no network, no clock of its own."""
