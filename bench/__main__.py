"""`python -m bench`: measure the provider beside its peers and the raw limits of the same run.

The rounds of everything are interleaved and every figure is a median, so that a noisy neighbour spoils all of them
alike. The tables are printed; a whole run writes them into docs/benchmarks.md. `--quick` runs everything once, briefly.
"""

import sys
import tempfile
from pathlib import Path

import uvloop

from bench import middleware
from bench.arena import running_contenders
from bench.comparison import comparisons
from bench.footprint import footprint_table, measure_footprint
from bench.limits import Limits
from bench.plan import Plan, Selection, parse_arguments
from bench.report import limits_tables, middleware_table, write_document
from bench.rounds import Measured, measure
from bench.scale import measure_scale
from bench.server import pin_client


def main() -> None:
    """Run the benchmarks; exit with 1 when an operation failed."""
    plan, selection, given = parse_arguments()
    if not pin_client():
        print("Only one CPU: client and server share it, and no figure here means much.", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as name:
        if given.scale:
            text, errors = uvloop.run(measure_scale(plan, Path(name), quick=given.quick))
        else:
            text, errors = _measure_all(plan, selection, Path(name))
    print(text)
    if selection.whole and not given.quick:
        write_document(text, "scale" if given.scale else "measured")
    if errors:
        sys.exit("\n".join(errors))


def _measure_all(plan: Plan, selection: Selection, folder: Path) -> tuple[str, list[str]]:
    measured = uvloop.run(_measure_loads(plan, selection, folder))
    parts = [comparisons(measured)]
    if "embedded" in selection.pairs:
        parts.append(limits_tables(measured))
    if not selection.only:
        measuring = measure_footprint(folder / "footprint", starts=plan.starts, logins=plan.footprint_logins)
        parts.append(footprint_table(uvloop.run(measuring)))
        parts.append(middleware_table(middleware.measure(plan.rounds)))
    return "\n".join(parts), measured.errors()


async def _measure_loads(plan: Plan, selection: Selection, folder: Path) -> Measured:
    limits = Limits(folder)
    async with running_contenders(plan, selection, folder) as contenders:
        return await measure(plan, contenders, selection.scenarios(), limits)


if __name__ == "__main__":
    main()
