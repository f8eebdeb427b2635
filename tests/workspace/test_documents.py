"""The documents say what is true: links lead somewhere, names exist, commands and code run."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.support.person import Person
from tests.support.provider import RunningProvider, running_provider
from tests.support.secrecy import remember_secret
from tests.workspace.documents import ROOT, anchors, documents, links, name_of, runnable_blocks
from watchword.settings import PREFIX, Settings

each_document = pytest.mark.parametrize("document", documents(), ids=name_of)
KNOWN = {PREFIX + name.upper() for name in Settings.model_fields} | {PREFIX + "SECRETS_DIR"}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@each_document
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in links(document):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@each_document
def test_every_setting_that_is_named_exists(document: Path) -> None:
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", document.read_text())) <= KNOWN


@each_document
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    named = re.findall(r"(?:^ {4}|`|&& |=1 )make ([a-z]+)\b", document.read_text(), re.MULTILINE)
    assert set(named) <= TARGETS


@each_document
def test_every_file_of_the_source_that_is_named_exists(document: Path) -> None:
    rooms = (ROOT, ROOT / "provider/src/watchword", ROOT / "middleware/src/watchword_asgi")
    for name in re.findall(r"`([a-z_.]+(?:/[a-z_0-9.]+)+\.(?:py|sh|md|yml|toml))`", document.read_text()):
        assert any((room / name).exists() for room in rooms), name


@pytest.fixture(scope="module")
def fresh_provider(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running_provider(test_limits="off") as running:
        yield running


COMMANDS = [(path, block) for path in documents() for block in runnable_blocks(path, "console")]


@pytest.mark.parametrize(("document", "block"), COMMANDS, ids=[name_of(path) for path, _ in COMMANDS])
def test_commands_in_the_guides_run(fresh_provider: RunningProvider, document: Path, block: str) -> None:
    for line in block.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "watchword"
        done = fresh_provider.command(*arguments)
        assert done.returncode == 0, f"{line}: {done.stderr}"


async def test_the_code_of_the_integrators_guide_signs_a_person_in_and_out(provider: RunningProvider) -> None:
    before, *after = _steps(ROOT / "docs/guides/integrator.md", split_at="answer[", issuer=provider.issuer)
    names: dict[str, Any] = {}
    exec(before, names)
    async with Person() as person:
        names["answer"] = await person.sign_in(provider, names["authorization_url"], "reader@example.com")
        exec("\n".join(after), names)
        for secret in (*_token_values(names["tokens"]), *_token_values(names["refreshed"])):
            remember_secret(secret)
        assert names["profile"]["email"] == "reader@example.com"
        assert names["refreshed"]["refresh_token"] != names["tokens"]["refresh_token"]
        await person.open(names["logout_url"])
        assert person.page is not None
        assert person.page.url == f"{provider.issuer}/logout/done"


def _steps(document: Path, *, split_at: str, issuer: str) -> list[str]:
    """Return the blocks before the browser's journey as one script, and each of those after it."""
    blocks = [block.replace("https://id.example.com", issuer) for block in runnable_blocks(document, "python")]
    first = next(number for number, block in enumerate(blocks) if split_at in block)
    return ["\n".join(blocks[:first]), *blocks[first:]]


def _token_values(tokens: dict[str, Any]) -> list[str]:
    return [value for name, value in tokens.items() if name.endswith("_token")]
