"""Retention: what is too old is deleted by the clock, the trail still verifies; what it keeps is bounded and clean."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.login.opened import opened_services
from watchword.database import Statement
from watchword.events import Caller, record_alone, record_suppressed
from watchword.events.catalogue.clients import ClientRemoved
from watchword.events.catalogue.codes import CodeExpired
from watchword.events.catalogue.protocol import AuthorizationInvalid
from watchword.events.recorder import clean
from watchword.events.verification import verify
from watchword.housekeeping import Candidate, Duty, keep_house, log_checkpoint, purge, seal_trail
from watchword.services import Services

# Without those of the first start.
EVENTS = Statement(
    "SELECT name, client_id, request_id, address, detail FROM audit_event WHERE name <> 'key.made' ORDER BY id"
)


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with opened_services(tmp_path, audit_kept="2592000") as opened:
        yield opened


async def write(services: Services, times: int = 1) -> None:
    for number in range(times):
        await record_alone(services.database, ClientRemoved(client_id=f"c{number}"), Caller())


async def events(services: Services) -> list[dict[str, Any]]:
    return [dict(row) for row in await services.database.all(EVENTS)]


async def test_events_older_than_the_setting_are_deleted_and_the_trail_verifies(services: Services) -> None:
    """N-07."""
    await write(services, 3)
    await seal_trail(services)
    services.clock.offset = timedelta(days=29)
    await purge(services)
    await write(services, 2)
    await seal_trail(services)
    assert len(await events(services)) == 5
    services.clock.offset = timedelta(days=31)
    await purge(services)
    assert len(await events(services)) == 2
    report = await verify(services.database, services.keyring.audit)
    assert (report.problems, report.events) == ([], 2)


async def test_events_that_were_not_sealed_yet_are_never_deleted(services: Services) -> None:
    await write(services)
    services.clock.offset = timedelta(days=1000)
    await purge(services)
    assert len(await events(services)) == 1


async def test_an_elected_worker_does_the_duties_and_another_one_waits(services: Services) -> None:
    first, other = Candidate(services, "first"), Candidate(services, "other")
    assert await first.is_elected()
    assert not await other.is_elected()
    done = asyncio.Event()

    async def note(_services: Services) -> None:
        done.set()

    duties = [Duty("fail", 0, _fail), Duty("note", 0, note)]  # one that fails stops no other
    keeping = asyncio.create_task(keep_house(services, first, duties))
    await asyncio.wait_for(done.wait(), 10)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await first.resign()
    assert await Candidate(services, "third").is_elected()


async def _fail(_services: Services) -> None:
    raise ZeroDivisionError


async def test_an_elected_worker_that_only_stays_so_asks_the_store_seldom(services: Services) -> None:
    await seal_trail(services)  # what the first start left
    candidate = Candidate(services, "first")
    assert await candidate.is_elected()
    before = services.database.statements
    for _ in range(100):
        assert await candidate.is_elected()
    assert services.database.statements == before
    await seal_trail(services)
    assert services.database.statements == before + 1


async def test_there_is_no_checkpoint_before_the_first_seal(services: Services) -> None:
    await log_checkpoint(services)
    await write(services)
    await seal_trail(services)
    await log_checkpoint(services)


async def test_only_refusals_are_thinned_out(services: Services) -> None:
    for _ in range(300):
        await record_alone(services.database, CodeExpired(), Caller())
    await write(services, 300)
    await record_suppressed(services.database)
    await record_suppressed(services.database)  # nothing more to tell
    names = [event["name"] for event in await events(services)]
    assert names.count("client.removed") == 300
    assert 200 <= names.count("otp.expired") < 300
    told = orjson.loads((await events(services))[-1]["detail"])
    assert told == {"counts": {"otp.expired": 300 - names.count("otp.expired")}}
    assert names.count("audit.suppressed") == 1


async def test_what_a_stranger_sends_is_kept_short_and_in_one_line(services: Services) -> None:
    """N-04."""
    hostile = 'a\r\n{"event": "forged"}\x00\x1b[31m\u2028\u202e' + "x" * 1000
    event = AuthorizationInvalid(client_id=hostile, reason=hostile)
    await record_alone(services.database, event, Caller(address=hostile, request_id=hostile))
    (row,) = await events(services)
    for text in (row["client_id"], row["request_id"], row["address"], orjson.loads(row["detail"])["reason"]):
        assert text.isprintable()
        assert "\\u000d\\u000a" in text
        assert "\\u202e" in text
        assert len(text) < 300
    await seal_trail(services)
    assert (await verify(services.database, services.keyring.audit)).problems == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("plain text", "plain text"),
        ("+91••••••••78", "+91••••••••78"),
        ("tab\there", "tab\\u0009here"),
        ("e\u0301", "\u00e9"),  # NFC
        ("\ud800", "\\ud800"),  # half a character
        ("x" * 256, "x" * 256),
        ("x" * 257, "x" * 256),
    ],
)
def test_a_text_is_kept_composed_cut_and_printable(text: str, kept: str) -> None:
    assert clean(text) == kept
