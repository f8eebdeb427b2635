"""Apps that show how to live with the provider, and `python -m demo_apps`, which runs them all."""
