"""The pure core: values in, values or errors out.

Nothing here does I/O, reads a clock, draws randomness or awaits. `now` is an argument, and so is every key.
"""
