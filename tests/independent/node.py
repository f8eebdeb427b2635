"""Relying parties written for Node: their packages, and a conversation with the script of one."""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.absence import do_without
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.secrecy import remember_secret

_HERE = Path(__file__).parent
_TOOLS = _HERE.parents[1] / ".tools" / "independent"
_PINS = ("package.json", "package-lock.json")
_SECONDS = 30


def install_packages() -> Path:
    """Return the folder of the packages, in the very versions that are pinned; npm fetches them once."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        do_without("no Node on this machine")
    _TOOLS.mkdir(parents=True, exist_ok=True)
    stamp, wanted = _TOOLS / "installed", (_HERE / "package-lock.json").read_text()
    with (_TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run may install at this moment
        if not stamp.exists() or stamp.read_text() != wanted:
            _install()
            stamp.write_text(wanted)
    return _TOOLS / "node_modules"


def _install() -> None:
    for name in _PINS:
        shutil.copyfile(_HERE / name, _TOOLS / name)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
    done = subprocess.run(command, cwd=_TOOLS, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode:
        do_without(f"npm could not install the packages: {' '.join(done.stderr.split())[:300]}")


@dataclass(frozen=True, slots=True)
class Workshop:
    """A folder in which scripts find their packages, and the authority they trust."""

    folder: Path
    packages: Path
    authority: Path

    def __post_init__(self) -> None:
        (self.folder / "node_modules").symlink_to(self.packages)
        for script in _HERE.glob("*.mjs"):
            shutil.copyfile(script, self.folder / script.name)

    def write(self, name: str, text: str) -> None:
        """Put a module beside the scripts."""
        (self.folder / name).write_text(text)

    async def play(
        self, script: str, flow: str, *, provider: RunningProvider, identifier: str, settings: dict[str, Any]
    ) -> dict[str, Any]:
        """Run one flow of a script, with a person who does what people do; returns the flow's result."""
        async with asyncio.timeout(_SECONDS), self._running(script, settings) as process, Person() as person:
            _tell(process, {"flow": flow, "issuer": provider.issuer} | settings)
            while True:
                message = await _hear(process)
                if "visit" in message:
                    await _go(person, provider, message, identifier)
                    _tell(process, _whereabouts(person))
                elif "secrets" in message:
                    for secret in message["secrets"]:
                        remember_secret(secret)
                else:
                    assert "result" in message, message.get("failed")
                    result: dict[str, Any] = message["result"]
                    return result

    @contextlib.asynccontextmanager
    async def _running(self, script: str, settings: dict[str, Any]) -> AsyncIterator[asyncio.subprocess.Process]:
        client = {name.upper(): value for name, value in settings.get("client", {}).items() if "client" in name}
        environment = os.environ | {"NODE_EXTRA_CA_CERTS": os.fspath(self.authority)} | client
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "node", self.folder / script, env=environment, cwd=self.folder, stdin=pipe, stdout=pipe, stderr=pipe
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _tell(process: asyncio.subprocess.Process, message: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(message).encode() + b"\n")


async def _hear(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    assert process.stderr is not None
    line = await process.stdout.readline()
    assert line, (await process.stderr.read()).decode()
    message: dict[str, Any] = json.loads(line)
    return message


async def _go(person: Person, provider: RunningProvider, message: dict[str, Any], identifier: str) -> None:
    """Do what the person is sent to do, or cancel on the first page."""
    if not message["cancel"]:
        await person.walk(provider, message["visit"], identifier)
        return
    await person.open(message["visit"])
    assert person.page is not None
    await person.submit(person.page.form_with("cancel"), "cancel")


def _whereabouts(person: Person) -> dict[str, Any]:
    """Say where the person was sent on, by an address or by a form that a script or a button submits."""
    if person.landed is not None:
        if "code" in person.answer():
            remember_secret(person.answer()["code"])
        return {"landed": person.landed}
    assert person.page is not None
    form = person.page.form_with("continue")
    assert "state" in form.fields, (person.page.url, person.page.text[:1500])
    return {"form": {"action": form.action, "fields": form.fields}}
