"""From rounds to figures: medians and percentiles."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.load import Load

# Above this the client, not the server, begins to bound the requests per second; CPU per operation stays true.
CLIENT_SHARE = 0.65


@dataclass(frozen=True, slots=True)
class Line:
    """One scenario at one contender: medians of its rounds. Milliseconds and CPU microseconds; errors of all rounds."""

    rate: float
    p50: float
    p99: float
    cpu: float
    client_share: float
    errors: int


def line_of(rounds: Sequence[Load]) -> Line:
    """Return the medians of some rounds."""
    return Line(
        rate=_median(rounds, lambda load: load.operations / load.wall),
        p50=_median(rounds, lambda load: percentile(load.latencies, 0.50)) * 1e3,
        p99=_median(rounds, lambda load: percentile(load.latencies, 0.99)) * 1e3,
        cpu=_median(rounds, lambda load: load.server_cpu / max(load.operations, 1)) * 1e6,
        client_share=_median(rounds, lambda load: load.client_share),
        errors=sum(len(load.errors) for load in rounds),
    )


def busy_share(rounds: Sequence[Load]) -> float:
    """Return how much of the time the server had its CPU: the rest went to neighbours, or to nobody."""
    return _median(rounds, lambda load: load.server_cpu / load.wall)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies; 0 when there are none."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else 0.0


def _median(rounds: Sequence[Load], value: Callable[[Load], float]) -> float:
    return statistics.median(map(value, rounds))
