"""Benchmarks: what a thing costs beside the raw limit of the same run."""
