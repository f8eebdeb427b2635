"""Sixty sign-outs of one session at one moment, at two workers on each pair of stores: one end, one logout token."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.endpoints.people import ASHA, CODE
from tests.endpoints.telling import client_told, events, jobs, signed_in
from tests.journeys.http_racers import Racers, Request, running_racers
from tests.support.logout_sink import running_sink, until
from tests.support.pairs import PAIRS
from tests.support.person import Person
from tests.support.provider import running_provider

pytestmark = pytest.mark.races


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    with running_racers() as started:
        yield started


@pytest.mark.parametrize("pair", PAIRS)
async def test_sixty_sign_outs_at_once_tell_a_client_once(pair: str, racers: Racers) -> None:
    with (
        running_sink() as sink,
        running_provider(
            workers=2, pair=pair, test_limits="off", test_identifiers=f"{ASHA}:{CODE}", test_loopback_fetch="on"
        ) as provider,
    ):
        party = client_told(provider, "Raced", backchannel_logout_uri=sink.address("/raced"))
        async with Person() as person:
            (tokens,) = await signed_in(person, party)
            url = f"{provider.issuer}/logout?{urlencode({'id_token_hint': tokens['id_token']})}"
            cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar)
            answers = racers.race([Request(url, "GET", headers={"cookie": cookie})] * 60)
            assert {answer.status for answer in answers} == {303}
            await person.open(party.authorization_url(prompt="none"))
            assert person.answer()["error"] == "login_required"
        await sink.has("/raced")
        await until(lambda: jobs(provider, "ready") == 0)
        assert len(sink.tokens("/raced")) == 1
        assert events(provider, party) == [("logout.told", {"attempt": 1})]
        assert len(provider.rows("SELECT 1 FROM audit_event WHERE name = 'session.ended'")) == 1
