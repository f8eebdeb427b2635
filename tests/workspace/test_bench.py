"""The benchmarks run: one that fails, or that leaves a scenario out, must not wait for a release to be seen."""

import subprocess
import sys
from pathlib import Path

from bench.report import LIMIT_NAMES
from bench.scenarios import SCENARIOS, Work

_ROOT = Path(__file__).parent.parent.parent
_DOCUMENT = _ROOT / "docs" / "benchmarks.md"
_CELLS = 7  # name, rate, latencies, CPU, limit, ratio, client


def test_a_quick_run_measures_every_scenario_at_both_loads_without_an_error() -> None:
    before = _DOCUMENT.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick"], cwd=_ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    loads = [cells for cells in rows if len(cells) == _CELLS and cells[0] != "operation"]
    assert [cells[0] for cells in loads] == [scenario.name for scenario in SCENARIOS] * 2
    assert all(float(cells[1].replace(",", "")) > 0 for cells in loads)
    assert {cells[0] for cells in rows} >= set(LIMIT_NAMES.values())
    assert _DOCUMENT.read_bytes() == before, "a quick run writes nothing"


def test_a_limit_is_the_sum_of_what_the_work_needs() -> None:
    limits = {"get": 1.0, "post": 2.0, "read": 4.0, "write": 8.0, "commit": 16.0}
    signing = {"es256": 32.0, "rs256": 64.0, "verification": 128.0}
    everything = Work(gets=1, posts=1, reads=1, writes=1, commits=1, es256=1, rs256=1, verifications=1)
    assert everything.limit(limits | signing) == 255.0
    assert Work(posts=1, writes=3, commits=1).limit(limits | signing) == 42.0
