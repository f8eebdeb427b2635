"""Many requests at one moment, from four processes over separate connections, to two workers on each pair of stores."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote_plus

import pytest

from tests.journeys.http_racers import Answer, Racers, Request, running_racers
from tests.login.doors import ask, fresh_email, messages, newest_id, page_of, rows, until, wrong
from tests.support.pairs import PAIRS
from tests.support.person import Form, Person
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty, register
from tests.support.secrecy import remember_secret

pytestmark = pytest.mark.races

TIMES = 60
NEWCOMER = "newcomer@example.com"


@pytest.fixture(scope="module", params=PAIRS)
def two_workers(request: pytest.FixtureRequest) -> Iterator[RunningProvider]:
    fixed = f"{NEWCOMER}:123456"  # sixty browsers ask for it and guess at once, which limits would not let through
    with running_provider(
        workers=2,
        pair=request.param,
        test_identifiers=fixed,
        test_limits="off",
        failures_per_identifier="100/30d",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    with running_racers() as started:
        yield started


@pytest.fixture(scope="module")
def party(two_workers: RunningProvider) -> RelyingParty:
    return register(two_workers)


@pytest.fixture(scope="module")
def public_party(two_workers: RunningProvider) -> RelyingParty:
    return register(two_workers, "--public")


def _token_request(party: RelyingParty, **form: str) -> Request:
    """A token request as the party would send it."""
    url = f"{party.provider.issuer}/token"
    if party.secret is None:
        return Request(url, data=form | {"client_id": party.client_id})
    pair = f"{quote_plus(party.client_id)}:{quote_plus(party.secret)}"
    return Request(url, data=form, headers={"authorization": "Basic " + base64.b64encode(pair.encode()).decode()})


def _revocation(party: RelyingParty, token: str) -> Request:
    return replace(_token_request(party, token=token), url=f"{party.provider.issuer}/revoke")


def _posted(person: Person, form: Form, **changes: str) -> Request:
    """A form as the person's browser would send it."""
    return Request(
        form.action, data=form.fields | changes, headers=_headers(person) | {"sec-fetch-site": "same-origin"}
    )


def _headers(person: Person) -> dict[str, str]:
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar)
    return {"cookie": cookies, "accept": "text/html"}


async def _tokens(person: Person, party: RelyingParty) -> dict[str, str]:
    await person.type_code(await ask(person, party, fresh_email()))
    tokens: dict[str, str] = (await party.exchange(person.answer()["code"])).json()
    return tokens


async def _race(racers: Racers, requests: list[Request]) -> list[Answer]:
    answers = await asyncio.to_thread(racers.race, requests)
    for answer in answers:
        if answer.headers.get("content-type") == "application/json":
            tokens = answer.json()
            for name in {"access_token", "refresh_token", "id_token"} & tokens.keys():
                remember_secret(tokens[name])
    return answers


def _events(party: RelyingParty) -> Counter[str]:
    found = rows(party.provider, "SELECT name FROM audit_event WHERE client_id = :id", id=party.client_id)
    return Counter(event["name"] for event in found)


async def test_the_whole_road_with_two_workers(party: RelyingParty) -> None:
    async with Person() as person:
        tokens = await _tokens(person, party)
        claims = (await party.userinfo(tokens["access_token"])).json()
        again = (await party.refresh(tokens["refresh_token"])).json()
        assert (await party.userinfo(again["access_token"])).json() == claims
        await person.open(f"{party.provider.issuer}/logout?id_token_hint={tokens['id_token']}")
        assert "You are signed out" in page_of(person).title
        for _ in range(8):  # over new connections, so at either worker
            assert (await party.userinfo(again["access_token"])).status_code == 401


async def test_of_sixty_exchanges_of_one_code_one_succeeds_and_nothing_is_revoked(
    party: RelyingParty, racers: Racers
) -> None:
    async with Person() as person:
        await person.type_code(await ask(person, party, fresh_email()))
        code = person.answer()["code"]
    exchange = _token_request(
        party,
        grant_type="authorization_code",
        code=code,
        redirect_uri=party.redirect_uri,
        code_verifier=party.verifier,
    )
    answers = await _race(racers, [exchange] * TIMES)
    assert Counter(answer.status for answer in answers) == {200: 1, 400: TIMES - 1}
    assert {answer.json()["error"] for answer in answers if answer.status == 400} == {"invalid_grant"}
    [won] = [answer.json() for answer in answers if answer.status == 200]
    assert (await party.userinfo(won["access_token"])).status_code == 200
    assert (await party.refresh(won["refresh_token"])).status_code == 200


async def test_of_sixty_wrong_guesses_five_are_compared(party: RelyingParty, racers: Racers) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        before = _events(party)
        guess = _posted(person, page_of(person).form_with("one_time_code"), one_time_code=wrong(code))
        answers = await _race(racers, [guess] * TIMES)
        assert {answer.status for answer in answers} <= {400, 429}
        compared = _events(party) - before
        assert (compared["otp.failed"], compared["otp.exhausted"]) == (4, 1)
        await person.type_code(code)
        assert page_of(person).status == 429


async def test_of_sixty_right_codes_one_signs_in(party: RelyingParty, racers: Racers) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        guess = _posted(person, page_of(person).form_with("one_time_code"), one_time_code=code)
        answers = await _race(racers, [guess] * TIMES)
    signed_in = [answer for answer in answers if "set-cookie" in answer.headers]
    assert [answer.status for answer in signed_in] == [200]
    assert {answer.status for answer in answers if answer not in signed_in} <= {400, 429}
    assert len(_sessions(party, email)) == 1


