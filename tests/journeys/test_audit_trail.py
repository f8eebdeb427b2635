"""The audit trail of a running provider: sealed by one worker within a second, by another one when that dies."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import httpx2
import pytest

from tests.login.doors import durable_file, until
from tests.support.pairs import PAIRS
from tests.support.person import fresh_address
from tests.support.provider import RunningProvider, http_client, running_provider

DOCUMENT = {"client_name": "Test party", "redirect_uris": ["https://a.example/"], "grant_types": ["authorization_code"]}


@pytest.fixture(scope="module", params=PAIRS)
def two_workers(request: pytest.FixtureRequest) -> Iterator[RunningProvider]:
    with running_provider(workers=2, pair=request.param) as running:
        yield running


async def record_much(provider: RunningProvider, times: int) -> None:
    """Make events that nobody thins out, many at once, from as many addresses."""

    async def register_one(http: httpx2.AsyncClient) -> int:
        headers = {"x-forwarded-for": fresh_address()}
        return (await http.post(f"{provider.issuer}/register", json=DOCUMENT, headers=headers)).status_code

    async with http_client() as http:
        assert {*await asyncio.gather(*(register_one(http) for _ in range(times)))} == {201}


def verify(provider: RunningProvider, *options: str) -> tuple[int, dict[str, Any]]:
    done = provider.command("audit", "verify", "--json", *options)
    return done.returncode, json.loads(done.stdout)


def logged(provider: RunningProvider, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in provider.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def unsealed(provider: RunningProvider) -> int:
    return int(provider.rows("SELECT COUNT(*) AS events FROM audit_event WHERE seal IS NULL")[0]["events"])


async def test_what_two_workers_record_at_once_is_sealed_within_a_second_by_one_of_them(
    two_workers: RunningProvider,
) -> None:
    await until(lambda: logged(two_workers, "this worker keeps house"))
    for _ in range(10):
        await record_much(two_workers, 60)
    await until(lambda: unsealed(two_workers) == 0)
    waits = two_workers.rows(
        "SELECT s.sealed_at - e.at AS wait FROM audit_event e JOIN audit_seal s ON s.number = e.seal"
    )
    assert len(waits) >= 600
    assert median(row["wait"] for row in waits) < 1_000_000
    assert max(row["wait"] for row in waits) < 5_000_000  # on a machine that is busy with other things
    status, report = verify(two_workers)
    assert (status, report["problem_count"], report["events"] >= 600) == (0, 0, True)
    assert len({line["replica"] for line in logged(two_workers, "this worker keeps house")}) == 1


async def test_when_the_worker_that_seals_is_killed_another_one_seals(two_workers: RunningProvider) -> None:
    before = (await until(lambda: logged(two_workers, "this worker keeps house")))[-1]
    os.kill(before["process"], signal.SIGKILL)
    await until(lambda: logged(two_workers, "this worker keeps house")[-1]["process"] != before["process"])
    await record_much(two_workers, 20)
    await until(lambda: unsealed(two_workers) == 0)
    assert verify(two_workers)[0] == 0


@contextmanager
def stopped(provider: RunningProvider) -> Iterator[None]:
    """Stop a provider in order and look at what it left."""
    provider.process.send_signal(signal.SIGTERM)
    provider.process.wait(20)
    yield


async def test_the_last_checkpoint_is_logged_at_the_end_and_shows_a_tail_that_was_cut_off() -> None:
    with running_provider() as provider:
        await record_much(provider, 3)
        await until(lambda: unsealed(provider) == 0 and provider.rows("SELECT 1 FROM audit_seal"))
        with stopped(provider):
            assert unsealed(provider) == 0
            checkpoint = logged(provider, "audit checkpoint")[-1]
            head = provider.rows("SELECT number, hash FROM audit_seal ORDER BY number DESC")[0]
            assert (checkpoint["number"], checkpoint["hash"]) == (head["number"], head["hash"].hex())
            status, report = verify(provider, "--head", checkpoint["hash"])
            assert (status, report["head"]) == (0, checkpoint["hash"])
            with durable_file(provider) as file:
                file.execute("DELETE FROM audit_event WHERE seal = ? OR seal IS NULL", [head["number"]])
                file.execute("DELETE FROM audit_seal WHERE number = ?", [head["number"]])
            assert verify(provider)[0] == 0
            status, report = verify(provider, "--head", checkpoint["hash"])
            assert (status, [problem["kind"] for problem in report["problems"]]) == (1, ["cut"])


async def test_verification_names_the_place_that_was_changed_in_words_and_as_json() -> None:
    with running_provider() as provider:
        await record_much(provider, 3)
        await until(lambda: unsealed(provider) == 0)
        whole = provider.command("audit", "verify")
        assert (whole.returncode, "result: the trail is whole" in whole.stdout) == (0, True)
        with durable_file(provider) as file:
            file.execute("UPDATE audit_event SET client_id = 'another' WHERE id = 2")
        changed = provider.command("audit", "verify")
        assert changed.returncode == 1
        assert "problem 1: event 2 was changed, or not written by the provider" in changed.stdout
        status, report = verify(provider)
        assert (status, report["problem_count"], report["problems"][0]["event"]) == (1, 1, 2)
        assert "another" not in changed.stdout + changed.stderr
        events = provider.rows("SELECT detail FROM audit_event WHERE name = 'audit.verified' ORDER BY id")
        assert [json.loads(event["detail"])["problems"] for event in events] == [0, 1, 1]


def test_a_head_that_is_no_hash_is_refused(provider: RunningProvider) -> None:
    refused: subprocess.CompletedProcess[str] = provider.command("audit", "verify", "--head", "xyz")
    assert refused.returncode == 2
    assert "is not a hash in hexadecimal" in refused.stderr


async def test_refusals_that_anybody_can_provoke_are_written_up_to_a_bound_and_the_rest_is_counted() -> None:
    times = 350
    with running_provider() as provider:
        async with http_client() as http:
            for _ in range(times // 25):
                await asyncio.gather(*(http.get(f"{provider.issuer}/authorize?client_id=nobody") for _ in range(25)))
        assert httpx2.get(f"{provider.issuer}/readyz").status_code == 200
        with stopped(provider):
            written = provider.rows("SELECT 1 AS one FROM audit_event WHERE name = 'authz.invalid'")
            (told,) = provider.rows("SELECT detail FROM audit_event WHERE name = 'audit.suppressed'")
            dropped = json.loads(told["detail"])["counts"]["authz.invalid"]
            assert len(written) + dropped == times
            assert dropped > 0
            assert len(written) >= 200
