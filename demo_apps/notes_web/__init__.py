"""A web app that people sign in to."""
