"""Signing in with a one-time code: one flow with several faces (the hosted page now, the JSON API beside it)."""
