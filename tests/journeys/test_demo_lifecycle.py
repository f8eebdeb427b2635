"""How the demo starts and stops: one line when it cannot, nothing left when it ends."""

import json
import os
import signal
import socket
from pathlib import Path

from demo_apps.addresses import Addresses
from demo_apps.registration import Registration, recall
from tests.journeys.demo import (
    RunningDemo,
    free_port_base,
    group_members,
    press_ctrl_c,
    running_demo,
    start_demo,
)


def test_the_demo_remembers_between_starts_forgets_on_reset_and_leaves_nothing_running(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with running_demo(folder) as first:
        client = first.remembered()
        assert (folder / "clients.json").stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700
        check_banner(first)
        press_ctrl_c(first.process)
        check_ended(first, status=0)

    with running_demo(folder, port_base=first.port_base) as second:
        assert second.remembered() == client
        [api] = [
            each for each in group_members(second.process.pid) if any("notes_api" in word for word in each.cmdline())
        ]
        api.kill()
        check_ended(second, status=1)
        assert "notes_api stopped" in second.said

    (folder / "mine.txt").write_text("not the demo's")
    with running_demo(folder, "--reset", port_base=first.port_base) as third:
        assert third.remembered()["client_id"] != client["client_id"]
        assert (folder / "mine.txt").exists()
        os.kill(third.process.pid, signal.SIGTERM)
        check_ended(third, status=0)


def check_banner(demo: RunningDemo) -> None:
    """Check that it says where to click, and nothing secret."""
    for address in (demo.notes_web, demo.notes_api, demo.mailbox):
        assert address in demo.said
    client = demo.remembered()
    assert client["client_secret"] not in demo.said
    assert client["cookie_key"] not in demo.said


def check_ended(demo: RunningDemo, *, status: int) -> None:
    """Check that nothing runs and nothing listens any more."""
    assert demo.wait() == status, demo.said
    assert group_members(demo.process.pid) == []
    for port in range(demo.port_base, demo.port_base + 3):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_what_is_remembered_counts_only_for_its_ports_and_its_database(tmp_path: Path) -> None:
    kept = {"client_id": "c", "client_secret": "s", "cookie_key": "k"}
    (tmp_path / "clients.json").write_text(json.dumps({"9000": kept, "9100": {"client_id": "c"}}))
    assert recall(Addresses(9000), tmp_path) is None
    (tmp_path / "watchword.sqlite3").touch()
    assert recall(Addresses(9000), tmp_path) == Registration("c", "s", "k")
    assert recall(Addresses(9100), tmp_path) is None
    assert recall(Addresses(19000), tmp_path) is None
    for damaged in ("", "[]", '{"9000": 1}', "{"):
        (tmp_path / "clients.json").write_text(damaged)
        assert recall(Addresses(9000), tmp_path) is None


def test_a_taken_port_is_one_line_that_names_it_and_nothing_starts(tmp_path: Path) -> None:
    base = free_port_base()
    for taken, host in ((base, "127.0.0.1"), (base + 1, "127.0.0.1"), (base + 2, "0.0.0.0")):
        with socket.create_server((host, taken)):
            demo = start_demo("--port-base", str(base), "--folder", str(tmp_path / "state"))
            said = demo.communicate(timeout=30)[0].decode()
        assert demo.returncode == 1
        assert said.count("\n") == 1
        assert f"port {taken} " in said
        assert "PORT_BASE=" in said
        assert group_members(demo.pid) == []
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_it_starts_leaves_nothing_running(tmp_path: Path) -> None:
    demo = start_demo("--port-base", str(free_port_base()), "--folder", str(tmp_path))
    assert demo.stdout is not None
    assert demo.stdout.readline() == b"Starting ...\n"
    press_ctrl_c(demo)
    said = demo.communicate(timeout=40)[0].decode()
    assert demo.returncode == 0, said
    assert "Traceback" not in said
    assert group_members(demo.pid) == []


def test_a_provider_that_cannot_start_is_told_with_its_own_words(tmp_path: Path) -> None:
    options = ("--port-base", str(free_port_base()), "--folder", str(tmp_path))
    demo = start_demo(*options, WATCHWORD_BRAND_COLOUR="#ff0000")
    said = demo.communicate(timeout=40)[0].decode()
    assert demo.returncode == 1
    assert "provider stopped with status 2" in said
    assert "WATCHWORD_BRAND_COLOUR" in said
    assert "Traceback" not in said
    assert group_members(demo.pid) == []


def test_a_port_base_without_room_is_refused() -> None:
    for base in ("80", "65529", "many"):
        demo = start_demo("--port-base", base)
        said = demo.communicate(timeout=30)[0].decode()
        assert demo.returncode == 2
        assert "PORT_BASE must be a number from 1024 to 65528" in said
