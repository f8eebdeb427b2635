"""One ephemeral store goes with a database: a replica that sees another neither starts nor sends or checks a code."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator

import httpx2
import pytest
from joserfc.jwk import ECKey

from tests.login.doors import durable_file, fresh_phone, page_of, post, until, wrong
from tests.support.asserting_party import asserting_party
from tests.support.person import Person
from tests.support.provider import COMMAND, RunningProvider, free_port, provider_environment, running_provider, stop
from tests.support.relying_party import RelyingParty, register

MOST_WAITING = 100


@pytest.fixture(scope="module")
def first() -> Iterator[RunningProvider]:
    with running_provider(test_limits="off", undelivered_messages=str(MOST_WAITING)) as running:
        yield running


@pytest.fixture(scope="module")
def party(first: RunningProvider) -> RelyingParty:
    return register(first)


def another(first: RunningProvider, ephemeral: str) -> dict[str, str]:
    """The stores of a second provider: the database of the first one, and an ephemeral store in its folder."""
    url = first.environment["WATCHWORD_DATABASE_URL"]
    return {"database_url": url, "ephemeral_url": f"sqlite:///{first.folder}/{ephemeral}"}


def paired_with(provider: RunningProvider) -> str:
    return str(provider.rows("SELECT ephemeral_id FROM store")[0]["ephemeral_id"])


def is_ready(provider: RunningProvider) -> bool:
    return httpx2.get(f"{provider.issuer}/readyz").status_code == 200


def test_a_replica_on_another_ephemeral_store_refuses_to_start_in_one_line(first: RunningProvider) -> None:
    before = paired_with(first)
    environment = provider_environment(first.folder, free_port(), **another(first, "other.sqlite3"))
    refused = subprocess.run(
        [*COMMAND, "serve"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode == 2
    (line,) = (line for line in refused.stderr.splitlines() if not line.startswith("{"))
    assert line == (
        "watchword: WATCHWORD_EPHEMERAL_URL: is another store than the one other running replicas use with this "
        "database. Give the same one, or stop them first and wait 15 seconds."
    )
    assert paired_with(first) == before
    assert is_ready(first)


def test_a_replica_on_the_same_ephemeral_store_starts_and_both_are_ready(first: RunningProvider) -> None:
    shared = another(first, "ephemeral.sqlite3")
    with running_provider(stores=shared) as second:
        assert is_ready(first)
        assert is_ready(second)


async def test_where_another_store_is_paired_no_code_is_sent_or_checked_until_that_heals(
    first: RunningProvider, party: RelyingParty
) -> None:
    phone = fresh_phone()
    async with Person() as person, Person() as latecomer:
        await person.open(party.authorization_url())
        await person.type_identifier(phone)
        code = str((await first.newest_message(phone))["one_time_code"])
        await latecomer.open(party.authorization_url())
        url, before = page_of(latecomer).url, paired_with(first)
        with durable_file(first) as file:  # what a replica elsewhere would have written
            file.execute("INSERT INTO replica VALUES ('elsewhere', 'other', :future)", {"future": 2**60})
            file.execute("UPDATE store SET ephemeral_id = 'other'")
        assert not is_ready(first)
        asked = await _until_status(latecomer, 503, url)
        assert asked.headers["retry-after"] == "5"
        checked = await post(person, page_of(person).form_with("one_time_code"), one_time_code=code)
        assert checked.status_code == 503
        with durable_file(first) as file:
            file.execute("DELETE FROM replica WHERE id = 'elsewhere'")
        await until(lambda: is_ready(first))
        assert paired_with(first) == before
        await _until_status(latecomer, 303, url)
        answer = await post(person, page_of(person).form_with("one_time_code"), one_time_code=wrong(code))
        assert answer.status_code == 400
        await person.type_code(code)  # the one that was refused was neither compared nor used up
        assert "code" in person.answer()


async def test_where_another_store_is_paired_no_client_assertion_counts_until_that_heals(
    first: RunningProvider,
) -> None:
    client = asserting_party(first, ECKey.generate_key("P-256"))
    with durable_file(first) as file:
        file.execute("INSERT INTO replica VALUES ('elsewhere', 'other', :future)", {"future": 2**60})
        file.execute("UPDATE store SET ephemeral_id = 'other'")
    await until(lambda: client.token().status_code == 503)
    assertion = client.assertion()
    refused = client.token(assertion)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["error"] == "temporarily_unavailable"
    with durable_file(first) as file:
        file.execute("DELETE FROM replica WHERE id = 'elsewhere'")
    await until(lambda: client.token().status_code == 200)
    assert client.token(assertion).status_code == 200  # it was neither taken nor used up
    assert client.token(assertion).status_code == 401


async def test_while_too_many_messages_wait_no_further_code_is_sent(
    first: RunningProvider, party: RelyingParty
) -> None:
    async with Person() as person:
        await person.open(party.authorization_url())
        url = page_of(person).url
        with durable_file(first) as file:
            file.executemany(
                "INSERT INTO outbox (kind, payload, state, attempts, created_at, available_at) "
                "VALUES ('one_time_code', '{}', 'ready', 1, 0, ?)",
                [[2**60]] * (MOST_WAITING + 1),
            )
        refused = await _until_status(person, 503, url)
        assert refused.headers["retry-after"] == "60"
        with durable_file(first) as file:
            file.execute("DELETE FROM outbox")
        await _until_status(person, 303, url)


async def test_where_the_ephemeral_file_was_replaced_codes_are_refused() -> None:
    with running_provider() as provider:
        party = register(provider)
        async with Person() as person:
            await person.open(party.authorization_url())
            shutil.copy(provider.folder / "ephemeral.sqlite3", provider.folder / "restored.sqlite3")
            (provider.folder / "restored.sqlite3").replace(provider.folder / "ephemeral.sqlite3")
            answer = await post(person, page_of(person).form_with("identifier"), identifier=fresh_phone())
            assert answer.status_code == 503
            assert not is_ready(provider)


def test_an_ephemeral_store_is_changed_by_stopping_every_replica_first(first: RunningProvider) -> None:
    before = paired_with(first)
    stop(first.process)
    assert first.rows("SELECT 1 FROM replica") == []
    with running_provider(stores=another(first, "new.sqlite3")) as second:
        assert is_ready(second)
        assert paired_with(first) != before


async def _until_status(person: Person, status: int, url: str) -> httpx2.Response:
    """Ask for a code again and again until it is answered so: what workers know is five seconds old at most."""
    async with asyncio.timeout(20):
        while True:
            await person.open(url)
            form = page_of(person).form_with("identifier")
            answer: httpx2.Response = await post(person, form, identifier=fresh_phone())
            if answer.status_code == status:
                return answer
            await asyncio.sleep(0.3)
