"""Counting for Prometheus. Off until `enable`: before that every function returns at once.

Labels come from closed sets (a route's template, a channel, the name of a limit) and never say who or what was sent.
With several workers the counts live in files of `PROMETHEUS_MULTIPROC_DIR`, which the parent makes before they start;
whichever worker is asked adds them up, those of workers that died included, because a count must not go back. Gauges
are not kept at all: the worker that is asked looks when it is asked.

One call costs 1 to 3 microseconds when enabled.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram
    from prometheus_client.metrics_core import Metric

MEDIA_TYPE = "text/plain; version=0.0.4"
MOST_SERIES = 1000  # of one meter; a label that turned out not to be closed cannot fill the memory
OTHER = "other"
NONE = ""  # the value of a label that does not apply
PREFIX = "watchword_"
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

T = TypeVar("T", "Counter", "Histogram")


class _Meter(Generic[T]):
    """A metric and its series, found by their labels without the library's lock."""

    __slots__ = ("_metric", "_series")

    def __init__(self, metric: T) -> None:
        self._metric: Any = metric
        self._series: dict[tuple[str, ...], T] = {}

    def of(self, *labels: str) -> T:
        found = self._series.get(labels)
        if found is None:
            known = labels if len(self._series) < MOST_SERIES else (OTHER,) * len(labels)
            found = self._metric.labels(*known)
            if known is labels:
                self._series[labels] = found
        return found


@dataclass(frozen=True, slots=True)
class _Meters:
    """Every meter, and the registry that shows them."""

    registry: CollectorRegistry
    requests: _Meter[Histogram]
    events: _Meter[Counter]
    events_suppressed: _Meter[Counter]
    codes_requested: _Meter[Counter]
    messages: _Meter[Counter]
    codes_checked: _Meter[Counter]
    refusals: _Meter[Counter]
    tokens: _Meter[Counter]
    store_errors: _Meter[Counter]


_meters: _Meters | None = None


@dataclass(frozen=True, slots=True)
class Gauge:
    """Something as it stands now: a value, or one for each value of a label."""

    name: str
    help: str
    values: Mapping[str, float]
    label: str = ""


def enable() -> None:
    """Begin to count in this process."""
    global _meters  # noqa: PLW0603 - one process counts once
    if _meters is None:
        _meters = _make_meters()


def observe_request(endpoint: str, method: str, status: int, seconds: float) -> None:
    """Count an answered request and its time. `endpoint` is the route's template, never the path that was asked for."""
    if _meters is not None:
        known = method if method in _METHODS else OTHER
        _meters.requests.of(endpoint, known, f"{status // 100}xx").observe(seconds)


def event_recorded(name: str) -> None:
    """Count an event, whether the audit trail keeps it or not."""
    if _meters is not None:
        _meters.events.of(name).inc()


def event_suppressed(name: str) -> None:
    """Count an event that the audit trail does not keep."""
    if _meters is not None:
        _meters.events_suppressed.of(name).inc()


def code_requested(channel: str, outcome: str) -> None:
    """Count a request for a one-time code."""
    if _meters is not None:
        _meters.codes_requested.of(channel, outcome).inc()


def message_sent(channel: str, gateway: str, outcome: str) -> None:
    """Count one attempt to send a message."""
    if _meters is not None:
        _meters.messages.of(channel, gateway, outcome).inc()


def code_checked(outcome: str) -> None:
    """Count a one-time code that was typed."""
    if _meters is not None:
        _meters.codes_checked.of(outcome).inc()


def refused(limit: str, scope: str) -> None:
    """Count a refusal by a limit."""
    if _meters is not None:
        _meters.refusals.of(limit, scope).inc()


def token_issued(grant_type: str) -> None:
    """Count a token response."""
    if _meters is not None:
        _meters.tokens.of(grant_type).inc()


def store_error(kind: str) -> None:
    """Count a request that a store did not serve."""
    if _meters is not None:
        _meters.store_errors.of(kind).inc()


def exposition(gauges: Sequence[Gauge]) -> bytes:
    """Return everything that was counted in all workers and the gauges given, as text of `MEDIA_TYPE`.

    Reads the files of all workers, which takes milliseconds: not for the loop's thread.
    """
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - only where it is enabled

    looked_at = CollectorRegistry()
    looked_at.register(_Gauges(gauges))
    counted = generate_latest(_meters.registry) if _meters is not None else b""
    return counted + generate_latest(looked_at)


class _Gauges:
    """Gauges as the library collects them; its own would be kept, for each worker apart."""

    def __init__(self, gauges: Sequence[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

        for gauge in self._gauges:
            family = GaugeMetricFamily(PREFIX + gauge.name, gauge.help, labels=[gauge.label] if gauge.label else [])
            for value, number in gauge.values.items():
                family.add_metric([value] if gauge.label else [], number)
            yield family


def _make_meters() -> _Meters:
    from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    of_one_process: CollectorRegistry | None = registry
    if FOLDER_VARIABLE in os.environ:
        of_one_process = None
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]

    def counter(name: str, text: str, *labels: str) -> _Meter[Counter]:
        return _Meter(Counter(PREFIX + name, text, labels, registry=of_one_process))

    latency = Histogram(
        PREFIX + "request_seconds", "Answered requests and their time, by route.", ("endpoint", "method", "status"),
        buckets=_SECONDS, registry=of_one_process,
    )  # fmt: skip
    return _Meters(
        registry=registry,
        requests=_Meter(latency),
        events=counter("events", "Events, by their name in the catalogue.", "event"),
        events_suppressed=counter("events_suppressed", "Events that the audit trail does not keep.", "event"),
        codes_requested=counter("codes_requested", "Requests for a one-time code.", "channel", "outcome"),
        messages=counter("messages", "Attempts to send a message.", "channel", "gateway", "outcome"),
        codes_checked=counter("codes_checked", "One-time codes that were typed.", "outcome"),
        refusals=counter("refusals", "Guesses that a limit refused before they were compared.", "limit", "scope"),
        tokens=counter("tokens", "Token responses.", "grant_type"),
        store_errors=counter("store_errors", "Requests that a store did not serve.", "kind"),
    )