async def test_sixty_sign_ins_of_one_newcomer_make_one_account(party: RelyingParty, racers: Racers) -> None:
    people = [Person() for _ in range(TIMES)]
    try:
        await asyncio.gather(*(_arrive(person, party) for person in people))
        forms = [_posted(p, page_of(p).form_with("one_time_code"), one_time_code="123456") for p in people]
        answers = await _race(racers, forms)
    finally:
        await asyncio.gather(*(person.http.aclose() for person in people))
    # One identifier takes only so many guesses at a moment, right ones too until they have turned out right.
    statuses = Counter(answer.status for answer in answers)
    assert statuses.keys() <= {200, 429}
    sessions = _sessions(party, NEWCOMER)
    assert len(sessions) == statuses[200] >= 2
    assert len({session["account_id"] for session in sessions}) == 1
    created = rows(
        party.provider,
        "SELECT 1 FROM audit_event WHERE name = 'user.created' AND account_id = :id",
        id=sessions[0]["account_id"],
    )
    assert len(created) == 1


async def _arrive(person: Person, party: RelyingParty) -> None:
    await person.open(party.authorization_url())
    await person.type_identifier(NEWCOMER)


def _sessions(party: RelyingParty, email: str) -> list[dict[str, object]]:
    return rows(
        party.provider,
        "SELECT account_id FROM session WHERE account_id = (SELECT account_id FROM identifier WHERE value = :email)",
        email=email,
    )


@pytest.mark.parametrize("kind", ["confidential", "public"])
async def test_sixty_refreshes_of_one_token_give_one_successor(
    party: RelyingParty, public_party: RelyingParty, racers: Racers, kind: str
) -> None:
    asking = public_party if kind == "public" else party
    async with Person() as person:
        tokens = await _tokens(person, asking)
    refresh = _token_request(asking, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    answers = await _race(racers, [refresh] * TIMES)
    assert Counter(answer.status for answer in answers) == {200: TIMES}
    [successor] = {answer.json()["refresh_token"] for answer in answers}
    assert successor != tokens["refresh_token"]
    assert len({answer.json()["access_token"] for answer in answers}) == TIMES
    assert (await asking.userinfo(answers[-1].json()["access_token"])).status_code == 200
    assert (await asking.refresh(successor)).status_code == 200


async def test_a_grant_that_is_revoked_among_sixty_refreshes_is_over(party: RelyingParty, racers: Racers) -> None:
    async with Person() as person:
        tokens = await _tokens(person, party)
    refresh = _token_request(party, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    revocation = _revocation(party, tokens["refresh_token"])
    before = _events(party)
    answers = await _race(racers, [refresh] * (TIMES - 10) + [revocation] * 10)
    refreshed = [answer for answer in answers if answer.text]  # the others were answered by /revoke
    assert {answer.status for answer in refreshed} <= {200, 400}
    assert [answer.status for answer in answers if not answer.text] == [200] * 10
    assert (_events(party) - before)["token.revoked"] == 1
    for answer in [answer for answer in refreshed if answer.status == 200][:5]:
        assert (await party.userinfo(answer.json()["access_token"])).status_code == 401
        assert (await party.refresh(answer.json()["refresh_token"])).status_code == 400
    assert (await party.refresh(tokens["refresh_token"])).status_code == 400


async def test_of_sixty_revocations_of_an_access_token_one_is_told(party: RelyingParty, racers: Racers) -> None:
    async with Person() as person:
        tokens = await _tokens(person, party)
    before = _events(party)
    answers = await _race(racers, [_revocation(party, tokens["access_token"])] * TIMES)
    assert {answer.status for answer in answers} == {200}
    assert (_events(party) - before)["token.revoked"] == 1
    assert (await party.userinfo(tokens["access_token"])).status_code == 401


async def test_an_interaction_is_answered_once(party: RelyingParty, racers: Racers) -> None:
    async with Person() as person:
        code = await ask(person, party, fresh_email())
        form = page_of(person).form_with("one_time_code")
        await person.http.post(form.action, data=form.fields | {"one_time_code": code})
        url = f"{party.provider.issuer}/authorize?interaction={form.fields['interaction']}"
        answers = await _race(racers, [Request(url, "GET", headers=_headers(person))] * TIMES)
    assert Counter(answer.status for answer in answers) == {303: 1, 400: TIMES - 1}
    [location] = [answer.headers["location"] for answer in answers if answer.status == 303]
    assert location.startswith(party.redirect_uri)


async def test_of_ten_resends_at_once_one_message_leaves(party: RelyingParty, racers: Racers) -> None:
    email = fresh_email()
    async with Person() as person:
        code = await ask(person, party, email)
        first = await newest_id(person, party.provider, email)
        party.provider.advance(31)
        form = page_of(person).form_with("resend")
        answers = await _race(racers, [_posted(person, form)] * 10)
        assert Counter(answer.status for answer in answers) == {303: 10}
        [requested, _] = rows(
            party.provider,
            "SELECT detail FROM audit_event WHERE name = 'otp.requested' ORDER BY id DESC LIMIT 2",
        )
        assert json.loads(requested["detail"])["send"] == 2
        await party.provider.newest_message(email, after=first)
        sent = await messages(person, party.provider, email)
        assert [message["one_time_code"] for message in sent] == [code, code]
        await until(lambda: not rows(party.provider, "SELECT 1 FROM outbox"))
