"""`python -m bench`: measure the provider and the middleware beside the raw limits of the same run.

The rounds of all scenarios are interleaved and every figure is a median, so that a noisy neighbour spoils all of them
alike. The tables are printed and written into docs/benchmarks.md; `--quick` runs everything once, briefly, and writes
nothing.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench import middleware
from bench.limits import Limits
from bench.load import Load, measure_load
from bench.report import LIMIT_NAMES, Measured, markdown, write_document
from bench.scenarios import SCENARIOS, Scenario
from bench.server import pin_client
from bench.surroundings import Surroundings, surroundings

Loads = dict[tuple[str, int], list[Load]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure. `seconds` is a round's length by connections."""

    rounds: int
    seconds: dict[int, float]
    limit_repetitions: int
    warm_up: float


FULL = Plan(rounds=3, seconds={1: 0.4, 16: 0.8}, limit_repetitions=1000, warm_up=0.3)
QUICK = Plan(rounds=1, seconds={1: 0.05, 16: 0.1}, limit_repetitions=100, warm_up=0.0)


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios to the raw limits of the same run.")
    parser.add_argument("--quick", action="store_true", help="once and briefly: does everything work?")
    quick = parser.parse_args().quick
    plan = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as folder:
        loads, limits = uvloop.run(_measure_all(plan, Path(folder)))
    text = markdown(Measured(loads, limits, middleware.measure(plan.rounds), tuple(plan.seconds)))
    print(text)
    if not quick:
        write_document(text)


async def _measure_all(plan: Plan, folder: Path) -> tuple[Loads, dict[str, list[float]]]:
    if not pin_client():
        print("Only one CPU: client and server share it, and no figure here means much.", file=sys.stderr)
    loads: Loads = {(s.name, c): [] for s in SCENARIOS for c in plan.seconds}
    costs: dict[str, list[float]] = {name: [] for name in LIMIT_NAMES}
    limits = Limits(folder)
    async with surroundings(folder) as around:
        for scenario in SCENARIOS:
            await _measure(around, scenario, 16, plan.warm_up)
        for number in range(plan.rounds):
            print(f"round {number + 1} of {plan.rounds}", file=sys.stderr)
            for name, cost in limits.measure(plan.limit_repetitions).items():
                costs[name].append(cost)
            for scenario in SCENARIOS:
                for connections, seconds in plan.seconds.items():
                    load = await _measure(around, scenario, connections, seconds)
                    loads[scenario.name, connections].append(load)
    limits.close()
    return loads, costs


async def _measure(around: Surroundings, scenario: Scenario, connections: int, seconds: float) -> Load:
    operations = await scenario.prepare(around, connections, seconds)
    return await measure_load(scenario.server(around), operations, seconds)


if __name__ == "__main__":
    main()
