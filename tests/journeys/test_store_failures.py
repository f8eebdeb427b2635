"""A store goes away under a running provider: what needs it answers 503, the rest goes on, and all of it comes back."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.login.doors import ask, fresh_email, messages, page_of, until, wrong
from tests.support import valkey
from tests.support.pairs import SECRET_KEY
from tests.support.person import Person
from tests.support.postgres import PostgreSQLServer, running_server
from tests.support.provider import RunningProvider, http_client, running_provider
from tests.support.relying_party import RelyingParty, register
from watchword.database import migrate

UNAVAILABLE = 503


@pytest.fixture(scope="module")
def durable() -> Iterator[PostgreSQLServer]:
    with running_server() as server:
        migrate.upgrade(server.url)
        yield server


@pytest.fixture(scope="module")
def ephemeral() -> Iterator[valkey.Server]:
    with tempfile.TemporaryDirectory() as folder, valkey.running(Path(folder)) as server:
        yield server


@pytest.fixture(scope="module")
def provider(durable: PostgreSQLServer, ephemeral: valkey.Server) -> Iterator[RunningProvider]:
    stores = {"database_url": durable.url, "ephemeral_url": ephemeral.url, "secret_key": SECRET_KEY}
    with running_provider(workers=2, stores=stores) as running:
        yield running


@pytest.fixture(scope="module")
def party(provider: RunningProvider) -> RelyingParty:
    return register(provider)


@pytest.fixture
async def person() -> AsyncIterator[Person]:
    async with Person() as person:
        yield person


def status(provider: RunningProvider, path: str) -> int:
    return httpx2.get(f"{provider.issuer}{path}", timeout=20).status_code


def check_told_to_wait(answer: httpx2.Response) -> None:
    assert answer.status_code == UNAVAILABLE
    assert int(answer.headers["retry-after"]) > 0
    for secret in ("postgres", "redis", "127.0.0.1", "Traceback"):
        assert secret not in answer.text


async def test_a_database_that_is_gone_is_told_and_found_again(
    provider: RunningProvider, party: RelyingParty, durable: PostgreSQLServer, person: Person
) -> None:
    await person.type_code(await ask(person, party, fresh_email()))
    tokens = (await party.exchange(person.answer()["code"])).json()
    durable.stop()
    assert status(provider, "/readyz") == UNAVAILABLE
    assert status(provider, "/healthz") == 200
    assert status(provider, "/jwks") == 200
    check_told_to_wait(await party.userinfo(tokens["access_token"]))
    check_told_to_wait(await party.refresh(tokens["refresh_token"]))
    await person.open(party.authorization_url())
    assert page_of(person).status == UNAVAILABLE
    durable.start()
    await until(lambda: status(provider, "/readyz") == 200)
    assert (await party.userinfo(tokens["access_token"])).status_code == 200
    assert (await party.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_restart_of_the_database_between_requests_is_not_noticed(
    provider: RunningProvider, party: RelyingParty, durable: PostgreSQLServer, person: Person
) -> None:
    await person.type_code(await ask(person, party, fresh_email()))
    tokens = (await party.exchange(person.answer()["code"])).json()
    durable.stop()
    durable.start()
    assert (await party.userinfo(tokens["access_token"])).status_code == 200
    await person.open(party.authorization_url(prompt="none"))
    assert "code" in person.answer()


async def test_without_the_ephemeral_store_no_code_is_sent_or_compared_and_the_rest_goes_on(
    provider: RunningProvider, party: RelyingParty, ephemeral: valkey.Server, person: Person
) -> None:
    await person.type_code(await ask(person, party, fresh_email()))
    tokens = (await party.exchange(person.answer()["code"])).json()
    email = fresh_email()
    async with Person() as stranger:
        code = await ask(stranger, party, email)
        sent = len(await messages(stranger, provider, email))
        before = guesses(provider)
        guess, resend = page_of(stranger).form_with("one_time_code"), page_of(stranger).form_with("resend")
        with ephemeral.paused():
            assert status(provider, "/readyz") == UNAVAILABLE
            for typed in (wrong(code), code):
                check_told_to_wait(await post(stranger, guess.action, guess.fields | {"one_time_code": typed}))
            check_told_to_wait(await post(stranger, resend.action, resend.fields))
            assert guesses(provider) == before
            refreshed = await party.refresh(tokens["refresh_token"])
            assert refreshed.status_code == 200
            assert (await party.userinfo(refreshed.json()["access_token"])).status_code == 200
            assert status(provider, "/jwks") == 200
            await person.open(party.authorization_url(prompt="none"))
            assert "code" in person.answer()
            assert (await party.exchange(person.answer()["code"])).status_code == 200
        await until(lambda: status(provider, "/readyz") == 200)
        assert len(await messages(stranger, provider, email)) == sent
        await stranger.type_code(code)
        assert "code" in stranger.answer()


def guesses(provider: RunningProvider) -> int:
    """How many were compared so far, right or wrong."""
    [found] = provider.rows("SELECT COUNT(*) AS found FROM audit_event WHERE name IN ('otp.failed', 'otp.verified')")
    count: int = found["found"]
    return count


async def post(person: Person, url: str, fields: dict[str, str]) -> httpx2.Response:
    headers = {"origin": str(httpx2.URL(url).copy_with(path="/", query=None)).rstrip("/")}
    return await person.http.post(url, data=fields, headers=headers | {"sec-fetch-site": "same-origin"})


async def test_200_requests_at_once_over_few_connections_are_all_answered(
    provider: RunningProvider, party: RelyingParty, person: Person
) -> None:
    await person.type_code(await ask(person, party, fresh_email()))
    tokens = (await party.exchange(person.answer()["code"])).json()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    async with http_client() as http:  # one address may ask for less at once than 200 do
        asked = [
            http.get(f"{provider.issuer}/userinfo", headers=headers | {"x-forwarded-for": f"192.0.2.{number}"})
            for number in range(200)
        ]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
