"""Signing in with a one-time code, and out again: one flow, whatever face it wears."""
