"""Watchword: an OpenID provider that signs people in with one-time codes."""
