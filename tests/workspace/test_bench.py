"""The benchmarks run: one that fails, or that leaves a scenario out, must not wait for a release to be seen."""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

from bench.comparison import compare, comparisons
from bench.contender import Name
from bench.cookies import CookieJar
from bench.goals import GOALS
from bench.lines import line_of, percentile
from bench.load import Answer, Load, Operation, Sender, measure_load
from bench.ours import prepare, running_ours
from bench.people import PEOPLE, person
from bench.plan import BESIDE, CROWD, parse_arguments
from bench.population import COLUMNS, batches
from bench.report import DOCUMENT, LIMIT_NAMES
from bench.rounds import Measured
from bench.scenarios import BESIDE_NODE, OF_OURS, SCENARIOS, USERINFO, Work
from bench.server import Server
from bench.stored import stored
from bench.walks import sign_in

_ROOT = Path(__file__).parent.parent.parent
_PEERS = _ROOT / "bench" / "peers"
_CELLS = 7  # name, rate, latencies, CPU, limit, ratio, client


def test_a_quick_run_measures_every_scenario_at_both_loads_without_an_error() -> None:
    before = DOCUMENT.read_bytes()
    command = [sys.executable, "-m", "bench", "--quick", "--pair", "embedded", "--peer", "none"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "skipped" not in done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    loads = [cells for cells in rows if len(cells) == _CELLS and cells[0] != "operation"]
    assert [cells[0] for cells in loads] == [scenario.name for scenario in SCENARIOS] * 2
    assert all(float(cells[1].replace(",", "")) > 0 for cells in loads)
    first = {cells[0] for cells in rows}
    assert first >= set(LIMIT_NAMES.values()) | {"idle worker, resident MB", f"{Name.EMBEDDED}: login, ES256"}
    assert DOCUMENT.read_bytes() == before, "a quick run writes nothing"


def test_people_sign_in_to_accounts_they_had_with_limits_in_force(tmp_path: Path) -> None:
    prepared = asyncio.run(prepare(tmp_path / "state", 20))
    assert "WATCHWORD_TEST_LIMITS" not in prepared.environment
    assert prepared.environment["WATCHWORD_ENV"] != "test"

    async def sign_in_some() -> None:
        async with running_ours(Name.EMBEDDED, prepared, tmp_path / "log") as contender:
            for _ in range(3):
                _, tokens = await sign_in(contender, contender.clients.es256)
                assert tokens["id_token"]

    asyncio.run(sign_in_some())
    with sqlite3.connect(tmp_path / "state" / "watchword.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM account").fetchone() == (20,)
        addresses = {
            address for (address,) in database.execute("SELECT address FROM session WHERE user_agent = 'bench'")
        }
    assert {person(number).address for number in range(4)} <= addresses


def test_a_limit_is_the_sum_of_what_the_work_needs() -> None:
    limits = {"get": 1.0, "post": 2.0, "read": 4.0, "write": 8.0, "commit": 16.0}
    signing = {"es256": 32.0, "rs256": 64.0, "verification": 128.0}
    everything = Work(gets=1, posts=1, reads=1, writes=1, commits=1, es256=1, rs256=1, verifications=1)
    assert everything.limit(limits | signing) == 255.0
    assert Work(posts=1, writes=3, commits=1).limit(limits | signing) == 42.0


def _load(*, seconds: float = 1.0, latency: float = 0.01, operations: int = 100, errors: tuple[str, ...] = ()) -> Load:
    return Load(operations, seconds, operations * 0.0001, 0.1, [latency] * operations, errors)


def test_beside_a_peer_throughput_and_p99_are_judged_apart() -> None:
    measured = Measured()
    measured.loads[Name.EMBEDDED, USERINFO, BESIDE] = [_load(operations=200, latency=0.03)]
    measured.loads[Name.NODE_MEMORY, USERINFO, BESIDE] = [_load(operations=100, latency=0.01)]
    (beside,) = compare(measured.loads, Name.EMBEDDED, Name.NODE_MEMORY, {USERINFO: 2.0})
    assert (beside.ratio, round(beside.p99_ratio, 6), round(beside.cpu_ratio, 6)) == (2.0, 3.0, 1.0)
    (row,) = [line for line in comparisons(measured).splitlines() if line.startswith(f"| {USERINFO}")]
    assert row.split(" | ")[2:5] == ["**2.00**", "2.0", "met"]
    assert "30.0 / 10.0 | **missed**" in row


def test_a_goal_below_the_ratio_is_missed() -> None:
    measured = Measured()
    measured.loads[Name.EMBEDDED, USERINFO, BESIDE] = [_load(operations=199)]
    measured.loads[Name.NODE_MEMORY, USERINFO, BESIDE] = [_load(operations=100)]
    assert "**1.99** | 2.0 | **missed**" in comparisons(measured)


def test_errors_of_a_crowd_are_counted_over_all_rounds_and_end_the_run() -> None:
    measured = Measured()
    key = (Name.EMBEDDED, "login, RS256", CROWD)
    measured.loads[key] = [_load(), _load(errors=("POST /login answered 500 in place of 303",) * 2)]
    assert "| 64 | 200 | 2 | **missed** |" in comparisons(measured)
    (line,) = measured.errors()
    assert "2 errors, as POST /login answered 500" in line


def test_every_operation_of_the_peer_has_a_goal_and_no_other() -> None:
    for ours, peer, goals in GOALS:
        wanted = {"login, RS256"} if peer is Name.FLASK else BESIDE_NODE
        assert set(goals) == wanted, (ours, peer)


def test_figures_are_medians_of_rounds() -> None:
    line = line_of([_load(operations=count) for count in (10, 30, 1000)])
    assert line.rate == 30
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([], 0.99) == 0.0


def _answering(answers: list[bytes], operation: Operation, seconds: float = 0.0) -> Load:
    """Measure an operation at a server that gives these answers in turn."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        writer.close()

    async def measure() -> Load:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port: int = server.sockets[0].getsockname()[1]
            return await measure_load(Server(port, os.getpid(), 0.0), [operation], seconds)

    return asyncio.run(measure())


async def _ask(sender: Sender) -> float:
    await sender.fetch(b"GET / HTTP/1.1\r\n\r\n", 200)
    return 0.0


def test_an_answer_of_another_status_is_an_error_that_ends_its_connection() -> None:
    fine = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    load = _answering([fine, b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", fine], _ask, seconds=5)
    assert (load.operations, load.errors) == (1, ["GET / HTTP/1.1 answered 500 in place of 200"])


def test_a_connection_that_closes_is_an_error() -> None:
    load = _answering([], _ask)
    assert load.operations == 0
    assert load.errors[0].startswith("the connection closed")


def test_waiting_for_a_message_is_not_the_answers_time() -> None:
    async def wait(_sender: Sender) -> float:
        started = time.perf_counter()
        await asyncio.sleep(0.05)
        return time.perf_counter() - started

    assert _answering([], wait).latencies[0] < 0.04


def test_a_jar_sends_cookies_where_their_paths_lead_and_forgets_what_is_taken_back() -> None:
    jar = CookieJar()
    jar.keep(Answer(200, b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; path=/auth/x; httponly\r\nset-cookie: b=2", b""))
    assert jar.header("/auth/x?y=1") == "a=1; b=2"
    assert jar.header("/auth/x/deeper") == "a=1; b=2"
    assert jar.header("/auth/xyz") == "b=2"
    jar.keep(Answer(200, b"HTTP/1.1 200 OK\r\nset-cookie: b=; Path=/", b""))
    assert jar.header("/") == ""


def test_nobody_shares_an_identifier_or_a_network_with_a_neighbour() -> None:
    people = [person(number) for number in range(PEOPLE)]
    assert len({each.identifier for each in people}) == PEOPLE
    assert len({each.address for each in people}) == PEOPLE
    networks = [each.address.rpartition(".")[0] for each in people]
    assert all(one != other for one, other in pairwise(networks))


def test_a_population_is_as_large_as_asked_and_every_key_is_new() -> None:
    tables: dict[str, list[tuple[object, ...]]] = {name: [] for name in COLUMNS}
    for batch in batches(25_000, client_id="client", mac_kid="kid", now=1):
        for name, rows in batch.items():
            tables[name] += rows
    assert {name: len(rows) for name, rows in tables.items()} == {
        "account": 25_000,
        "identifier": 25_000,
        "session": 2_500,
        "authorization_grant": 2_500,
        "refresh_family": 2_500,
    }
    for name, rows in tables.items():
        assert len({row[0] for row in rows}) == len(rows), name
        assert all(len(row) == len(COLUMNS[name]) for row in rows), name


def test_what_is_stored_is_told_apart_by_kind(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "watchword.sqlite3") as durable:
        durable.execute("CREATE TABLE session (id TEXT PRIMARY KEY)")
        durable.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, name TEXT)")
        durable.execute("CREATE INDEX events ON audit_event (name)")
    with sqlite3.connect(tmp_path / "ephemeral.sqlite3") as ephemeral:
        ephemeral.execute("CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
    before = stored(tmp_path)
    with sqlite3.connect(tmp_path / "watchword.sqlite3") as durable:
        durable.executemany("INSERT INTO audit_event (name) VALUES (?)", [("x" * 500,)] * 2000)
    with sqlite3.connect(tmp_path / "ephemeral.sqlite3") as ephemeral:
        ephemeral.executemany("INSERT INTO entries VALUES (?, ?)", ((f"mailbox:{n}", "x" * 500) for n in range(2000)))
    added = stored(tmp_path).since(before)
    assert 2.0 < added.trail < 3.0, "a megabyte in the table and one in its index"
    assert -0.01 < added.state < 0.01, "the mailbox is left out"
    assert added.for_each(2000, 4000).trail == added.trail * 2


def test_a_run_that_leaves_something_out_writes_no_document() -> None:
    _, everything, _ = parse_arguments([])
    assert everything.whole
    for arguments in (["--only", "login"], ["--pair", "embedded"], ["--peer", "none"]):
        _, selection, _ = parse_arguments(arguments)
        assert not selection.whole, arguments


def test_only_chooses_by_parts_of_names_and_keeps_the_floors() -> None:
    _, selection, _ = parse_arguments(["--only", "refresh, opaque"])
    assert [each.name for each in selection.scenarios()] == [
        "bare GET",
        "bare POST",
        "client_credentials, opaque",
        "refresh, RS256",
        "refresh, ES256",
    ]


def test_every_operation_of_ours_is_explained_in_the_document() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    explained = text.partition("## What is measured")[2].partition("## ")[0]
    assert all(name in explained for name in OF_OURS)
    for section in ("measured", "scale"):
        assert f"<!-- {section}: begin -->" in text
        assert f"<!-- {section}: end -->" in text


def test_peers_are_pinned_exactly_and_name_no_address() -> None:
    package = json.loads((_PEERS / "oidc_provider" / "package.json").read_text())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["dependencies"].values())
    requirements = (_PEERS / "authlib_flask" / "requirements.txt").read_text().splitlines()
    assert all(re.match(r"[a-z0-9-]+==[0-9.]+( ;|$)", line) for line in requirements)
