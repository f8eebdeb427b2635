"""Measuring everything in turn, round by round, so that a noisy neighbour spoils all figures alike."""

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.contender import Contender, Name
from bench.limits import Limits
from bench.load import Load, measure_load
from bench.plan import BESIDE, Plan, connections_for
from bench.scenarios import Scenario

Key = tuple[Name, str, int]
"""A contender, a scenario, a number of connections."""


@dataclass(slots=True)
class Measured:
    """All rounds of a run. Raw limits by name, in CPU microseconds."""

    loads: dict[Key, list[Load]] = field(default_factory=lambda: defaultdict(list))
    limits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def errors(self) -> list[str]:
        """Return what went wrong, one line for each key that had errors."""
        lines = []
        for (name, scenario, connections), loads in self.loads.items():
            failed = [error for load in loads for error in load.errors]
            if failed:
                lines.append(f"{name}: {scenario} at {connections} connections: {len(failed)} errors, as {failed[0]}")
        return lines


async def measure(
    plan: Plan, contenders: Sequence[Contender], scenarios: Sequence[Scenario], limits: Limits
) -> Measured:
    """Measure every scenario at every contender that offers it."""
    pairs = [(c, s) for s in scenarios for c in contenders if s.name in c.offers]
    measured = Measured()
    for contender, scenario in pairs:
        await _measure_once(contender, scenario, BESIDE, plan.warm_up)
    for number in range(plan.rounds):
        print(f"round {number + 1} of {plan.rounds}", file=sys.stderr)
        for name, cost in limits.measure(plan.limit_repetitions).items():
            measured.limits[name].append(cost)
        for contender, scenario in pairs:
            for connections in connections_for(contender, scenario):
                load = await _measure_once(contender, scenario, connections, plan.seconds[connections])
                measured.loads[contender.name, scenario.name, connections].append(load)
    return measured


async def _measure_once(contender: Contender, scenario: Scenario, connections: int, seconds: float) -> Load:
    operations = await scenario.prepare(contender, connections, seconds)
    return await measure_load(contender.server, operations, seconds)
