"""What a worker occupies: its start, its memory idle and after logins, and what sessions take in the stores."""

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.comparison import verdict
from bench.contender import Contender, Name
from bench.goals import COLD_START_SECONDS, GROWN_MEGABYTES, IDLE_MEGABYTES, STORE_MEGABYTES
from bench.load import measure_load
from bench.ours import Prepared, prepare, running_ours
from bench.provider import running_provider
from bench.server import Memory
from bench.stored import Stored, stored
from bench.walks import SignIn

_CONNECTIONS = 16
_SLICE_SECONDS = 0.5
_EXTRAPOLATED = 100_000


@dataclass(frozen=True, slots=True)
class Footprint:
    """Seconds and megabytes. `stored` is what 100,000 logins would add to the files, `logins` how many there were."""

    imported_in: float
    started_in: float
    idle: Memory
    loaded: Memory
    logins: int
    stored: Stored


async def measure_footprint(folder: Path, *, starts: int, logins: int) -> Footprint:
    """Start the embedded provider several times, then sign people in, nobody twice.

    Raises:
        RuntimeError: a login failed.
    """
    prepared = await prepare(folder, 2 * logins)
    started = [_start(prepared, folder / "start.log") for _ in range(starts)]
    async with running_ours(Name.EMBEDDED, prepared, folder / "footprint.log") as contender:
        idle, before = contender.server.memory(), stored(folder)
        done = await _sign_in_many(contender, logins)
        loaded, added = contender.server.memory(), stored(folder).since(before).for_each(done, _EXTRAPOLATED)
    return Footprint(_import(starts), statistics.median(started), idle, loaded, done, added)


def footprint_table(found: Footprint) -> str:
    """Write the table."""
    grown = found.loaded.resident - found.idle.resident
    rows = [
        _row("cold start, spawn to /healthz, s", found.started_in, COLD_START_SECONDS, 2),
        f"| of it importing the application, s | {found.imported_in:.2f} | | |",
        _row("idle worker, resident MB", found.idle.resident, IDLE_MEGABYTES, 0),
        f"| idle worker, proportional MB (PSS) | {found.idle.proportional:.0f} | | |",
        _row(f"growth over {found.logins:,} logins, resident MB", grown, GROWN_MEGABYTES, 0),
        _row(f"both files, MB for each {_EXTRAPOLATED:,} sessions", found.stored.state, STORE_MEGABYTES, 0),
        f"| audit trail, MB for each {_EXTRAPOLATED:,} logins | {found.stored.trail:.0f} | | |",
    ]
    head = ["### Footprint\n", f"| {Name.EMBEDDED}, one worker | measured | at most | |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _row(what: str, value: float, most: float, digits: int) -> str:
    return f"| {what} | {value:.{digits}f} | {most:g} | {verdict(met=value <= most)} |"


def _start(prepared: Prepared, log: Path) -> float:
    with running_provider(prepared.environment, log, ready="/healthz") as server:
        return server.started_in


def _import(times_over: int) -> float:
    times = []
    for _ in range(times_over):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import watchword.app"], check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


async def _sign_in_many(contender: Contender, logins: int) -> int:
    done = 0
    while done < logins:
        load = await measure_load(
            contender.server, [SignIn(contender, contender.clients.es256)] * _CONNECTIONS, _SLICE_SECONDS
        )
        if load.errors:
            raise RuntimeError(f"a login failed: {load.errors[0]}")
        done += load.operations
    return done
