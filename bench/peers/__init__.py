"""The providers measured beside ours: how they are installed, started and signed in to."""
