"""The tables beside the raw limits, and the measured sections of docs/benchmarks.md."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.contender import Name
from bench.lines import CLIENT_SHARE, busy_share, line_of
from bench.plan import BESIDE
from bench.rounds import Measured
from bench.scenarios import BARE_GET, BARE_POST, OF_BARE, SCENARIOS, Scenario
from watchword.keys.keyring import RSA_BITS

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"

LIMIT_NAMES = {
    "rs256": f"RS256 signature, RSA {RSA_BITS}",
    "es256": "ES256 signature",
    "verification": "ES256 verification",
    "read": "SQLite: read one row by a key",
    "write": "SQLite: insert one row, inside a transaction",
    "commit": "SQLite: begin and commit a transaction (WAL, synchronous NORMAL)",
}

MiddlewareRow = tuple[str, float, float]


def limits_tables(measured: Measured) -> str:
    """Write the raw limits, and what each operation of the embedded provider costs beside them."""
    parts = [_quiet(measured), _limits_table(measured)]
    return "\n".join([*parts, *(_loads_table(measured, connections) for connections in (1, BESIDE))])


def middleware_table(rows: Sequence[MiddlewareRow]) -> str:
    """Write what the middleware adds."""
    head = ["### The middleware, in process\n", "| what | µs | times the bare check |", "|---|---|---|"]
    return "\n".join([*head, *(f"| {what} | {cost:.1f} | {ratio:.2f} |" for what, cost, ratio in rows), ""])


def write_document(text: str, section: str = "measured") -> None:
    """Put tables between the markers of a section of the document.

    Raises:
        ValueError: the document has no such markers.
    """
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    before, found, rest = DOCUMENT.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{DOCUMENT.name} has no section {section}")
    DOCUMENT.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def _loads_table(measured: Measured, connections: int) -> str:
    plural = "connection" if connections == 1 else "connections"
    limits = {name: statistics.median(values) for name, values in measured.limits.items()}
    limits["get"] = line_of(measured.loads[Name.BARE, BARE_GET, connections]).cpu
    limits["post"] = line_of(measured.loads[Name.BARE, BARE_POST, connections]).cpu
    rows = [row for each in SCENARIOS if (row := _row(measured, each, connections, limits))]
    head = "| operation | per second | p50 / p99 ms | server CPU µs | limit µs | times the limit | client's CPU |"
    title = f"### {Name.EMBEDDED} beside the limits, {connections} {plural}\n"
    return "\n".join([title, head, "|---|---|---|---|---|---|---|", *rows, ""])


def _row(measured: Measured, scenario: Scenario, connections: int, limits: Mapping[str, float]) -> str:
    """Return a line of the table; empty when the scenario was not measured."""
    name = Name.BARE if scenario.name in OF_BARE else Name.EMBEDDED
    rounds = measured.loads.get((name, scenario.name, connections))
    if not rounds:
        return ""
    line, limit = line_of(rounds), scenario.work.limit(limits)
    return (
        f"| {scenario.name} | {line.rate:,.0f} | {line.p50:.2f} / {line.p99:.2f} | {line.cpu:,.0f} | {limit:,.0f} "
        f"| **{line.cpu / limit:.1f}** | {line.client_share:.0%}{' (!)' if line.client_share > CLIENT_SHARE else ''} |"
    )


def _quiet(measured: Measured) -> str:
    rounds = [load for (_, _, connections), loads in measured.loads.items() if connections == BESIDE for load in loads]
    return f"With {BESIDE} connections a server had its CPU for {busy_share(rounds):.0%} of the time.\n"


def _limits_table(measured: Measured) -> str:
    rows = [f"| {LIMIT_NAMES[name]} | {statistics.median(values):.1f} |" for name, values in measured.limits.items()]
    return "\n".join(["### Raw limits\n", "| what | CPU µs |", "|---|---|", *rows, ""])
