"""The tables beside the peers: ratios, and whether what was promised is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.contender import OURS, Name
from bench.goals import GOALS, SLOWEST
from bench.lines import CLIENT_SHARE, Line, line_of
from bench.load import Load
from bench.plan import BESIDE, CROWD
from bench.rounds import Key, Measured
from bench.scenarios import LOGINS


@dataclass(frozen=True, slots=True)
class Beside:
    """One scenario at ours and at a peer."""

    scenario: str
    ours: Line
    peer: Line
    goal: float

    @property
    def ratio(self) -> float:
        """Our operations per second to the peer's."""
        return self.ours.rate / self.peer.rate

    @property
    def p99_ratio(self) -> float:
        """Our p99 to the peer's."""
        return self.ours.p99 / self.peer.p99

    @property
    def cpu_ratio(self) -> float:
        """The peer's CPU time for an operation to ours: what the rates' ratio is without waiting and noise."""
        return self.peer.cpu / self.ours.cpu


def compare(loads: Mapping[Key, Sequence[Load]], ours: Name, peer: Name, goals: Mapping[str, float]) -> list[Beside]:
    """Return the lines of two contenders for which both were measured."""
    return [
        Beside(scenario, line_of(loads[ours, scenario, BESIDE]), line_of(loads[peer, scenario, BESIDE]), goal)
        for scenario, goal in goals.items()
        if loads.get((ours, scenario, BESIDE)) and loads.get((peer, scenario, BESIDE))
    ]


def comparisons(measured: Measured) -> str:
    """Write a table for each pair that was measured, and what a crowd met."""
    tables = []
    for ours, peer, goals in GOALS:
        beside = compare(measured.loads, ours, peer, goals)
        if beside:
            tables.append(_table(ours, peer, beside))
    return "\n".join([*tables, *_crowds(measured.loads)])


def verdict(*, met: bool) -> str:
    """Return how a goal stands."""
    return "met" if met else "**missed**"


def _table(ours: Name, peer: Name, beside: Sequence[Beside]) -> str:
    head = (
        "| operation | per second, ours / peer | ratio | goal | | p99 ms, ours / peer | no worse "
        "| CPU µs, ours / peer | CPU ratio |"
    )
    rows = [
        f"| {each.scenario} | {each.ours.rate:,.0f}{_bound(each.ours)} / {each.peer.rate:,.0f}{_bound(each.peer)} "
        f"| **{each.ratio:.2f}** | {each.goal:.1f} | {verdict(met=each.ratio >= each.goal)} "
        f"| {each.ours.p99:.1f} / {each.peer.p99:.1f} | {verdict(met=each.p99_ratio <= SLOWEST)} "
        f"| {each.ours.cpu:,.0f} / {each.peer.cpu:,.0f} | {each.cpu_ratio:.2f} |"
        for each in beside
    ]
    return "\n".join([f"### {ours} beside {peer}, {BESIDE} connections\n", head, "|---" * 9 + "|", *rows, ""])


def _bound(line: Line) -> str:
    return " (!)" if line.client_share > CLIENT_SHARE else ""


def _crowds(loads: Mapping[Key, Sequence[Load]]) -> list[str]:
    keys = [(name, login, count) for name in OURS for login in LOGINS for count in (BESIDE, CROWD)]
    rows = [_crowd(key, loads[key]) for key in keys if loads.get(key)]
    if not rows:
        return []
    head = ["| logins | connections | made | errors | goal: none | p50 / p99 ms |", "|---" * 6 + "|"]
    return ["### Logins under load\n", *head, *rows, ""]


def _crowd(key: Key, rounds: Sequence[Load]) -> str:
    name, scenario, connections = key
    line, made = line_of(rounds), sum(load.operations for load in rounds)
    return (
        f"| {name}: {scenario} | {connections} | {made:,} | {line.errors} | {verdict(met=not line.errors)} "
        f"| {line.p50:.1f} / {line.p99:.1f} |"
    )
