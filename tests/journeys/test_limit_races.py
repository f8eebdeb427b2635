"""Limits with two workers, on each pair of stores: what is counted for one is counted for both, at one moment too."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.journeys.http_racers import Racers, Request, running_racers
from tests.login.doors import ask, fresh_email, fresh_phone, guess_wrong, knock, page_of, wrong
from tests.support.pairs import PAIRS
from tests.support.person import Person, fresh_address
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty, register

pytestmark = pytest.mark.races


@pytest.fixture(scope="module", params=PAIRS)
def two_workers(request: pytest.FixtureRequest) -> Iterator[RunningProvider]:
    many = "1000/1m"
    with running_provider(
        workers=2, pair=request.param, sends_per_identifier=many, cool_downs="10", live_challenges="10"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def party(two_workers: RunningProvider) -> RelyingParty:
    return register(two_workers)


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    with running_racers() as started:
        yield started


def _posted(person: Person, **changes: str) -> Request:
    """The form of the page a person looks at, as their browser would send it."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar)
    form = page_of(person).form_with(next(iter(changes)))
    headers = {"cookie": cookies, "accept": "text/html", "sec-fetch-site": "same-origin"}
    return Request(form.action, data=form.fields | changes, headers=headers)


def _compared(party: RelyingParty) -> int:
    query = "SELECT count(*) AS times FROM audit_event WHERE name IN ('otp.failed', 'otp.exhausted')"
    return int(party.provider.rows(query)[0]["times"])


async def test_of_sixty_guesses_in_ten_browsers_ten_are_compared(party: RelyingParty, racers: Racers) -> None:
    """B-01, B-02, B-03."""
    email, people, guesses = fresh_email(), [Person() for _ in range(10)], []
    try:
        for person in people:
            code = await ask(person, party, email)
            guesses += [_posted(person, one_time_code=wrong(code))] * 6
            party.provider.advance(11)
        before = _compared(party)
        answers = await asyncio.to_thread(racers.race, guesses)
    finally:
        await asyncio.gather(*(person.http.aclose() for person in people))
    assert {answer.status for answer in answers} <= {400, 429}
    assert _compared(party) - before == 10


async def test_of_sixty_first_requests_of_one_network_five_are_sent(party: RelyingParty, racers: Racers) -> None:
    """C-02, C-08: the others charge nothing."""
    address, people = fresh_address(), [Person() for _ in range(60)]
    try:
        await asyncio.gather(*(person.open(party.authorization_url()) for person in people))
        asked = [_posted(person, identifier=fresh_email()) for person in people]
        asked = [
            Request(each.url, data=each.data, headers=each.headers | {"x-forwarded-for": address}) for each in asked
        ]
        answers = await asyncio.to_thread(racers.race, asked)
    finally:
        await asyncio.gather(*(person.http.aclose() for person in people))
    assert Counter(answer.status for answer in answers) == {303: 5, 429: 55}


async def test_a_spent_budget_is_spent_for_every_worker_and_a_number_keeps_longer_codes(party: RelyingParty) -> None:
    """B-03, B-09."""
    email, phone = fresh_email(), fresh_phone()
    for identifier in (email, phone):
        for _ in range(2):
            async with Person() as stranger:
                await guess_wrong(stranger, await ask(stranger, party, identifier), 5)
            party.provider.advance(11)
    for _ in range(4):  # over new connections, so at either worker
        refused = await knock(party, email)
        assert refused.status_code == 429
        assert "Too many wrong codes for this email or number." in refused.text
    async with Person() as person:
        code = await ask(person, party, phone)
        assert re.fullmatch("[0-9]{8}", code)
        await person.type_code(code)
        assert "code" in person.answer()


async def test_an_owner_signs_in_where_strangers_spent_everything(party: RelyingParty) -> None:
    """B-07."""
    email = fresh_email()
    async with Person() as owner:
        await owner.type_code(await ask(owner, party, email))
        for _ in range(2):
            party.provider.advance(11)
            async with Person() as stranger:
                await guess_wrong(stranger, await ask(stranger, party, email), 5)
        await owner.type_code(await ask(owner, party, email, prompt="login"))
        assert "code" in owner.answer()
