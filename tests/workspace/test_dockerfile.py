"""The image as a parser reads it: whom it runs as, what it writes, and that nothing in it needs a shell."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = ("provider", "registration", "notes_api", "notes_web")


@dataclass
class Stage:
    """One stage: its base, and its instructions in order."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str | None:
        """The instruction that holds in the end; a stage inherits those of its base."""
        own = [text for name, text in self.instructions if name == instruction]
        inherited = STAGES[self.base].last(instruction) if self.base in STAGES else None
        return own[-1] if own else inherited


def _lines() -> Iterator[str]:
    text = (ROOT / "docker" / "Dockerfile").read_text()
    joined = re.sub(r"\\\n\s*", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    yield from (line for line in joined.splitlines() if line.strip())


def _stages() -> dict[str, Stage]:
    stages: dict[str, Stage] = {}
    for line in _lines():
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            stages[name] = Stage(name, base)
        else:
            list(stages.values())[-1].instructions.append((instruction, rest.strip()))
    return stages


STAGES = _stages()
RUN = [STAGES["provider"], STAGES["demo"]]


@pytest.mark.parametrize("stage", RUN, ids=lambda stage: stage.name)
def test_it_runs_as_a_user_that_is_seen_not_to_be_root(stage: Stage) -> None:
    user = stage.last("USER")
    assert user is not None
    number, _, group = user.partition(":")
    assert int(number) >= 10_000
    assert int(group) >= 10_000


@pytest.mark.parametrize("stage", RUN, ids=lambda stage: stage.name)
def test_nothing_that_runs_needs_a_shell(stage: Stage) -> None:
    for instruction in ("CMD", "ENTRYPOINT"):
        text = stage.last(instruction)
        assert text is None or json.loads(text)[0] not in {"sh", "bash", "/bin/sh", "/bin/bash"}
    health = stage.last("HEALTHCHECK") or ""
    assert health == "NONE" or json.loads(health.partition("CMD ")[2])[0] == "python"
    assert json.loads(stage.last("CMD") or "") == ["watchword", "serve"]


def test_it_writes_only_below_its_volumes_and_no_bytecode() -> None:
    provider = STAGES["provider"]
    volumes = {text for name, text in provider.instructions if name == "VOLUME"}
    assert volumes == {"/data"}
    environment = dict(re.findall(r"(\w+)=(\S+)", provider.last("ENV") or ""))
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"
    places = [value for name, value in environment.items() if name.endswith("_URL")]
    assert places
    assert all(value.startswith("sqlite:////data/") for value in places)


def test_no_secret_is_baked_in() -> None:
    for stage in STAGES.values():
        for instruction, text in stage.instructions:
            if instruction in {"ENV", "ARG"}:
                assert not re.search(r"SECRET|PASSWORD|TOKEN|://[^/@\s]+:[^/@\s]+@", text), text


@pytest.mark.parametrize("name", OURS)
def test_what_is_temporary_is_in_memory_of_a_bounded_size_where_nothing_can_be_run(name: str) -> None:
    (mount,) = COMPOSE["services"][name]["tmpfs"]
    place, _, options = mount.partition(":")
    assert place == "/tmp"
    assert {"noexec", "nosuid", "nodev"} <= set(options.split(","))
    assert re.search(r"size=\d+m", options)
