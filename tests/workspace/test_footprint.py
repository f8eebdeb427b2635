"""What a worker occupies: no module that only others need, little memory, little work to start; after a real login."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.person import Person
from tests.support.provider import COMMAND, RunningProvider, free_port, provider_environment, running_provider
from tests.support.relying_party import register

# What only migrations, servers, metrics or people at a terminal need. `rich` and `greenlet` are asked for, in vain.
NOT_FOR_EVERYBODY = {
    "alembic", "asyncpg", "attr", "dns", "greenlet._greenlet", "httpx2", "mako", "prometheus_client", "pygments",
    "redis", "rich.console", "sqlalchemy", "sqlmodel", "watchword.database.postgresql", "watchword.database.tables",
    "watchword.ephemeral.redis", "websockets",
}  # fmt: skip
MOST_MODULES = 950
MOST_MEGABYTES = 90  # resident, of the one process that prepares the stores and serves
MOST_CPU_SECONDS = 2.0  # about 0.4 on a machine that does nothing else


@dataclass(frozen=True)
class Started:
    """A provider on stores that were prepared before, and the seconds of a processor that its start took."""

    provider: RunningProvider
    process: psutil.Process
    seconds: float


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A provider that notes in its log what it imports."""
    environment = provider_environment(tmp_path_factory.mktemp("prepared"), free_port())
    subprocess.run([*COMMAND, "db", "upgrade"], env=environment, timeout=60, check=True)
    stores = {name: environment[f"WATCHWORD_{name}"] for name in ("DATABASE_URL", "EPHEMERAL_URL")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPROFILEIMPORTTIME", "1")
        with running_provider(stores=stores) as provider:
            process = psutil.Process(provider.process.pid)
            times = process.cpu_times()
            yield Started(provider, process, times.user + times.system)


def modules(log: Path) -> set[str]:
    return set(re.findall(r"^import time: [ \d]+\|[ \d]+\| +(\S+)$", log.read_text(), re.MULTILINE))


async def test_an_embedded_provider_that_signed_somebody_in_holds_nothing_that_only_others_need(
    started: Started,
) -> None:
    provider = started.provider
    party = register(provider)
    async with Person() as person:
        answer = await person.sign_in(provider, party.authorization_url(), "light@person.example")
    assert (await party.exchange(answer["code"])).status_code == 200
    imported = modules(provider.log)
    assert {"watchword.app", "watchword.login.guessing"} <= imported
    assert imported & NOT_FOR_EVERYBODY == set()
    assert len(imported) < MOST_MODULES
    assert started.process.memory_info().rss < MOST_MEGABYTES * 1_000_000


def test_a_start_on_prepared_stores_takes_little_of_the_machine(started: Started) -> None:
    assert started.seconds < MOST_CPU_SECONDS
