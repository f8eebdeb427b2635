"""The breaker over all accounts, against a real database whose clock is moved."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.login.doors import ask, fresh_email, ledger, register_trusted, until, wrong
from tests.login.opened import opened_services
from tests.support.person import Person
from tests.support.provider import running_provider
from tests.support.relying_party import RelyingParty
from watchword.database import Statement, Transaction, budgets
from watchword.login.breaker import watch_failures
from watchword.login.challenge import STRANGERS
from watchword.services import Services
from watchword.settings.limits import Window

HOUR = timedelta(hours=1)


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with opened_services(tmp_path, guard_after="20") as opened:
        yield opened


async def fail(services: Services, times: int) -> None:
    """Count a failure of so many accounts, one each."""

    async def work(transaction: Transaction) -> None:
        for _ in range(times):
            about = uuid4().bytes
            assert await budgets.charge(transaction, uuid4(), tag=about, scope=STRANGERS, windows=(Window(10, HOUR),))

    await services.database.transaction(work)


async def is_guarded(services: Services) -> bool:
    """Look once as the elected worker, then as any worker."""
    await watch_failures(services)
    await services.condition.refresh(services.database, services.ephemeral, most_undelivered=1000)
    return services.condition.guarded


async def told(services: Services) -> list[str]:
    """The breaker's events so far."""
    found = await services.database.all(
        Statement("SELECT name FROM audit_event WHERE name LIKE 'attack_mode.%' ORDER BY id")
    )
    return [row["name"] for row in found]


async def test_it_trips_above_its_setting_and_ends_an_hour_after_the_last_renewal(services: Services) -> None:
    """B-08, T05."""
    await fail(services, 20)
    assert not await is_guarded(services)
    await fail(services, 1)
    assert await is_guarded(services)
    assert await is_guarded(services)
    assert await told(services) == ["attack_mode.on"]
    services.clock.offset += timedelta(minutes=59)  # those failures still are of the last hour: it goes on
    assert await is_guarded(services)
    services.clock.offset += timedelta(minutes=59)
    assert await is_guarded(services)
    services.clock.offset += timedelta(minutes=2)
    assert not await is_guarded(services)
    assert await told(services) == ["attack_mode.on", "attack_mode.off"]


async def test_what_is_usual_at_this_hour_does_not_trip_it(services: Services) -> None:
    """B-08: twenty at this hour of every day, then sixty; sixty-one are too many."""
    for _ in range(29):
        await fail(services, 20)
        services.clock.offset += timedelta(days=1)
    await fail(services, 60)
    assert not await is_guarded(services)
    await fail(services, 1)
    assert await is_guarded(services)


async def test_another_hour_of_the_days_before_is_not_usual(services: Services) -> None:
    """B-08."""
    for _ in range(10):
        await fail(services, 20)
        services.clock.offset += timedelta(days=1)
    services.clock.offset += timedelta(hours=5)
    await fail(services, 21)
    assert await is_guarded(services)


async def test_looking_costs_one_statement_while_nothing_is_wrong(services: Services) -> None:
    await fail(services, 20)
    before = services.database.statements
    await watch_failures(services)
    assert services.database.statements == before + 1


async def test_one_guess_on_each_of_many_accounts_gives_everybody_unknown_longer_codes() -> None:
    """B-08, B-09, T05: through the pages, each guess of another address at another account."""
    with running_provider(guard_after="20") as running:
        party = await register_trusted(running)
        async with Person() as owner:
            email = fresh_email()
            await owner.type_code(await ask(owner, party, email))
            for _ in range(21):
                async with Person() as stranger:
                    await stranger.type_code(wrong(await ask(stranger, party, fresh_email())))
            assert await until(lambda: ledger(running).named("attack_mode.on"))
            async with asyncio.timeout(15):
                while not await _gets_letters(party):
                    pass
            assert re.fullmatch("[0-9]{6}", await ask(owner, party, email, prompt="login"))


async def _gets_letters(party: RelyingParty) -> bool:
    async with Person() as stranger:
        code = await ask(stranger, party, fresh_email())
    return re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{8}", code) is not None
