"""`python -m bench --scale`: what a login and a refresh cost with a million accounts beside a thousand."""

import contextlib
import sys
from pathlib import Path

from bench.comparison import verdict
from bench.contender import Contender, Name
from bench.goals import SCALE
from bench.lines import line_of
from bench.load import Load, measure_load
from bench.ours import prepare, running_ours
from bench.plan import BESIDE, Plan
from bench.scenarios import LOGIN_ES256, REFRESH_ES256, SCENARIOS, Scenario
from bench.walks import AtMost

_SIZES = (1_000, 1_000_000)
_QUICK_SIZES = (1_000, 10_000)
_LOGINS = 250  # in a round

Loads = dict[tuple[str, int], list[Load]]


async def measure_scale(plan: Plan, folder: Path, *, quick: bool) -> tuple[str, list[str]]:
    """Run one provider on each size of store, side by side; return the table and the errors. A gigabyte on disk."""
    sizes = _QUICK_SIZES if quick else _SIZES
    scenarios = [each for each in SCENARIOS if each.name in {LOGIN_ES256, REFRESH_ES256}]
    loads: Loads = {(each.name, size): [] for each in scenarios for size in sizes}
    async with contextlib.AsyncExitStack() as stack:
        contenders = {}
        for size in sizes:
            print(f"writing {size:,} accounts", file=sys.stderr)
            prepared = await prepare(folder / str(size), size)
            running = running_ours(Name.EMBEDDED, prepared, folder / f"{size}.log")
            contenders[size] = await stack.enter_async_context(running)
        for _ in range(plan.rounds):
            for scenario in scenarios:
                for size, contender in contenders.items():
                    loads[scenario.name, size].append(await _measure_once(contender, scenario, plan.seconds[BESIDE]))
    errors = [error for rounds in loads.values() for load in rounds for error in load.errors]
    return _table(scenarios, sizes, loads), errors


async def _measure_once(contender: Contender, scenario: Scenario, seconds: float) -> Load:
    operations = await scenario.prepare(contender, BESIDE, seconds)
    if scenario.name == LOGIN_ES256:  # a thousand people cannot sign in twice in these minutes
        operations = [AtMost(_LOGINS, operations[0])] * BESIDE
    return await measure_load(contender.server, operations, seconds)


def _table(scenarios: list[Scenario], sizes: tuple[int, int], loads: Loads) -> str:
    small, large = sizes
    head = f"| operation | CPU µs, {small:,} / {large:,} accounts | ratio | at most | | errors |"
    rows = []
    for scenario in scenarios:
        few, many = line_of(loads[scenario.name, small]), line_of(loads[scenario.name, large])
        ratio = many.cpu / few.cpu
        rows.append(
            f"| {scenario.name} | {few.cpu:,.0f} / {many.cpu:,.0f} | **{ratio:.2f}** | {SCALE:g} "
            f"| {verdict(met=ratio <= SCALE)} | {few.errors + many.errors} |"
        )
    return "\n".join([head, "|---|---|---|---|---|---|", *rows, ""])
