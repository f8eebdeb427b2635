"""Run the whole suite in two lanes side by side, since most tests wait for processes: `suite.py`.

Each lane is a pytest of its own with its own folders of tests, stores and logs, and looks for secrets in its logs at
its end. What must be true of the whole suite is looked at after both. One lane prints as it goes, the other at its end.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
# The folders that take longest, so that both lanes end at about the same time; every other folder is in the second.
FIRST_LANE = frozenset({"journeys", "login", "workspace"})
OF_EACH_LANE = TESTS / "test_zz_log_sweep.py"
OF_THE_WHOLE = TESTS / "test_zz_event_matrix.py"


def lanes() -> tuple[list[Path], list[Path]]:
    """Return the folders of both lanes: each folder that holds tests is in one of them."""
    folders = sorted({path.parent for path in TESTS.glob("*/test_*.py")})
    first = [folder for folder in folders if folder.name in FIRST_LANE]
    return first, [folder for folder in folders if folder.name not in FIRST_LANE]


def main() -> int:
    """Return 0 when every test of every lane passed."""
    stray = sorted({*TESTS.glob("test_*.py")} - {OF_EACH_LANE, OF_THE_WHOLE})
    if stray:
        print(f"in no lane: {', '.join(path.name for path in stray)}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="watchword-suite-") as folder:
        environment = os.environ | {"TEST_EVENTS_FOLDER": folder}
        first, second = lanes()
        beside = subprocess.Popen(
            _pytest(*second, OF_EACH_LANE),
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        statuses = [subprocess.run(_pytest(*first, OF_EACH_LANE), cwd=ROOT, env=environment, check=False).returncode]
        print(beside.communicate()[0], end="", flush=True)
        statuses.append(beside.returncode)
        statuses.append(subprocess.run(_pytest(OF_THE_WHOLE), cwd=ROOT, env=environment, check=False).returncode)
    return 0 if not any(statuses) else 1


def _pytest(*paths: Path) -> list[str]:
    return [sys.executable, "-m", "pytest", *(str(path.relative_to(ROOT)) for path in paths)]


if __name__ == "__main__":
    sys.exit(main())
