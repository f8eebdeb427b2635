"""What a clone on a fresh machine leans on: the targets, the locks, and the two wheels."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
LOCKS = sorted((ROOT / "locks").glob("*.txt"))


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV"}}
    words = [str(part) for part in command]
    return subprocess.run(
        words, cwd=ROOT, env=clean | environment, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.mark.parametrize("target", ["demo", "test", "check", "bench", "docs", "format", "lock", "clean", "help"])
def test_the_target_exists_and_says_what_it_does(target: str) -> None:
    assert re.search(rf"^{target}:.*  ## \w", MAKEFILE, re.MULTILINE)
    assert re.search(rf"^\.PHONY: {target}$", MAKEFILE, re.MULTILINE)


def test_the_demos_options_are_handed_on() -> None:
    planned = run("make", "--dry-run", "demo", "PORT_BASE=19000", "RESET=1").stdout
    assert "-m demo_apps --port-base 19000 --reset" in planned


def test_a_part_of_the_suite_can_be_run() -> None:
    assert run("make", "--dry-run", "test", "T=tests/stores").stdout.strip().endswith("-m pytest tests/stores")


def test_an_old_python_is_refused_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3.10"
    pretend = "import sys; sys.version_info = (3, 10, 0); exec(sys.argv[1])"
    old.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{pretend}' \"$2\"\n")
    old.chmod(0o755)
    refused = run("make", f"UV={tmp_path}/uv", f"PYTHON={old}", tmp_path / "uv")
    assert refused.returncode != 0
    assert refused.stderr.startswith("Python 3.11 or newer is needed")
    assert not (tmp_path / "uv").exists()


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A tree in which everything was made, one second after the other."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    sources = ("locks/uv.txt", "locks/run.txt", "locks/dev.txt", "provider/pyproject.toml", "middleware/pyproject.toml")
    made = (".tools/uv/bin/uv", ".venv/bin/python", ".venv/dev.stamp", ".venv/run.stamp")
    for second, name in enumerate((*sources, *made), start=1_000_000_000):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (second, second))
    return tmp_path


@pytest.mark.parametrize("stamp", [".venv/dev.stamp", ".venv/run.stamp"])
def test_a_second_make_has_nothing_to_do(finished: Path, stamp: str) -> None:
    assert run("make", "--dry-run", "-C", finished, stamp).stdout.count("is up to date.") == 1


@pytest.mark.parametrize("changed", ["locks/dev.txt", "provider/pyproject.toml"])
def test_the_demo_follows_a_change_where_the_tools_are_installed(finished: Path, changed: str) -> None:
    (finished / changed).touch()
    assert "locks/dev.txt" in run("make", "--dry-run", "-C", finished, ".venv/run.stamp").stdout


def test_the_demo_alone_installs_no_tools(finished: Path) -> None:
    (finished / ".venv/dev.stamp").unlink()
    (finished / "locks/run.txt").touch()
    planned = run("make", "--dry-run", "-C", finished, ".venv/run.stamp").stdout
    assert "locks/run.txt" in planned
    assert "locks/dev.txt" not in planned


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_and_hashed(lock: Path) -> None:
    requirements = lock.read_text().replace("\\\n", " ").splitlines()
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,-]+\])?==\S+", requirement), requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", requirement), requirement


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_lock_names_an_address(lock: Path) -> None:
    assert "://" not in lock.read_text()
    assert "index-url" not in lock.read_text()


def test_the_tools_lock_holds_the_same_versions_as_the_providers() -> None:
    run_lock, dev_lock = (
        dict(re.findall(r"^([a-z0-9._-]+)(?:\[.*?\])?==(\S+)", (ROOT / "locks" / name).read_text(), re.MULTILINE))
        for name in ("run.txt", "dev.txt")
    )
    assert run_lock.items() <= dev_lock.items()


@pytest.fixture(scope="module")
def uv() -> str:
    found = shutil.which("uv", path=f"{ROOT / '.tools/uv/bin'}{os.pathsep}{os.environ['PATH']}")
    assert found is not None, "uv is missing: run make"
    return found


@pytest.fixture(scope="module")
def wheels(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for package in ("watchword", "watchword-asgi"):
        done = run(uv, "build", "--quiet", "--wheel", "--package", package, "--out-dir", folder)
        assert done.returncode == 0, done.stderr
    return folder


def test_the_providers_wheel_holds_types_pages_messages_and_migrations(wheels: Path) -> None:
    with zipfile.ZipFile(next(wheels.glob("watchword-0*.whl"))) as archive:
        names = set(archive.namelist())
    source = ROOT / "provider/src"
    for pattern in (
        "py.typed",
        "**/*.html",
        "**/*.txt",
        "**/*.css",
        "**/*.js",
        "**/*.svg",
        "**/*.toml",
        "**/*.mako",
        "**/*.py",
    ):
        files = {str(path.relative_to(source)) for path in (source / "watchword").glob(pattern)}
        assert files, pattern
        assert files <= names, pattern


def test_both_wheels_install_side_by_side_and_run(uv: str, wheels: Path, tmp_path: Path) -> None:
    python = tmp_path / "environment/bin/python"
    files = sorted(wheels.glob("*.whl"))
    run(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "environment")
    done = run(uv, "pip", "install", "--quiet", "--python", python, "-c", ROOT / "locks/run.txt", *files)
    assert done.returncode == 0, done.stderr
    assert run(python, "-c", "import watchword_asgi, watchword.app").returncode == 0
    helped = run(python.parent / "watchword", "--help")
    assert helped.returncode == 0
    assert "serve" in helped.stdout
