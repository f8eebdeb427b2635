"""How much one clean-up statement deletes at most."""

BATCH = 500
