"""From rounds to tables: medians, ratios to the limit, and the measured section of docs/benchmarks.md."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.load import Load
from bench.scenarios import SCENARIOS, Scenario
from watchword.keys.keyring import RSA_BITS

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"
# Above this the client, not the server, begins to bound the requests per second; CPU per operation stays true.
CLIENT_SHARE = 0.65

LIMIT_NAMES = {
    "rs256": f"RS256 signature, RSA {RSA_BITS}",
    "es256": "ES256 signature",
    "verification": "ES256 verification",
    "read": "SQLite: read one row by a key",
    "write": "SQLite: insert one row, inside a transaction",
    "commit": "SQLite: begin and commit a transaction (WAL, synchronous NORMAL)",
}

MiddlewareRow = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """All rounds of a run. Loads by scenario's name and connections; raw limits by name, in CPU microseconds."""

    loads: Mapping[tuple[str, int], Sequence[Load]]
    limits: Mapping[str, Sequence[float]]
    middleware: Sequence[MiddlewareRow]
    connections: Sequence[int]


@dataclass(frozen=True, slots=True)
class Line:
    """One scenario at one number of connections: medians of its rounds. Times in milliseconds and CPU microseconds."""

    name: str
    rate: float
    p50: float
    p99: float
    cpu: float
    limit: float
    client_share: float

    @property
    def ratio(self) -> float:
        """How many times the limit an operation costs."""
        return self.cpu / self.limit


def lines(measured: Measured, connections: int) -> list[Line]:
    """Return the lines of a table, in the order of SCENARIOS."""
    limits = {name: statistics.median(values) for name, values in measured.limits.items()}
    limits["get"] = _cpu(measured.loads["bare GET", connections])
    limits["post"] = _cpu(measured.loads["bare POST", connections])
    return [_line(each, measured.loads[each.name, connections], limits) for each in SCENARIOS]


def markdown(measured: Measured) -> str:
    """Write the tables."""
    parts = [_quiet(measured), _limits_table(measured)]
    parts += [_loads_table(connections, lines(measured, connections)) for connections in measured.connections]
    parts.append(_middleware_table(measured.middleware))
    return "\n".join(parts)


def write_document(text: str) -> None:
    """Put the tables between the markers of the document.

    Raises:
        ValueError: the document has no markers.
    """
    before, begin, rest = DOCUMENT.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"{DOCUMENT.name} has no markers")
    DOCUMENT.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def _line(scenario: Scenario, rounds: Sequence[Load], limits: Mapping[str, float]) -> Line:
    return Line(
        name=scenario.name,
        rate=_median(rounds, lambda load: load.operations / load.wall),
        p50=_median(rounds, lambda load: _percentile(load.latencies, 0.50)) * 1e3,
        p99=_median(rounds, lambda load: _percentile(load.latencies, 0.99)) * 1e3,
        cpu=_cpu(rounds),
        limit=scenario.work.limit(limits),
        client_share=_median(rounds, lambda load: load.client_share),
    )


def _cpu(rounds: Sequence[Load]) -> float:
    return _median(rounds, lambda load: load.server_cpu / load.operations) * 1e6


def _median(rounds: Sequence[Load], value: Callable[[Load], float]) -> float:
    return statistics.median(map(value, rounds))


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def _loads_table(connections: int, table: Sequence[Line]) -> str:
    plural = "connection" if connections == 1 else "connections"
    rows = [
        f"| {each.name} | {each.rate:,.0f} | {each.p50:.2f} / {each.p99:.2f} | {each.cpu:,.0f} | {each.limit:,.0f} "
        f"| **{each.ratio:.1f}** | {each.client_share:.0%}{' (!)' if each.client_share > CLIENT_SHARE else ''} |"
        for each in table
    ]
    head = "| operation | per second | p50 / p99 ms | server CPU µs | limit µs | times the limit | client's CPU |"
    return "\n".join([f"### {connections} {plural}\n", head, "|---|---|---|---|---|---|---|", *rows, ""])


def _quiet(measured: Measured) -> str:
    """Say how much of the busiest rounds' time the server really ran: the rest went to neighbours."""
    most = max(measured.connections)
    rounds = [load for (_, connections), loads in measured.loads.items() if connections == most for load in loads]
    share = _median(rounds, lambda load: load.server_cpu / load.wall)
    return f"With {most} connections the server had its CPU for {share:.0%} of the time.\n"


def _limits_table(measured: Measured) -> str:
    rows = [f"| {LIMIT_NAMES[name]} | {statistics.median(values):.1f} |" for name, values in measured.limits.items()]
    return "\n".join(["### Raw limits\n", "| what | CPU µs |", "|---|---|", *rows, ""])


def _middleware_table(rows: Sequence[MiddlewareRow]) -> str:
    head = ["### The middleware, in process\n", "| what | µs | times the bare check |", "|---|---|---|"]
    return "\n".join([*head, *(f"| {what} | {cost:.1f} | {ratio:.2f} |" for what, cost, ratio in rows), ""])
