"""Browser mode: logging people in with a cookie."""
