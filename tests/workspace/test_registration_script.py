"""docker/register.sh, run against a real provider with its file elsewhere."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.provider import RunningProvider

SCRIPT = Path(__file__).parents[2] / "docker" / "register.sh"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    moved = tmp_path / "register.sh"
    moved.write_text(SCRIPT.read_text().replace("/clients/", f"{tmp_path}/"))
    return moved


def run_script(script: Path, provider: RunningProvider) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = provider.environment | {"PATH": path}
    subprocess.run(["sh", script], env=environment, check=True, capture_output=True, timeout=60)


def test_the_demo_is_registered_once_and_its_secrets_are_its_owners_alone(
    script: Path, provider: RunningProvider
) -> None:
    run_script(script, provider)
    file = script.parent / "notes_web.env"
    first = dict(line.split("=", 1) for line in file.read_text().splitlines())
    assert first.keys() == {"CLIENT_ID", "CLIENT_SECRET", "COOKIE_KEY"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert provider.command("clients", "show", first["CLIENT_ID"]).returncode == 0
    run_script(script, provider)
    assert dict(line.split("=", 1) for line in file.read_text().splitlines()) == first
