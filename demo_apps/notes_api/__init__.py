"""An API that takes access tokens."""
