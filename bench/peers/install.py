"""Installing the peers outside the tree, each into a folder of its own, when it is not there in this very version."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_HERE = Path(__file__).parent
_ROOT = _HERE.parent.parent
_TARGET = _ROOT / ".tools" / "bench-peers"


class PeerMissing(Exception):
    """A peer cannot be installed here; the text is one line."""


def install_node_peer() -> Path:
    """Return the folder of oidc-provider, its server and its Node.

    Raises:
        PeerMissing: npm is missing or failed.
    """
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel", "error"]
    return _install("oidc_provider", "package.json", [command])


def install_flask_peer() -> Path:
    """Return the folder of the Authlib provider, with its own environment in `venv`.

    Raises:
        PeerMissing: uv is missing or failed.
    """
    uv = str(_ROOT / ".tools" / "uv" / "bin" / "uv")
    return _install(
        "authlib_flask",
        "requirements.txt",
        [
            [uv, "venv", "--quiet", "--allow-existing", "--python", str(_ROOT / ".venv" / "bin" / "python"), "venv"],
            [uv, "pip", "install", "--quiet", "--python", "venv", "-r", "requirements.txt"],
        ],
    )


def _install(name: str, pins: str, commands: Sequence[Sequence[str]]) -> Path:
    folder = _TARGET / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in (_HERE / name).iterdir():
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    stamp, wanted = folder / "installed", (folder / pins).read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        for command in commands:
            _run(command, folder)
        stamp.write_text(wanted)
    return folder


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as problem:
        raise PeerMissing(f"{Path(command[0]).name} cannot be run: {problem.strerror}") from None
    if done.returncode:
        said = " ".join(done.stderr.split())[:200]
        raise PeerMissing(f"{Path(command[0]).name} {command[1]} failed: {said}")
